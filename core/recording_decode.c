#include "core/recording_decode.h"

#include <stdlib.h>
#include <string.h>

#include "core/recording_encode.h"

enum {
	LOOPS_MAX = 1024, /* a loop is 10 KB and costs a file three bytes */
	ROW_ARGUMENTS_MAX = 64,
	MESSAGE_MEMORY_MAX = 64 << 20, /* bytes that one unpacked record may take */
	WORK_FREE = 1 << 20,
	WORK_PER_BYTE = 32,
};

/* Frames by their ids in the file, innermost first. */
struct decoded_stack {
	uint32_t *frames;
	uint32_t n;
	enum stack_end end;
	bool replaced; /* contains what replaces its frames already */
	uint32_t id;   /* in rec plus one; 0: not there yet */
};

struct decoded_sample {
	struct sample s; /* stall and stack are ids in the file; arguments unset */
	size_t arguments;
};

struct decoded_argument {
	struct argument a; /* frame is an id in the file */
	uint32_t skip;
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
	};
}

static void take_target(struct decoder *d, const Lagprof__Target *m)
{
	size_t argc = m->n_argv < RECORD_ARGV_MAX ? m->n_argv : RECORD_ARGV_MAX;
	const char **argv = arena_alloc(&d->rec->arena, (argc + 1) * sizeof(*argv));

	for (size_t i = 0; i < argc; i++)
		argv[i] = text(d, true, &m->argv[i]);
	d->rec->target = (struct target_info){
		.pid = m->pid,
		.argc = (uint32_t)argc,
		.argv = argv,
		.exe = TEXT(d, m, exe),
		.cwd = TEXT(d, m, cwd),
		.runtime = TEXT(d, m, runtime),
		.runtime_version = TEXT(d, m, runtime_version),
		.threads = m->threads,
	};
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
	t->size = m->size;
	t->observed = m->observed;
	t->busy = m->busy;
	t->saturated = m->saturated;
	take_histogram(&t->queue_wait, m->queue_wait);
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

	idmap_put(&d->frames, m->id, recording_frame(d->rec, &frame));
}

static void set_frames(struct decoded_stack *k, const uint32_t *frames, size_t n)
{
	k->n = (uint32_t)(n < RECORD_STACK_MAX ? n : RECORD_STACK_MAX);
	k->frames = xrealloc(k->frames, k->n + 1, sizeof(*k->frames));
	if (k->n)
		memcpy(k->frames, frames, k->n * sizeof(*frames));
}

/* Puts the frames of a stack's base behind its own; false if they are lost. */
static bool append_base(struct decoder *d, struct decoded_stack *k, const Lagprof__Stack *m)
{
	uint32_t at = idmap_get(&d->stack_ids, m->tail_of);
	const struct decoded_stack *base = at == IDMAP_NONE ? NULL : &d->stacks[at];
	uint32_t n;

	if (!base || m->tail_from > base->n)
		return false;
	n = base->n - m->tail_from;
	if (n > RECORD_STACK_MAX - k->n || n > d->work)
		return false;
	d->work -= n;
	k->frames = xrealloc(k->frames, k->n + n + 1, sizeof(*k->frames));
	memcpy(k->frames + k->n, base->frames + m->tail_from, n * sizeof(*k->frames));
	k->n += n;
	return true;
}

static void take_stack(struct decoder *d, const Lagprof__Stack *m)
{
	struct decoded_stack k = {
		.end = (enum stack_end)known((int)m->end, STACK_ENDS, STACK_BAD_FRAME),
		.replaced = m->replaced,
	};
	uint32_t at = idmap_get(&d->stack_ids, m->id);

	set_frames(&k, m->frames, m->n_frames);
	/* What is left still tells what ran. */
	if (m->has_tail_of && !append_base(d, &k, m))
		k.end = STACK_TRUNCATED;
	if (at == IDMAP_NONE) {
		at = (uint32_t)d->n_stacks;
		ARRAY_GROW(d->stacks, d->n_stacks, d->cap_stacks);
		d->n_stacks++;
		idmap_put(&d->stack_ids, m->id, at);
	} else {
		free(d->stacks[at].frames);
	}
	d->stacks[at] = k;
}

static void take_replacement(struct decoder *d, const Lagprof__Replacement *m)
{
	uint32_t at = idmap_get(&d->replacement_ids, m->frame);

	if (m->n_with == 0) {
		d->bad_records++;
		return;
	}
	if (at == IDMAP_NONE) {
		at = (uint32_t)d->n_replacements;
		ARRAY_GROW(d->replacements, d->n_replacements, d->cap_replacements);
		d->replacements[d->n_replacements++] = (struct decoded_stack){ 0 };
		idmap_put(&d->replacement_ids, m->frame, at);
	}
	set_frames(&d->replacements[at], m->with, m->n_with);
}

static void take_stall(struct decoder *d, const Lagprof__Stall *m)
{
	uint32_t at = idmap_get(&d->stalls, m->id);

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
		.samples = m->samples,
		.phase = (enum phase)known((int)m->phase, PHASE_SERVING + 1, PHASE_SERVING),
		.open = m->open,
		.cut = m->cut,
		.request = TEXT(d, m, request),
		.confidence = m->confidence >= 0 && m->confidence <= 1 ? m->confidence : 0,
	};
}

static void take_argument(struct decoder *d, struct decoded_sample *row, const Lagprof__Argument *m)
{
	if ((unsigned)m->key >= ARG_KEYS || row->s.n_arguments == ROW_ARGUMENTS_MAX)
		return;
	ARRAY_GROW(d->arguments, d->n_arguments, d->cap_arguments);
	d->arguments[d->n_arguments++] = (struct decoded_argument){
		.a = { .key = (enum argument_key)m->key,
		       .number = m->number,
		       .text = TEXT(d, m, text),
		       .frame = m->frame },
		.skip = m->skip,
	};
	row->s.n_arguments++;
}

static void take_samples(struct decoder *d, const Lagprof__Samples *m)
{
	size_t n = m->n_stall, arg = 0;
	nsec at = 0;

	if (m->n_stack != n || m->n_at != n || m->n_weight != n || m->n_state != n ||
	    m->n_syscall != n) {
		d->bad_records++;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct decoded_sample row = { .arguments = d->n_arguments };

		row.s.at = at += (uint64_t)m->at[i];
		row.s.stall = m->stall[i];
		row.s.stack = m->stack[i];
		row.s.weight = m->weight[i];
		row.s.state = (enum sample_state)m->state[i];
		row.s.syscall = m->syscall[i] >= -1 && m->syscall[i] <= INT16_MAX
					? (int16_t)m->syscall[i]
					: -1;
		while (arg < m->n_arguments && m->arguments[arg]->row == i)
			take_argument(d, &row, m->arguments[arg++]);
		ARRAY_GROW(d->samples, d->n_samples, d->cap_samples);
		d->samples[d->n_samples++] = row;
	}
}

static void take_record(struct decoder *d, const Lagprof__Record *r)
{
	switch (r->kind_case) {
	case LAGPROF__RECORD__KIND_SESSION:
		take_session(d, r->session);
		break;
	case LAGPROF__RECORD__KIND_TARGET:
		take_target(d, r->target);
		break;
	case LAGPROF__RECORD__KIND_THREADPOOL:
		take_threadpool(d, r->threadpool);
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
	d->work += len * WORK_PER_BYTE;
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

/* Frames of a stack, by their ids in the file, in its final form. */
struct expansion {
	uint32_t *ids;
	size_t n, cap;
	const struct decoded_stack *of; /* NULL: none yet */
};

/* False if not all of it could be had. */
static bool expand(struct decoder *d, const struct decoded_stack *k, struct expansion *out)
{
	out->n = 0;
	out->of = k;
	for (uint32_t i = 0; i < k->n; i++) {
		uint32_t at =
			k->replaced ? IDMAP_NONE : idmap_get(&d->replacement_ids, k->frames[i]);
		const struct decoded_stack *r = at == IDMAP_NONE ? NULL : &d->replacements[at];
		size_t n = r ? r->n : 1;

		if (out->n + n > RECORD_STACK_MAX || n - 1 > d->work)
			return false;
		d->work -= n - 1;
		for (size_t j = 0; j < n; j++) {
			ARRAY_GROW(out->ids, out->n, out->cap);
			out->ids[out->n++] = r ? r->frames[j] : k->frames[i];
		}
	}
	return true;
}

static uint32_t frame_id(struct decoder *d, uint32_t id)
{
	uint32_t known_as = idmap_get(&d->frames, id);

	/* Its definition is in a damaged part of the file. */
	if (known_as == IDMAP_NONE) {
		known_as = recording_frame(d->rec, &(struct frame){ .kind = FRAME_NATIVE });
		idmap_put(&d->frames, id, known_as);
	}
	return known_as;
}

/* The stack's id in rec. */
static uint32_t stack_id(struct decoder *d, struct decoded_stack *k, struct expansion *e)
{
	uint32_t *ids;

	if (k->id)
		return k->id - 1;
	if (!expand(d, k, e))
		k->end = STACK_TRUNCATED;
	ids = xcalloc(e->n + 1, sizeof(*ids));
	for (size_t i = 0; i < e->n; i++)
		ids[i] = frame_id(d, e->ids[i]);
	k->id = recording_stack(d->rec, ids, (uint32_t)e->n, k->end) + 1;
	free(ids);
	return k->id - 1;
}

/* Where in e the frame is whose id that is, after `skip` others of it; e->n: nowhere. */
static size_t find_frame(struct decoder *d, const struct expansion *e, uint32_t id, uint32_t skip)
{
	for (size_t i = 0; i < e->n && d->work > 0; i++, d->work--)
		if (e->ids[i] == id && skip-- == 0)
			return i;
	return e->n;
}

/* An argument may name a frame or what replaced it, whenever it or the stack was written. */
static size_t argument_frame(struct decoder *d, const struct decoded_argument *a,
			     const struct decoded_stack *k, const struct expansion *e)
{
	uint32_t at = idmap_get(&d->replacement_ids, a->a.frame);
	uint32_t with = at == IDMAP_NONE ? a->a.frame : d->replacements[at].frames[0];
	size_t found = find_frame(d, e, k->replaced ? a->a.frame : with, a->skip);

	return found < e->n ? found : find_frame(d, e, k->replaced ? with : a->a.frame, a->skip);
}

/* Makes e the expansion of k; false if that was asked for too often. */
static bool expanded(struct decoder *d, const struct decoded_stack *k, struct expansion *e)
{
	if (e->of == k)
		return true;
	if (k->n > d->work)
		return false;
	d->work -= k->n;
	expand(d, k, e);
	return true;
}

static void finish_sample(struct decoder *d, const struct decoded_sample *row, struct expansion *e)
{
	uint32_t stall = idmap_get(&d->stalls, row->s.stall);
	uint32_t stack = idmap_get(&d->stack_ids, row->s.stack);
	struct argument arguments[ROW_ARGUMENTS_MAX];
	struct sample s = row->s;

	if (stall == IDMAP_NONE || stack == IDMAP_NONE || s.state > SAMPLE_STOPPED) {
		d->lost_samples++;
		return;
	}
	s.stall = stall;
	s.stack = stack_id(d, &d->stacks[stack], e);
	s.arguments = arguments;
	s.n_arguments = 0;
	for (size_t i = 0; i < row->s.n_arguments && expanded(d, &d->stacks[stack], e); i++) {
		const struct decoded_argument *a = &d->arguments[row->arguments + i];
		size_t frame = argument_frame(d, a, &d->stacks[stack], e);

		if (frame == e->n)
			continue;
		arguments[s.n_arguments] = a->a;
		arguments[s.n_arguments++].frame = (uint32_t)frame;
	}
	recording_add_sample(d->rec, &s);
}

static void finish_samples(struct decoder *d)
{
	struct expansion e = { 0 };

	for (size_t i = 0; i < d->n_samples; i++)
		finish_sample(d, &d->samples[i], &e);
	free(e.ids);
}

static void finish_stalls(struct decoder *d)
{
	struct recording *rec = d->rec;
	uint32_t stranger = IDMAP_NONE;

	for (size_t i = 0; i < rec->n_stalls; i++) {
		uint32_t loop = idmap_get(&d->loops, rec->stalls[i].loop);

		/* Its loop's totals are in a damaged part of the file. */
		if (loop == IDMAP_NONE) {
			if (stranger == IDMAP_NONE) {
				stranger = (uint32_t)rec->n_loops;
				recording_add_loop(rec)->name = recording_intern(rec, "?");
			}
			loop = stranger;
		}
		rec->stalls[i].loop = loop;
	}
}

void decoder_finish(struct decoder *d)
{
	finish_stalls(d);
	finish_samples(d);
	for (size_t i = 0; i < d->n_stacks; i++)
		free(d->stacks[i].frames);
	for (size_t i = 0; i < d->n_replacements; i++)
		free(d->replacements[i].frames);
	free(d->stacks);
	free(d->replacements);
	free(d->samples);
	free(d->arguments);
	idmap_destroy(&d->frames);
	idmap_destroy(&d->loops);
	idmap_destroy(&d->stalls);
	idmap_destroy(&d->stack_ids);
	idmap_destroy(&d->replacement_ids);
}
