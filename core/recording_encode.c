#include "core/recording_encode.h"

#include <stdlib.h>
#include <string.h>

/*
 * Numbers in a file never change their meaning, so the file's enums may only
 * grow, and at their end.
 */
#define SAME(a, b) _Static_assert((int)(a) == (int)(b), #a " is another number in the file")
SAME(END_PRIVILEGES, LAGPROF__SESSION_END__PRIVILEGES);
SAME(END_CUT_SHORT, LAGPROF__SESSION_END__CUT_SHORT);
SAME(LOOP_ASYNCIO, LAGPROF__LOOP_KIND__ASYNCIO);
SAME(LOOP_LIBUV, LAGPROF__LOOP_KIND__LIBUV);
SAME(FRAME_JS, LAGPROF__FRAME_KIND__JS);
SAME(FRAME_JIT, LAGPROF__FRAME_KIND__JIT);
SAME(STACK_BAD_FRAME, LAGPROF__STACK_END__BAD_FRAME);
SAME(STACK_NO_REGISTERS, LAGPROF__STACK_END__NO_REGISTERS);
SAME(PHASE_SERVING, LAGPROF__PHASE__SERVING);
SAME(SAMPLE_STOPPED, LAGPROF__SAMPLE_STATE__STATE_STOPPED);
SAME(ARG_PATTERN, LAGPROF__ARGUMENT_KEY__PATTERN);
SAME(ARG_MODULE, LAGPROF__ARGUMENT_KEY__MODULE);
SAME(ARG_CALLBACK, LAGPROF__ARGUMENT_KEY__CALLBACK);
SAME(ARG_KEYS, ARG_CALLBACK + 1);
SAME(STACK_ENDS, STACK_NO_REGISTERS + 1);

/* Absent fields are 0. */
#define SET(m, field, v) ((m)->field = (v), (m)->has_##field = (m)->field != 0)

#define SET_TEXT(m, name, s)                   \
	do {                                   \
		(m)->has_##name = (s) != NULL; \
		(m)->name = text_of(s);        \
	} while (0)

static ProtobufCBinaryData text_of(const char *s)
{
	return (ProtobufCBinaryData){ .data = (uint8_t *)s,
				      .len = s ? strnlen(s, RECORD_TEXT_MAX) : 0 };
}

static void put(struct strbuf *out, const Lagprof__Record *r)
{
	size_t len = lagprof__record__get_packed_size(r);
	uint8_t prefix[10];
	size_t n = 0;

	for (size_t v = len; n == 0 || v; v >>= 7)
		prefix[n++] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
	strbuf_add(out, prefix, n);
	lagprof__record__pack(r, strbuf_extend(out, len));
}

/* Puts a record of one kind: the union's member and its tag have the same name. */
#define PUT(out, KIND, member, message)                                                \
	put(out,                                                                       \
	    &(Lagprof__Record){ PROTOBUF_C_MESSAGE_INIT(&lagprof__record__descriptor), \
				.kind_case = LAGPROF__RECORD__KIND_##KIND, .member = (message) })

void encode_session(struct strbuf *out, const struct session *s)
{
	Lagprof__Session m = LAGPROF__SESSION__INIT;

	SET(&m, start_unix_ns, s->start_unix_ns);
	SET(&m, duration, s->duration);
	SET(&m, threshold, s->threshold);
	SET(&m, sample_hz, s->sample_hz);
	SET(&m, end, (Lagprof__SessionEnd)s->end);
	m.exit_status = s->exit_status;
	m.has_exit_status = s->exit_status != -1;
	m.serving_since = s->serving_since;
	m.has_serving_since = s->serving_since != UINT64_MAX;
	SET(&m, lost_samples, s->lost_samples);
	SET(&m, lost_turns, s->lost_turns);
	SET_TEXT(&m, probe, s->probe);
	SET_TEXT(&m, unwinder, s->unwinder);
	SET(&m, error_bound, s->error_bound);
	SET(&m, intrinsic_latency, s->intrinsic_latency);
	SET(&m, own_cpu, s->own_cpu);
	SET(&m, resolved, s->resolved);
	SET(&m, strict, s->strict);
	SET(&m, strict_missed, s->strict_missed);
	SET(&m, target_cpu, s->target_cpu);
	SET(&m, steps, s->steps);
	PUT(out, SESSION, session, &m);
}

/* Returns what argv is kept in, to be freed. */
static ProtobufCBinaryData *fill_target(Lagprof__Target *out, const struct target_info *t)
{
	size_t argc = t->argc < RECORD_ARGV_MAX ? t->argc : RECORD_ARGV_MAX;
	ProtobufCBinaryData *argv = xcalloc(argc + 1, sizeof(*argv));
	Lagprof__Target m = LAGPROF__TARGET__INIT;

	/* A megabyte of it will do: a frame must hold it. */
	for (size_t bytes = 0; m.n_argv < argc && bytes < 1 << 20; m.n_argv++) {
		argv[m.n_argv] = text_of(t->argv[m.n_argv]);
		bytes += argv[m.n_argv].len;
	}
	m.argv = argv;
	SET(&m, pid, t->pid);
	SET_TEXT(&m, exe, t->exe);
	SET_TEXT(&m, cwd, t->cwd);
	SET_TEXT(&m, runtime, t->runtime);
	SET_TEXT(&m, runtime_version, t->runtime_version);
	SET(&m, threads, t->threads);
	m.parent = t->parent;
	m.has_parent = t->parent != 0;
	*out = m;
	return argv;
}

void encode_target(struct strbuf *out, const struct target_info *t)
{
	Lagprof__Target m;
	ProtobufCBinaryData *argv = fill_target(&m, t);

	PUT(out, TARGET, target, &m);
	free(argv);
}

void encode_process(struct strbuf *out, const struct target_info *t)
{
	Lagprof__Target m;
	ProtobufCBinaryData *argv = fill_target(&m, t);

	PUT(out, PROCESS, process, &m);
	free(argv);
}

void encode_call(struct strbuf *out, const struct strict_call *c)
{
	Lagprof__Call m = LAGPROF__CALL__INIT;

	m.loop = c->loop;
	m.stack = c->stack;
	SET(&m, syscall, c->syscall);
	SET(&m, count, c->count);
	SET(&m, first, c->first);
	if (c->text)
		SET(&m, key, (Lagprof__ArgumentKey)c->key);
	SET_TEXT(&m, text, c->text);
	PUT(out, CALL, call, &m);
}

struct sparse {
	uint32_t bucket[HIST_BUCKETS];
	uint64_t count[HIST_BUCKETS];
};

/* The columns of m live in s. */
static void fill_histogram(Lagprof__Histogram *m, struct sparse *s, const struct hist *h)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
		if (!h->count[i])
			continue;
		s->bucket[m->n_bucket++] = i - last;
		s->count[m->n_count++] = h->count[i];
		last = i;
	}
	m->bucket = s->bucket;
	m->count = s->count;
	SET(m, sum, h->sum);
	m->min = h->min;
	m->has_min = h->min != UINT64_MAX;
	SET(m, max, h->max);
}

void encode_threadpool(struct strbuf *out, const struct threadpool *t)
{
	Lagprof__Threadpool m = LAGPROF__THREADPOOL__INIT;
	Lagprof__Histogram wait = LAGPROF__HISTOGRAM__INIT;
	struct sparse sparse;

	SET(&m, known, t->known);
	SET(&m, pid, t->pid);
	SET(&m, size, t->size);
	SET(&m, observed, t->observed);
	SET(&m, busy, t->busy);
	SET(&m, saturated, t->saturated);
	SET(&m, saturated_idle, t->saturated_idle);
	SET(&m, resolution, t->resolution);
	SET(&m, lookups, t->lookups);
	m.has_lookup_host = t->lookup_host[0] != '\0';
	m.lookup_host.data = (uint8_t *)t->lookup_host;
	m.lookup_host.len = strnlen(t->lookup_host, sizeof(t->lookup_host));
	fill_histogram(&wait, &sparse, &t->queue_wait);
	m.queue_wait = &wait;
	PUT(out, THREADPOOL, threadpool, &m);
}

void encode_host(struct strbuf *out, const struct host *h)
{
	Lagprof__Host m = LAGPROF__HOST__INIT;
	Lagprof__Neighbour neighbours[HOST_NEIGHBOURS], *list[HOST_NEIGHBOURS];

	SET_TEXT(&m, model, h->model);
	SET(&m, cpus, h->cpus);
	SET(&m, quota, h->quota);
	SET(&m, cpu, h->cpu);
	SET(&m, idle, h->idle);
	SET(&m, steal, h->steal);
	SET(&m, throttled, h->throttled);
	for (uint32_t i = 0; i < h->n_neighbours; i++) {
		neighbours[i] = (Lagprof__Neighbour)LAGPROF__NEIGHBOUR__INIT;
		SET(&neighbours[i], pid, h->neighbours[i].pid);
		SET(&neighbours[i], time, h->neighbours[i].time);
		SET_TEXT(&neighbours[i], name, h->neighbours[i].name);
		list[i] = &neighbours[i];
	}
	m.neighbours = list;
	m.n_neighbours = h->n_neighbours;
	PUT(out, HOST, host, &m);
}

void encode_loop(struct strbuf *out, uint32_t id, const struct loop *loop)
{
	Lagprof__Loop m = LAGPROF__LOOP__INIT;
	Lagprof__Histogram lag = LAGPROF__HISTOGRAM__INIT;
	struct sparse sparse;

	m.id = id;
	SET(&m, pid, loop->pid);
	SET(&m, tid, loop->tid);
	SET_TEXT(&m, name, loop->name);
	SET(&m, kind, (Lagprof__LoopKind)loop->kind);
	SET(&m, turns, loop->turns);
	SET(&m, lost, loop->lost);
	SET(&m, busy, loop->busy);
	SET(&m, polled, loop->polled);
	SET(&m, waited, loop->waited);
	fill_histogram(&lag, &sparse, &loop->lag);
	m.lag = &lag;
	PUT(out, LOOP, loop, &m);
}

void encode_note(struct strbuf *out, const char *note)
{
	PUT(out, NOTE, note, text_of(note));
}

void encode_frame(struct strbuf *out, uint32_t id, const struct frame *f)
{
	Lagprof__Frame m = LAGPROF__FRAME__INIT;

	m.id = id;
	SET(&m, kind, (Lagprof__FrameKind)f->kind);
	SET_TEXT(&m, function, f->function);
	SET_TEXT(&m, module, f->module);
	SET_TEXT(&m, build_id, f->build_id);
	SET_TEXT(&m, file, f->file);
	SET(&m, line, f->line);
	SET(&m, column, f->column);
	SET(&m, define_line, f->define_line);
	SET(&m, address, f->address);
	SET(&m, inlined, f->inlined);
	SET(&m, guessed, f->guessed);
	PUT(out, FRAME, frame, &m);
}

void encode_stack(struct strbuf *out, uint32_t id, const struct stack *k,
		  const struct stack_form *form)
{
	Lagprof__Stack m = LAGPROF__STACK__INIT;
	uint32_t n = k->n - form->common;

	m.id = id;
	SET(&m, end, (Lagprof__StackEnd)k->end);
	m.n_frames = n < RECORD_STACK_MAX ? n : RECORD_STACK_MAX;
	m.frames = (uint32_t *)k->frames;
	SET(&m, replaced, form->replaced);
	m.has_tail_of = form->based;
	m.tail_of = form->base;
	SET(&m, tail_from, form->from);
	PUT(out, STACK, stack, &m);
}

void encode_replacement(struct strbuf *out, const struct frame_replacement *r)
{
	Lagprof__Replacement m = LAGPROF__REPLACEMENT__INIT;

	m.frame = r->id;
	m.n_with = r->n;
	m.with = (uint32_t *)r->with;
	PUT(out, REPLACEMENT, replacement, &m);
}

void encode_stall(struct strbuf *out, const struct stall *s)
{
	Lagprof__Stall m = LAGPROF__STALL__INIT;

	m.id = s->id;
	SET(&m, loop, s->loop);
	SET(&m, start, s->start);
	SET(&m, duration, s->duration);
	SET(&m, running, s->running);
	SET(&m, runnable, s->runnable);
	SET(&m, blocked, s->blocked);
	SET(&m, stopped, s->stopped);
	SET(&m, throttled, s->throttled);
	SET(&m, page_fault, s->page_fault);
	SET(&m, held_up, s->held_up);
	SET(&m, samples, s->samples);
	SET(&m, phase, (Lagprof__Phase)s->phase);
	SET(&m, open, s->open);
	SET(&m, cut, s->cut);
	SET_TEXT(&m, request, s->request);
	SET_TEXT(&m, peer, s->peer);
	SET(&m, confidence, s->confidence);
	PUT(out, STALL, stall, &m);
}

static void add_argument(struct sample_rows *rows, const struct argument *a, const struct stack *k)
{
	Lagprof__Argument *m;

	if (a->frame >= k->n)
		return;
	ARRAY_GROW(rows->arguments, rows->n_arguments, rows->cap_arguments);
	m = &rows->arguments[rows->n_arguments++];
	lagprof__argument__init(m);
	SET(m, row, (uint32_t)rows->n);
	SET(m, key, (Lagprof__ArgumentKey)a->key);
	SET(m, number, a->number);
	SET_TEXT(m, text, a->text);
	SET(m, frame, k->frames[a->frame]);
	for (uint32_t i = 0; i < a->frame; i++)
		m->skip += k->frames[i] == k->frames[a->frame];
	m->has_skip = m->skip != 0;
}

void sample_rows_add(struct sample_rows *rows, const struct sample *s, const struct stack *k)
{
	size_t i = rows->n;

	for (size_t j = 0; j < s->n_arguments; j++)
		add_argument(rows, &s->arguments[j], k);
	rows->at[i] = (int64_t)(s->at - rows->last_at);
	rows->stall[i] = s->stall;
	rows->stack[i] = s->stack;
	rows->weight[i] = s->weight;
	rows->state[i] = s->state;
	rows->syscall[i] = s->syscall;
	rows->last_at = s->at;
	rows->n++;
}

void encode_samples(struct strbuf *out, struct sample_rows *rows)
{
	Lagprof__Samples m = LAGPROF__SAMPLES__INIT;
	Lagprof__Argument **arguments;

	if (rows->n == 0)
		return;
	arguments = xcalloc(rows->n_arguments + 1, sizeof(*arguments));
	for (size_t i = 0; i < rows->n_arguments; i++)
		arguments[i] = &rows->arguments[i];
	m.n_stall = m.n_stack = m.n_at = rows->n;
	m.n_weight = m.n_state = m.n_syscall = rows->n;
	m.stall = rows->stall;
	m.stack = rows->stack;
	m.at = rows->at;
	m.weight = rows->weight;
	m.state = rows->state;
	m.syscall = rows->syscall;
	m.n_arguments = rows->n_arguments;
	m.arguments = arguments;
	PUT(out, SAMPLES, samples, &m);
	free(arguments);
	rows->n = rows->n_arguments = 0;
	rows->last_at = 0;
}
