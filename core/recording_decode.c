#include "core/recording_decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/recording_encode.h"

/* Beyond any recording of a week; without them a few megabytes could ask for many gigabytes. */
enum {
	LOOPS_MAX = 1024, /* a loop is 10 KB */
	PROCESSES_MAX = 1024,
	CALLS_MAX = 4096,
	STALLS_MAX = 2 << 20,
	SAMPLES_MAX = 16 << 20,
	FRAMES_MAX = 4 << 20,
	STACKS_MAX = 8 << 20,
	HELD_MAX = 64 << 20,           /* frames in all stacks */
	MESSAGE_MEMORY_MAX = 64 << 20, /* bytes that one unpacked record may take */
	WORK_FREE = 1 << 20,
	WORK_PER_BYTE = 32,
	WORK_MAX = 1 << 30,
};

/* Unknown numbers come from a newer lagprof. */
static int known(int value, int count, int otherwise)
{
	return value >= 0 && value < count ? value : otherwise;
}

static const char *text(struct decoder *d, int has, const ProtobufCBinaryData *b)
{
	if (!has)
		return NULL;
	return strings_intern_n(&d->rec->strings, &d->rec->arena, b->data ? (char *)b->data : "",
				b->len < RECORD_TEXT_MAX ? b->len : RECORD_TEXT_MAX);
}

#define TEXT(d, m, field) text(d, (m)->has_##field, &(m)->field)

static void take_session(struct decoder *d, const Lagprof__Session *m)
{
	d->rec->session = (struct session){
		.start_unix_ns = m->start_unix_ns,
		.duration = m->duration,
		.threshold = m->threshold,
		.sample_hz = m->sample_hz,
		.end = (enum session_end)known((int)m->end, END_PRIVILEGES + 1, END_CUT_SHORT),
		.exit_status = m->exit_status,
		.serving_since = m->has_serving_since ? m->serving_since : UINT64_MAX,
		.lost_samples = m->lost_samples,
		.lost_turns = m->lost_turns,
		.probe = TEXT(d, m, probe),
		.unwinder = TEXT(d, m, unwinder),
		.error_bound = m->error_bound,
		.intrinsic_latency = m->intrinsic_latency,
		.own_cpu = m->own_cpu,
		.resolved = m->resolved,
		.strict = m->strict,
		.strict_missed = m->strict_missed,
		.target_cpu = m->target_cpu,
		.steps = m->steps,
	};
}

static void take_target(struct decoder *d, struct target_info *out, const Lagprof__Target *m)
{
	size_t argc = m->n_argv < RECORD_ARGV_MAX ? m->n_argv : RECORD_ARGV_MAX;
	const char **argv = arena_alloc(&d->rec->arena, (argc + 1) * sizeof(*argv));

	for (size_t i = 0; i < argc; i++)
		argv[i] = text(d, true, &m->argv[i]);
	*out = (struct target_info){
		.pid = m->pid,
		.parent = m->parent,
		.argc = (uint32_t)argc,
		.argv = argv,
		.exe = TEXT(d, m, exe),
		.cwd = TEXT(d, m, cwd),
		.runtime = TEXT(d, m, runtime),
		.runtime_version = TEXT(d, m, runtime_version),
		.threads = m->threads,
	};
}

static void take_process(struct decoder *d, const Lagprof__Target *m)
{
	struct recording *rec = d->rec;
	size_t i = 0;

	while (i < rec->n_processes && rec->processes[i]->pid != m->pid)
		i++;
	if (i == rec->n_processes && rec->n_processes >= PROCESSES_MAX)
		return;
	take_target(d, i < rec->n_processes ? rec->processes[i] : recording_add_process(rec), m);
}

static void take_histogram(struct hist *h, const Lagprof__Histogram *m)
{
	uint64_t bucket = 0;

	hist_init(h);
	if (!m)
		return;
	for (size_t i = 0; i < m->n_bucket && i < m->n_count; i++) {
		bucket += m->bucket[i];
		if (bucket >= HIST_BUCKETS || m->count[i] > UINT64_MAX - h->n)
			break;
		h->count[bucket] += m->count[i];
		h->n += m->count[i];
	}
	if (h->n == 0)
		return;
	h->sum = m->sum;
	h->max = m->max;
	h->min = m->has_min && m->min < m->max ? m->min : m->max;
}

static void take_threadpool(struct decoder *d, const Lagprof__Threadpool *m)
{
	struct threadpool *t = &d->rec->threadpool;

	t->known = m->known;
	t->pid = m->pid;
	t->size = m->size;
	t->observed = m->observed;
	t->busy = m->busy;
	t->saturated = m->saturated;
	t->saturated_idle = m->saturated_idle;
	t->resolution = m->resolution;
	t->lookups = m->lookups;
	snprintf(t->lookup_host, sizeof(t->lookup_host), "%s",
		 m->has_lookup_host ? text(d, true, &m->lookup_host) : "");
	take_histogram(&t->queue_wait, m->queue_wait);
}

static void take_host(struct decoder *d, const Lagprof__Host *m)
{
	struct host *h = &d->rec->host;

	*h = (struct host){ .model = text(d, m->has_model, &m->model),
			    .cpus = m->cpus,
			    .quota = m->quota,
			    .cpu = m->cpu,
			    .idle = m->idle,
			    .steal = m->steal,
			    .throttled = m->throttled };
	for (size_t i = 0; i < m->n_neighbours && i < HOST_NEIGHBOURS; i++) {
		const Lagprof__Neighbour *n = m->neighbours[i];

		h->neighbours[i] =
			(struct neighbour){ n->pid, text(d, n->has_name, &n->name), n->time };
		h->n_neighbours++;
	}
}

static void take_loop(struct decoder *d, const Lagprof__Loop *m)
{
	uint32_t at = idmap_get(&d->loops, m->id);
	struct loop *loop;

	if (at != IDMAP_NONE) {
		loop = d->rec->loops[at];
	} else if (d->rec->n_loops < LOOPS_MAX - 1) {
		idmap_put(&d->loops, m->id, (uint32_t)d->rec->n_loops);
		loop = recording_add_loop(d->rec);
	} else {
		d->bad_records++;
		return;
	}
	loop->pid = m->pid;
	loop->tid = m->tid;
	loop->name = TEXT(d, m, name);
	loop->kind = (enum loop_kind)known((int)m->kind, LOOP_ASYNCIO + 1, LOOP_EPOLL);
	loop->turns = m->turns;
	loop->lost = m->lost;
	loop->busy = m->busy;
	loop->polled = m->polled;
	loop->waited = m->waited;
	take_histogram(&loop->lag, m->lag);
}

static void take_frame(struct decoder *d, const Lagprof__Frame *m)
{
	const struct frame frame = {
		.kind = (enum frame_kind)known((int)m->kind, FRAME_JIT + 1, FRAME_NATIVE),
		.function = TEXT(d, m, function),
		.module = TEXT(d, m, module),
		.build_id = TEXT(d, m, build_id),
		.file = TEXT(d, m, file),
		.line = m->line,
		.column = m->column,
		.define_line = m->define_line,
		.address = m->address,
		.inlined = m->inlined,
		.guessed = m->guessed,
	};

	if (d->frames.n < FRAMES_MAX)
		idmap_put(&d->frames, m->id, recording_frame(d->rec, &frame));
	else
		d->bad_records++;
}

struct decoded_stack *stack_table_find(const struct stack_table *t, uint32_t id)
{
	uint32_t at = idmap_get(&t->ids, id);

	return at == IDMAP_NONE ? NULL : &t->v[at];
}

/* The one of that id, empty if it is new; NULL if there are too many. */
static struct decoded_stack *table_slot(struct stack_table *t, uint32_t id)
{
	uint32_t at = idmap_get(&t->ids, id);

	if (at != IDMAP_NONE)
		return &t->v[at];
	if (t->n == STACKS_MAX)
		return NULL;
	ARRAY_GROW(t->v, t->n, t->cap);
	t->v[t->n] = (struct decoded_stack){ 0 };
	idmap_put(&t->ids, id, (uint32_t)t->n);
	return &t->v[t->n++];
}

/* Puts n frames behind those of k; false if not all fit. */
static bool append_frames(struct decoder *d, struct decoded_stack *k, const uint32_t *frames,
			  size_t n)
{
	bool all = n <= RECORD_STACK_MAX - k->n;

	n = all ? n : RECORD_STACK_MAX - k->n;
	if (d->held + n > HELD_MAX)
		return false;
	if (n == 0)
		return all;
	k->frames = xrealloc(k->frames, k->n + n, sizeof(*k->frames));
	memcpy(k->frames + k->n, frames, n * sizeof(*frames));
	k->n += (uint32_t)n;
	d->held += n;
	return all;
}

/* Puts the frames of a stack's base behind its own; false if they are lost. */
static bool append_base(struct decoder *d, struct decoded_stack *k, const Lagprof__Stack *m)
{
	const struct decoded_stack *base = stack_table_find(&d->stacks, m->tail_of);
	uint32_t n;

	if (!base || m->tail_from > base->n)
		return false;
	n = base->n - m->tail_from;
	if (n > d->work)
		return false;
	d->work -= n;
	return n == 0 || append_frames(d, k, base->frames + m->tail_from, n);
}

/* Gives the stack of that id new frames. */
static void define(struct decoder *d, struct stack_table *t, uint32_t id,
		   const struct decoded_stack *k)
{
	struct decoded_stack *slot = table_slot(t, id);

	if (!slot) {
		d->bad_records++;
		d->held -= k->n;
		free(k->frames);
		return;
	}
	d->held -= slot->n;
	free(slot->frames);
	*slot = *k;
}

static void take_stack(struct decoder *d, const Lagprof__Stack *m)
{
	struct decoded_stack k = {
		.end = (enum stack_end)known((int)m->end, STACK_ENDS, STACK_BAD_FRAME),
		.replaced = m->replaced,
	};

	/* What is left still tells what ran. */
	if (!append_frames(d, &k, m->frames, m->n_frames) ||
	    (m->has_tail_of && !append_base(d, &k, m)))
		k.end = STACK_TRUNCATED;
	define(d, &d->stacks, m->id, &k);
}

static void take_replacement(struct decoder *d, const Lagprof__Replacement *m)
{
	struct decoded_stack k = { 0 };

	append_frames(d, &k, m->with, m->n_with);
	if (k.n)
		define(d, &d->replacements, m->frame, &k);
	else
		d->bad_records++;
}

static void take_stall(struct decoder *d, const Lagprof__Stall *m)
{
	uint32_t at = idmap_get(&d->stalls, m->id);

	if (at == IDMAP_NONE && d->rec->n_stalls == STALLS_MAX) {
		d->bad_records++;
		return;
	}
	if (at == IDMAP_NONE) {
		at = recording_add_stall(d->rec)->id;
		idmap_put(&d->stalls, m->id, at);
	}
	d->rec->stalls[at] = (struct stall){
		.id = at,
		.loop = m->loop, /* in the file, until decoder_finish() */
		.start = m->start,
		.duration = m->duration,
		.running = m->running,
		.runnable = m->runnable,
		.blocked = m->blocked,
		.stopped = m->stopped,
		.throttled = m->throttled,
		.page_fault = m->page_fault,
		.held_up = m->held_up,
		.samples = m->samples,
		.phase = (enum phase)known((int)m->phase, PHASE_SERVING + 1, PHASE_SERVING),
		.open = m->open,
		.cut = m->cut,
		.request = TEXT(d, m, request),
		.peer = TEXT(d, m, peer),
		.confidence = m->confidence >= 0 && m->confidence <= 1 ? m->confidence : 0,
	};
}

static void take_argument(struct decoder *d, struct sample *row, const Lagprof__Argument *m)
{
	if ((unsigned)m->key >= ARG_KEYS || row->n_arguments == DECODED_ARGUMENTS_MAX)
		return;
	ARRAY_GROW(d->arguments, d->n_arguments, d->cap_arguments);
	d->arguments[d->n_arguments++] = (struct decoded_argument){
		.a = { .key = (enum argument_key)m->key,
		       .number = m->number,
		       .text = TEXT(d, m, text),
		       .frame = m->frame },
		.skip = m->skip,
	};
	row->n_arguments++;
}

/* They go to rec as they are, and get rec's ids and their arguments in decoder_finish(). */
static void take_samples(struct decoder *d, const Lagprof__Samples *m)
{
	size_t n = m->n_stall, arg = 0;
	struct recording *rec = d->rec;
	nsec at = 0;

	if (m->n_stack != n || m->n_at != n || m->n_weight != n || m->n_state != n ||
	    m->n_syscall != n || n > SAMPLES_MAX - rec->n_samples) {
		d->bad_records++;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		bool fits = m->syscall[i] >= -1 && m->syscall[i] <= INT16_MAX;
		struct sample s = {
			.at = at += (uint64_t)m->at[i],
			.stall = m->stall[i],
			.stack = m->stack[i],
			.weight = m->weight[i],
			.state = (enum sample_state)m->state[i],
			.syscall = (int16_t)(fits ? m->syscall[i] : -1),
		};

		while (arg < m->n_arguments && m->arguments[arg]->row == i)
			take_argument(d, &s, m->arguments[arg++]);
		ARRAY_GROW(rec->samples, rec->n_samples, rec->cap_samples);
		rec->samples[rec->n_samples++] = s;
	}
}

/* As it is: it gets rec's ids in decoder_finish(). */
static void take_call(struct decoder *d, const Lagprof__Call *m)
{
	struct recording *rec = d->rec;
	bool fits = m->syscall >= 0 && m->syscall <= INT16_MAX && (unsigned)m->key < ARG_KEYS;
	size_t i = 0;

	while (i < rec->n_calls &&
	       (rec->calls[i].loop != m->loop || rec->calls[i].stack != m->stack ||
		rec->calls[i].syscall != m->syscall))
		i++;
	if (!fits || i == CALLS_MAX || i > d->work) {
		d->bad_records++;
		return;
	}
	d->work -= i;
	if (i == rec->n_calls) {
		ARRAY_GROW(rec->calls, rec->n_calls, rec->cap_calls);
		rec->n_calls++;
	}
	rec->calls[i] = (struct strict_call){
		.loop = m->loop,
		.stack = m->stack,
		.syscall = (int16_t)m->syscall,
		.count = m->count,
		.first = m->first,
		.key = (enum argument_key)m->key,
		.text = TEXT(d, m, text),
	};
}

static void take_record(struct decoder *d, const Lagprof__Record *r)
{
	switch (r->kind_case) {
	case LAGPROF__RECORD__KIND_SESSION:
		take_session(d, r->session);
		break;
	case LAGPROF__RECORD__KIND_TARGET:
		take_target(d, &d->rec->target, r->target);
		break;
	case LAGPROF__RECORD__KIND_THREADPOOL:
		take_threadpool(d, r->threadpool);
		break;
	case LAGPROF__RECORD__KIND_HOST:
		take_host(d, r->host);
		break;
	case LAGPROF__RECORD__KIND_LOOP:
		take_loop(d, r->loop);
		break;
	case LAGPROF__RECORD__KIND_NOTE:
		recording_note(d->rec, "%s", text(d, true, &r->note));
		break;
	case LAGPROF__RECORD__KIND_FRAME:
		take_frame(d, r->frame);
		break;
	case LAGPROF__RECORD__KIND_STACK:
		take_stack(d, r->stack);
		break;
	case LAGPROF__RECORD__KIND_STALL:
		take_stall(d, r->stall);
		break;
	case LAGPROF__RECORD__KIND_SAMPLES:
		take_samples(d, r->samples);
		break;
	case LAGPROF__RECORD__KIND_REPLACEMENT:
		take_replacement(d, r->replacement);
		break;
	case LAGPROF__RECORD__KIND_CALL:
		take_call(d, r->call);
		break;
	case LAGPROF__RECORD__KIND_PROCESS:
		take_process(d, r->process);
		break;
	default: /* of a newer lagprof */
		break;
	}
}

/* protobuf-c's memory, bounded: a record can ask for a hundred times its own size. */
static void *budget_alloc(void *left, size_t size)
{
	size_t *budget = left;
	void *p;

	if (size > *budget)
		return NULL;
	*budget -= size;
	p = malloc(size ? size : 1);
	if (!p)
		abort();
	return p;
}

static void budget_free(void *left, void *p)
{
	free(p);
}

static void take_message(struct decoder *d, const uint8_t *data, size_t len)
{
	size_t budget = MESSAGE_MEMORY_MAX;
	ProtobufCAllocator memory = { budget_alloc, budget_free, &budget };
	Lagprof__Record *r = lagprof__record__unpack(&memory, len, data);

	if (!r) {
		d->bad_records++;
		return;
	}
	take_record(d, r);
	lagprof__record__free_unpacked(r, &memory);
}

void decoder_init(struct decoder *d, struct recording *rec)
{
	*d = (struct decoder){ .rec = rec, .work = WORK_FREE };
}

void decoder_take(struct decoder *d, const uint8_t *data, size_t len)
{
	if (d->granted < WORK_MAX) {
		d->granted += len * WORK_PER_BYTE;
		d->work += len * WORK_PER_BYTE;
	}
	while (len) {
		size_t message = 0, n = 0;

		do {
			message |= (size_t)(data[n] & 0x7f) << (7 * n);
		} while ((data[n++] & 0x80) && n < len && n < 4);
		if ((data[n - 1] & 0x80) || message > len - n) {
			d->bad_records++;
			return;
		}
		if (message)
			take_message(d, data + n, message);
		data += n + message;
		len -= n + message;
	}
}
