#ifndef LAGPROF_TESTS_BUILDER_H
#define LAGPROF_TESTS_BUILDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/recording.h"

/*
 * Recordings written down in a test.  A stack is a text, leaf first, a frame a
 * line: kind (k n j p x for kernel, native, js, python, jit), function, " @",
 * module or file, and for js and python ":line" and perhaps "/define line":
 *
 *	"n PKCS5_PBKDF2_HMAC @/usr/bin/node\n"
 *	"j pbkdf2Sync @node:internal/crypto/pbkdf2:89\n"
 *	"j login @/app/server.js:33/30"
 *
 * A function "-" is unknown, as is a place that is left out.
 */
enum { MS = 1000000 };

static inline uint32_t build_frame(struct recording *rec, const char *text)
{
	char line[512], *at, *colon;
	struct frame f = { 0 };

	snprintf(line, sizeof(line), "%s", text);
	f.kind = (enum frame_kind)(strchr("knjpx", line[0]) - "knjpx");
	at = strstr(line, " @");
	if (at)
		*at = '\0';
	if (at && f.kind == FRAME_NATIVE) {
		f.module = at + 2;
	} else if (at) {
		colon = strrchr(at + 2, ':');
		if (colon && sscanf(colon, ":%u/%u", &f.line, &f.define_line) >= 1)
			*colon = '\0';
		f.file = at[2] ? at + 2 : NULL;
	}
	if (strcmp(line + 2, "-") != 0)
		f.function = line + 2;
	return recording_frame(rec, &f);
}

static inline uint32_t build_stack_end(struct recording *rec, const char *text, enum stack_end end)
{
	char *copy = xstrdup(text), *save = NULL;
	uint32_t frames[64], n = 0, id;

	for (char *line = strtok_r(copy, "\n", &save); line && n < 64;
	     line = strtok_r(NULL, "\n", &save))
		frames[n++] = build_frame(rec, line);
	id = recording_stack(rec, frames, n, end);
	free(copy);
	return id;
}

static inline uint32_t build_stack(struct recording *rec, const char *text)
{
	return build_stack_end(rec, text, STACK_COMPLETE);
}

/* A recording of 10 s with one loop and a threshold of 20 ms; runtime NULL: a native target. */
static inline struct recording *build_recording(const char *runtime)
{
	struct recording *rec = recording_new();
	struct loop *loop = recording_add_loop(rec);

	rec->session.duration = 10000ull * MS;
	rec->session.threshold = 20 * MS;
	rec->session.probe = "exact";
	rec->session.unwinder = "native";
	rec->session.serving_since = 0;
	rec->target.pid = 4242;
	rec->target.runtime = recording_intern(rec, runtime);
	loop->tid = loop->pid = 4242;
	loop->name = "node";
	return rec;
}

/* A serving stall that ran all of its time, until told otherwise. */
static inline struct stall *build_stall(struct recording *rec, nsec start_ms, nsec ms)
{
	struct stall *s = recording_add_stall(rec);

	s->start = start_ms * MS;
	s->duration = s->running = ms * MS;
	s->phase = PHASE_SERVING;
	return s;
}

/* A sample of the last stall, with the arguments given. */
static inline void build_sample_full(struct recording *rec, const char *stack, nsec ms,
				     enum sample_state state, int syscall,
				     const struct argument *args, uint16_t n_args)
{
	struct stall *stall = &rec->stalls[rec->n_stalls - 1];
	struct sample s = {
		.stall = stall->id,
		.stack = build_stack(rec, stack),
		.at = stall->start + stall->samples * (nsec)MS,
		.weight = ms * MS,
		.state = state,
		.syscall = (int16_t)syscall,
		.arguments = args,
		.n_arguments = n_args,
	};

	recording_add_sample(rec, &s);
	stall->samples++;
}

static inline void build_sample(struct recording *rec, const char *stack, nsec ms)
{
	build_sample_full(rec, stack, ms, SAMPLE_RUNNING, -1, NULL, 0);
}

/* The last stall slept all of its time in that system call. */
static inline void build_blocked(struct recording *rec, const char *stack, nsec ms, int syscall)
{
	struct stall *stall = &rec->stalls[rec->n_stalls - 1];

	build_sample_full(rec, stack, ms, SAMPLE_BLOCKED, syscall, NULL, 0);
	stall->blocked = stall->duration;
	stall->running = 0;
}

#endif
