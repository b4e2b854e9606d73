#include "core/recording.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A target that makes every note different must not fill the report. */
enum { NOTES_MAX = 200 };

struct recording *recording_new(void)
{
	struct recording *rec = xcalloc(1, sizeof(*rec));

	rec->session.exit_status = -1;
	rec->session.serving_since = UINT64_MAX;
	hist_init(&rec->threadpool.queue_wait);
	return rec;
}

void recording_free(struct recording *rec)
{
	if (!rec)
		return;
	strings_destroy(&rec->strings);
	free(rec->stacks.frames);
	free(rec->stacks.stacks);
	free(rec->stacks.frame_slots);
	free(rec->stacks.stack_slots);
	free(rec->stacks.replaced);
	free(rec->loops);
	free(rec->stalls);
	free(rec->samples);
	free(rec->notes);
	arena_free(&rec->arena);
	free(rec);
}

const char *recording_intern(struct recording *rec, const char *s)
{
	return strings_intern(&rec->strings, &rec->arena, s);
}

struct loop *recording_add_loop(struct recording *rec)
{
	struct loop *loop = arena_alloc(&rec->arena, sizeof(*loop));

	hist_init(&loop->lag);
	ARRAY_GROW(rec->loops, rec->n_loops, rec->cap_loops);
	rec->loops[rec->n_loops++] = loop;
	return loop;
}

struct stall *recording_add_stall(struct recording *rec)
{
	struct stall *stall;

	ARRAY_GROW(rec->stalls, rec->n_stalls, rec->cap_stalls);
	stall = &rec->stalls[rec->n_stalls];
	*stall = (struct stall){.id = (uint32_t)rec->n_stalls};
	rec->n_stalls++;
	return stall;
}

void recording_add_sample(struct recording *rec, const struct sample *s)
{
	struct argument *args = NULL;

	if (s->n_arguments) {
		args = arena_alloc(&rec->arena, s->n_arguments * sizeof(*args));
		for (size_t i = 0; i < s->n_arguments; i++) {
			args[i] = s->arguments[i];
			args[i].text = recording_intern(rec, args[i].text);
		}
	}
	ARRAY_GROW(rec->samples, rec->n_samples, rec->cap_samples);
	rec->samples[rec->n_samples] = *s;
	rec->samples[rec->n_samples++].arguments = args;
}

void recording_note(struct recording *rec, const char *fmt, ...)
{
	const char *note;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (rec->n_notes >= NOTES_MAX)
		return;
	if (rec->n_notes == NOTES_MAX - 1)
		strcpy(text, "further notes were left out");
	note = recording_intern(rec, text);
	for (size_t i = 0; i < rec->n_notes; i++)
		if (rec->notes[i] == note)
			return;
	ARRAY_GROW(rec->notes, rec->n_notes, rec->cap_notes);
	rec->notes[rec->n_notes++] = note;
}

const struct argument *sample_argument(const struct sample *s, enum argument_key key)
{
	const struct argument *found = NULL;

	for (size_t i = 0; i < s->n_arguments; i++) {
		const struct argument *a = &s->arguments[i];

		if (a->key == key && (!found || a->frame < found->frame))
			found = a;
	}
	return found;
}
