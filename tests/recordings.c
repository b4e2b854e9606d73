#include "tests/recordings.h"

#include <stdio.h>
#include <string.h>

#define SERVING_SINCE 120000000ull /* ns: three of its stalls are of the startup */

uint32_t recordings_frame(struct recording *rec, uint32_t i)
{
	char function[32], file[32];

	snprintf(function, sizeof(function), "function%u", i);
	snprintf(file, sizeof(file), "/srv/app/%u.js", i % 3);
	return recording_frame(rec, &(struct frame){ .kind = (enum frame_kind)(i % 5),
						     .function = i % 7 == 6 ? NULL : function,
						     .module = i % 2 ? "/usr/bin/node" : NULL,
						     .build_id = i % 2 ? "c0ffee" : NULL,
						     .file = i % 3 ? file : NULL,
						     .line = i * 3,
						     .column = i % 4,
						     .define_line = i * 2,
						     .address = i % 2 ? 0xffffffff81000000 + i : 0,
						     .inlined = i % 4 == 1,
						     .guessed = i % 5 == 2 });
}

static uint32_t recordings_stack(struct recording *rec, uint32_t i)
{
	uint32_t frames[24], n = 4 + i % 20;

	for (uint32_t j = 0; j < n; j++)
		frames[j] = recordings_frame(rec, (i * (j + 1)) % 40);
	frames[3] = frames[0]; /* recursion */
	/* Callers that others have, too. */
	for (uint32_t j = n < 9 ? n : n - 5; j < n; j++)
		frames[j] = recordings_frame(rec, 40 + i % 3 * 5 + n - j);
	return recording_stack(rec, frames, n, (enum stack_end)(i % STACK_ENDS));
}

void recordings_add_samples(struct recording *rec, struct stall *stall, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct argument arguments[] = {
			{ .key = ARG_ITERATIONS, .number = -60000 - (int64_t)i, .frame = 1 },
			{ .key = ARG_DIGEST, .text = i % 2 ? "sha512" : "", .frame = 3 },
			{ .key = (enum argument_key)(i % ARG_KEYS),
			  .number = INT64_MIN,
			  .text = "\xff\x01 not UTF-8",
			  .frame = 0 },
		};

		recording_add_sample(
			rec, &(struct sample){ .stall = stall->id,
					       .stack = recordings_stack(rec, stall->id * 3 + i),
					       .at = stall->start + i * 1000003,
					       .weight = 1000000 + i,
					       .state = (enum sample_state)(i % 4),
					       .syscall = (int16_t)(i % 3 ? -1 : (int)i),
					       .n_arguments = (uint16_t)(i % 4),
					       .arguments = arguments });
		stall->samples++;
	}
}

struct stall *recordings_add_stall(struct recording *rec, uint32_t samples)
{
	struct stall *s = recording_add_stall(rec);
	uint32_t i = s->id;

	s->loop = i % 2;
	s->start = 50000000ull * i;
	s->duration = 20000000 + i;
	s->running = 10000000;
	s->runnable = 5000000;
	s->blocked = 4000000 + i;
	s->stopped = 1000000;
	s->throttled = i % 2 ? 3000000 : 0;
	s->page_fault = i % 3 ? 2000000 : 0;
	s->held_up = i % 3 ? 0 : 1000000;
	s->phase = s->start < SERVING_SINCE ? PHASE_STARTUP : PHASE_SERVING;
	s->cut = i == 0;
	s->request = i % 3 ? recording_intern(rec, i % 2 ? "GET /login" : "") : NULL;
	s->confidence = s->request ? 0.75 : 0;
	recordings_add_samples(rec, s, samples);
	return s;
}

static void recordings_add_loop(struct recording *rec, int32_t tid)
{
	struct loop *loop = recording_add_loop(rec);

	loop->pid = 4242;
	loop->tid = tid;
	loop->name = recording_intern(rec, tid == 4242 ? "node" : "worker \x1b[31m");
	loop->kind = tid == 4242 ? LOOP_LIBUV : LOOP_ASYNCIO;
	loop->lost = 3;
	loop->polled = 1ull << 41;
	for (uint64_t i = 0; i < 300; i++) {
		hist_add(&loop->lag, i * i * i * (uint64_t)tid);
		loop->busy += i * i * i * (uint64_t)tid;
		loop->turns++;
	}
	hist_add(&loop->lag, UINT64_MAX / 2);
}

struct recording *recordings_rich(uint32_t stalls, uint32_t samples)
{
	struct recording *rec = recording_new();
	static const char *const argv[] = { "node", "", "--title=\xc3\xa9\xff", "server.js" };

	rec->session = (struct session){
		.start_unix_ns = -5,
		.duration = 61000000000,
		.threshold = 20000000,
		.sample_hz = 997,
		.end = END_TARGET_EXITED,
		.exit_status = 0x0700,
		.serving_since = SERVING_SINCE,
		.lost_samples = 12,
		.lost_turns = 13,
		.probe = recording_intern(rec, "exact"),
		.unwinder = recording_intern(rec, "native"),
		.error_bound = 1500,
		.intrinsic_latency = 70000,
		.own_cpu = 123456789,
		.target_cpu = 23456789,
		.steps = 3,
		.resolved = true,
	};
	rec->target = (struct target_info){
		.pid = 4242,
		.argc = 4,
		.exe = recording_intern(rec, "/usr/bin/node"),
		.cwd = recording_intern(rec, "/srv/app"),
		.runtime = recording_intern(rec, "v8"),
		.runtime_version = recording_intern(rec, "12.4"),
		.threads = 11,
	};
	rec->target.argv = arena_alloc(&rec->arena, sizeof(argv));
	for (size_t i = 0; i < 4; i++)
		rec->target.argv[i] = recording_intern(rec, argv[i]);
	rec->threadpool = (struct threadpool){ .known = true,
					       .pid = 4242,
					       .size = 4,
					       .observed = 9,
					       .busy = 8,
					       .saturated = 7,
					       .saturated_idle = 3,
					       .resolution = 5 };
	hist_init(&rec->threadpool.queue_wait);
	hist_add(&rec->threadpool.queue_wait, 31);
	rec->host = (struct host){
		.model = recording_intern(rec, "Model 7 @ 2 GHz"),
		.cpus = 2,
		.quota = 1500,
		.cpu = 90,
		.idle = 50,
		.steal = 3,
		.throttled = 4,
		.neighbours = { { 17, recording_intern(rec, "cc1"), 80 },
				{ 0, recording_intern(rec, "swapper"), 70 } },
		.n_neighbours = 2,
	};
	recordings_add_loop(rec, 4242);
	recordings_add_loop(rec, 4250);
	recording_note(rec, "first note");
	recording_note(rec, "second \xff note");
	for (uint32_t i = 0; i < stalls; i++)
		recordings_add_stall(rec, samples);
	return rec;
}

bool recordings_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool recordings_same_frame(const struct frame *a, const struct frame *b)
{
	return a->kind == b->kind && recordings_same_text(a->function, b->function) &&
	       recordings_same_text(a->module, b->module) &&
	       recordings_same_text(a->build_id, b->build_id) &&
	       recordings_same_text(a->file, b->file) && a->line == b->line &&
	       a->column == b->column && a->define_line == b->define_line &&
	       a->address == b->address && a->inlined == b->inlined && a->guessed == b->guessed;
}

bool recordings_same_sample(const struct recording *ra, const struct sample *a,
			    const struct recording *rb, const struct sample *b)
{
	const struct stack *x = recording_get_stack(ra, a->stack);
	const struct stack *y = recording_get_stack(rb, b->stack);

	if (a->stall != b->stall || a->at != b->at || a->weight != b->weight ||
	    a->state != b->state || a->syscall != b->syscall || a->n_arguments != b->n_arguments ||
	    x->n != y->n || x->end != y->end)
		return false;
	for (uint32_t i = 0; i < x->n; i++)
		if (!recordings_same_frame(recording_get_frame(ra, x->frames[i]),
					   recording_get_frame(rb, y->frames[i])))
			return false;
	for (size_t i = 0; i < a->n_arguments; i++)
		if (a->arguments[i].key != b->arguments[i].key ||
		    a->arguments[i].number != b->arguments[i].number ||
		    a->arguments[i].frame != b->arguments[i].frame ||
		    !recordings_same_text(a->arguments[i].text, b->arguments[i].text))
			return false;
	return true;
}

static bool recordings_same_stall(const struct stall *a, const struct stall *b)
{
	return a->id == b->id && a->loop == b->loop && a->start == b->start &&
	       a->duration == b->duration && a->running == b->running &&
	       a->runnable == b->runnable && a->blocked == b->blocked && a->stopped == b->stopped &&
	       a->throttled == b->throttled && a->page_fault == b->page_fault &&
	       a->held_up == b->held_up && a->samples == b->samples && a->phase == b->phase &&
	       a->open == b->open && a->cut == b->cut &&
	       recordings_same_text(a->request, b->request) && !(a->confidence < b->confidence) &&
	       !(a->confidence > b->confidence);
}

static bool recordings_same_session(const struct session *a, const struct session *b)
{
	return a->start_unix_ns == b->start_unix_ns && a->duration == b->duration &&
	       a->threshold == b->threshold && a->sample_hz == b->sample_hz && a->end == b->end &&
	       a->exit_status == b->exit_status && a->serving_since == b->serving_since &&
	       a->lost_samples == b->lost_samples && a->lost_turns == b->lost_turns &&
	       recordings_same_text(a->probe, b->probe) &&
	       recordings_same_text(a->unwinder, b->unwinder) && a->error_bound == b->error_bound &&
	       a->intrinsic_latency == b->intrinsic_latency && a->own_cpu == b->own_cpu &&
	       a->target_cpu == b->target_cpu && a->steps == b->steps && a->resolved == b->resolved;
}

static bool recordings_same_target(const struct target_info *a, const struct target_info *b)
{
	if (a->pid != b->pid || a->argc != b->argc || a->threads != b->threads ||
	    !recordings_same_text(a->exe, b->exe) || !recordings_same_text(a->cwd, b->cwd) ||
	    !recordings_same_text(a->runtime, b->runtime) ||
	    !recordings_same_text(a->runtime_version, b->runtime_version))
		return false;
	for (uint32_t i = 0; i < a->argc; i++)
		if (!recordings_same_text(a->argv[i], b->argv[i]))
			return false;
	return true;
}

static bool recordings_same_loop(const struct loop *a, const struct loop *b)
{
	return a->pid == b->pid && a->tid == b->tid && recordings_same_text(a->name, b->name) &&
	       a->kind == b->kind && a->turns == b->turns && a->lost == b->lost &&
	       a->busy == b->busy && a->polled == b->polled &&
	       memcmp(&a->lag, &b->lag, sizeof(a->lag)) == 0;
}

static bool recordings_same_threadpool(const struct threadpool *a, const struct threadpool *b)
{
	return a->known == b->known && a->pid == b->pid && a->size == b->size &&
	       a->observed == b->observed && a->busy == b->busy && a->saturated == b->saturated &&
	       a->saturated_idle == b->saturated_idle && a->resolution == b->resolution &&
	       memcmp(&a->queue_wait, &b->queue_wait, sizeof(a->queue_wait)) == 0;
}

static bool recordings_same_host(const struct host *a, const struct host *b)
{
	for (uint32_t i = 0; i < a->n_neighbours && i < b->n_neighbours; i++)
		if (a->neighbours[i].pid != b->neighbours[i].pid ||
		    a->neighbours[i].time != b->neighbours[i].time ||
		    !recordings_same_text(a->neighbours[i].name, b->neighbours[i].name))
			return false;
	return recordings_same_text(a->model, b->model) && a->cpus == b->cpus &&
	       a->quota == b->quota && a->cpu == b->cpu && a->idle == b->idle &&
	       a->steal == b->steal && a->throttled == b->throttled &&
	       a->n_neighbours == b->n_neighbours;
}

/* NULL, or what differs first between two recordings; ids of frames and stacks may. */
const char *recordings_difference(const struct recording *a, const struct recording *b)
{
	if (!recordings_same_session(&a->session, &b->session))
		return "session";
	if (!recordings_same_target(&a->target, &b->target))
		return "target";
	if (!recordings_same_threadpool(&a->threadpool, &b->threadpool))
		return "threadpool";
	if (!recordings_same_host(&a->host, &b->host))
		return "host";
	if (a->n_loops != b->n_loops || a->n_stalls != b->n_stalls ||
	    a->n_samples != b->n_samples || a->n_notes != b->n_notes)
		return "counts";
	for (size_t i = 0; i < a->n_loops; i++)
		if (!recordings_same_loop(a->loops[i], b->loops[i]))
			return "loops";
	for (size_t i = 0; i < a->n_stalls; i++)
		if (!recordings_same_stall(&a->stalls[i], &b->stalls[i]))
			return "stalls";
	for (size_t i = 0; i < a->n_samples; i++)
		if (!recordings_same_sample(a, &a->samples[i], b, &b->samples[i]))
			return "samples";
	for (size_t i = 0; i < a->n_notes; i++)
		if (!recordings_same_text(a->notes[i], b->notes[i]))
			return "notes";
	return NULL;
}
