/*
 * Diagnosing and rendering a recording of a hostile target: any names, any
 * numbers, stalls and samples that do not fit together.  Whatever comes in, the
 * JSON is JSON, the text has no control characters, and every stall has a
 * finding.
 */
#include "report/renderer.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/analyze.h"
#include "core/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t left;
};

static uint8_t take(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->data++;
}

/* Small numbers mostly, sometimes the extremes. */
static uint64_t take_number(struct input *in)
{
	uint8_t kind = take(in);

	if (kind >= 252)
		return (uint64_t[]){ UINT64_MAX, INT64_MAX, (uint64_t)INT64_MIN,
				     1ull << 42 }[kind & 3];
	return (uint64_t)kind * (take(in) & 1 ? 1000000 : 1);
}

/* Names that the tables know, or bytes of the input; NULL at times. */
static const char *take_text(struct input *in, struct recording *rec)
{
	static const char *const known[] = {
		"PKCS5_PBKDF2_HMAC",
		"pbkdf2Sync",
		"node:internal/crypto/pbkdf2",
		"/usr/bin/node",
		"JSON.parse",
		"v8::internal::Heap::Scavenge(int)",
		"/app/server.js",
		"login",
		"/app/node_modules/x/i.js",
		"keysCommand",
		"/usr/bin/redis-server",
		"qsort",
		"processTicksAndRejections",
		"node:internal/process/task_queues",
		"(regexp)",
		"/usr/lib/python3.11/re/__init__.py",
		"match",
		"futex_wait",
		"main",
		"",
	};
	enum { KNOWN = sizeof(known) / sizeof(known[0]) };
	char text[64];
	uint8_t kind = take(in);
	size_t n = 0;

	if (kind < KNOWN)
		return known[kind];
	if (kind == 255)
		return NULL;
	for (size_t len = kind % (sizeof(text) - 1); n < len && in->left; n++) {
		text[n] = (char)take(in);
		if (!text[n])
			break;
	}
	text[n] = '\0';
	return recording_intern(rec, text);
}

static void add_stack(struct input *in, struct recording *rec)
{
	uint32_t frames[16], n = take(in) % 17;

	for (uint32_t i = 0; i < n; i++) {
		struct frame f = {
			.kind = take(in) % 5,
			.function = take_text(in, rec),
			.module = take_text(in, rec),
			.file = take_text(in, rec),
			.line = (uint32_t)take_number(in),
			.define_line = (uint32_t)take_number(in),
		};

		frames[i] = recording_frame(rec, &f);
	}
	recording_stack(rec, frames, n, take(in) % STACK_ENDS);
}

static void add_stall(struct input *in, struct recording *rec)
{
	struct stall *s = recording_add_stall(rec);

	s->loop = take(in) % 2;
	s->start = take_number(in);
	s->duration = take_number(in);
	s->running = take_number(in);
	s->runnable = take_number(in);
	s->blocked = take_number(in);
	s->stopped = take_number(in);
	s->page_fault = take_number(in);
	s->samples = (uint32_t)take_number(in);
	s->phase = take(in) & 1;
	s->open = take(in) & 1;
	s->request = take_text(in, rec);
}

static void add_sample(struct input *in, struct recording *rec)
{
	struct argument args[3];
	struct sample s = {
		.stall = (uint32_t)take_number(in),
		.stack = (uint32_t)take_number(in),
		.at = take_number(in),
		.weight = take_number(in),
		.state = take(in) % 4,
		.syscall = (int16_t)(take(in) - 1),
		.n_arguments = take(in) % 4,
		.arguments = args,
	};

	for (uint16_t i = 0; i < s.n_arguments; i++)
		args[i] = (struct argument){
			.key = take(in) % ARG_KEYS,
			.number = (int64_t)take_number(in),
			.text = take_text(in, rec),
			.frame = take(in),
		};
	recording_add_sample(rec, &s);
}

static struct recording *make_recording(struct input *in)
{
	static const char *const runtimes[] = { NULL, "v8", "cpython" };
	static const char *argv[2];
	struct recording *rec = recording_new();
	struct loop *loop = recording_add_loop(rec);

	loop->name = take_text(in, rec);
	loop->turns = take_number(in);
	hist_add(&loop->lag, take_number(in));
	rec->session.threshold = take_number(in);
	rec->session.duration = take_number(in);
	rec->target.runtime = runtimes[take(in) % 3];
	argv[0] = "node";
	argv[1] = take_text(in, rec);
	rec->target.argv = argv;
	rec->target.argc = argv[1] ? 2 : 1;
	while (in->left) {
		switch (take(in) % 4) {
		case 0:
			add_stack(in, rec);
			break;
		case 1:
			add_stall(in, rec);
			break;
		default:
			add_sample(in, rec);
			break;
		}
	}
	return rec;
}

static void check_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)text[i] < 0x20 && text[i] != '\n') || text[i] == 0x7f)
			abort();
}

static void check_json(const char *text, size_t len)
{
	json_error_t error;
	json_t *root = json_loadb(text, len, 0, &error);

	if (!root)
		abort();
	json_decref(root);
}

static void check_renderers(const struct report *report)
{
	for (size_t i = 0; renderers[i]; i++) {
		struct error err;
		char *text = NULL;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);

		if (renderers[i]->render(report, out, &err) < 0)
			abort();
		fclose(out);
		if (renderers[i] == &renderer_text || renderers[i] == &renderer_folded)
			check_text(text, len);
		if (renderers[i] == &renderer_json)
			check_json(text, len);
		free(text);
	}
}

static void check_diagnosis(const struct recording *rec, const struct diagnosis *d)
{
	uint32_t stalls = 0;

	for (size_t i = 0; i < d->n_findings; i++)
		stalls += d->findings[i].stalls;
	if (stalls != rec->n_stalls)
		abort();
	for (size_t i = 0; i < d->n_stalls; i++)
		if (d->stalls[i].finding >= d->n_findings ||
		    d->findings[d->stalls[i].finding].cause != d->stalls[i].cause)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct recording *rec = make_recording(&in);
	struct report report = { .rec = rec, .width = 80, .verbose = size & 1 };
	struct diagnosis *d;

	if (size & 4)
		recording_redact(rec);
	report.diagnosis = d = diagnose(rec);
	check_diagnosis(rec, d);
	check_renderers(&report);
	if (rec->n_stalls) {
		const struct stall *last = &rec->stalls[rec->n_stalls - 1];
		struct arena arena = { 0 };
		struct strbuf line = { 0 };
		const char *title;
		struct stall_diagnosis live = diagnose_stall(rec, last, &title, &arena);

		stall_line(&line, rec, last, &live, title, size & 2);
		check_text(line.s, line.len);
		strbuf_destroy(&line);
		arena_free(&arena);
	}
	diagnosis_free(d);
	recording_free(rec);
	return 0;
}
