#include "core/recording.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/thin.h"

/* A target that makes every note different must not fill the report. */
enum { NOTES_MAX = 200 };
/* With the symbols of node beside it lagprof stays near 32 MB. */
enum { MEMORY_MAX = 8 << 20 };
/* Different stacks of calls that block. */
enum { CALLS_MAX = 2000 };
/* Maps of scripts on the stacks of stalls: some are as large as their scripts. */
enum { SCRIPTS_MAX = 2000, SCRIPT_MAPS = 256, SCRIPT_MAP_BYTES = 16 << 20 };

struct recording *recording_new(void)
{
	struct recording *rec = xcalloc(1, sizeof(*rec));

	rec->session.exit_status = -1;
	rec->session.serving_since = UINT64_MAX;
	rec->memory_max = MEMORY_MAX;
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
	free(rec->processes);
	free(rec->loops);
	free(rec->stalls);
	free(rec->samples);
	free(rec->calls);
	for (size_t i = 0; i < rec->n_maps; i++)
		free(rec->maps[i].url);
	free(rec->maps);
	free(rec->scripts);
	free(rec->notes);
	arena_free(&rec->arena);
	free(rec);
}

const char *recording_intern(struct recording *rec, const char *s)
{
	/* Names without end would get past every other limit. */
	if (s && rec->memory_max && rec->arena.bytes > 2 * rec->memory_max) {
		const char *found = strings_find(&rec->strings, s);

		return found ? found : strings_intern(&rec->strings, &rec->arena, "[left out]");
	}
	return strings_intern(&rec->strings, &rec->arena, s);
}

struct target_info *recording_add_process(struct recording *rec)
{
	struct target_info *process = arena_alloc(&rec->arena, sizeof(*process));

	*process = (struct target_info){ 0 };
	ARRAY_GROW(rec->processes, rec->n_processes, rec->cap_processes);
	rec->processes[rec->n_processes++] = process;
	return process;
}

const struct target_info *recording_process(const struct recording *rec, int32_t pid)
{
	if (rec->target.pid == pid)
		return &rec->target;
	for (size_t i = 0; i < rec->n_processes; i++)
		if (rec->processes[i]->pid == pid)
			return rec->processes[i];
	return NULL;
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
	*stall = (struct stall){ .id = (uint32_t)rec->n_stalls };
	rec->n_stalls++;
	return stall;
}

const char *recording_script_map(struct recording *rec, const char *file, char *url)
{
	size_t len = strlen(file), bytes = strlen(url), nth = 1;
	struct strbuf name = { 0 };
	const char *script;

	for (size_t i = 0; i < rec->n_maps; i++) {
		const struct script_map *map = &rec->maps[i];

		if (map->file_len != len || strncmp(map->script, file, len) != 0)
			continue;
		nth++;
		if (strcmp(map->url, url) == 0) {
			free(url);
			return map->script;
		}
	}
	strbuf_printf(&name, nth > 1 ? "%s (generated %zu)" : "%s (generated)", file, nth);
	script = recording_intern(rec, name.s);
	strbuf_destroy(&name);
	if (!rec->maps)
		rec->maps = xcalloc(SCRIPT_MAPS, sizeof(*rec->maps));
	if (rec->n_maps == SCRIPT_MAPS || rec->map_bytes + bytes > SCRIPT_MAP_BYTES) {
		free(url);
		return script;
	}
	rec->map_bytes += bytes;
	rec->maps[rec->n_maps++] = (struct script_map){ script, url, len };
	return script;
}

void recording_script_lines(struct recording *rec, const char *file, const uint32_t *ends, size_t n)
{
	struct script_lines *s = NULL;

	for (size_t i = 0; i < rec->n_scripts && !s; i++) {
		if (rec->scripts[i].file == file)
			s = &rec->scripts[i];
	}
	if (!s && rec->n_scripts == SCRIPTS_MAX)
		return;
	if (!s) {
		ARRAY_GROW(rec->scripts, rec->n_scripts, rec->cap_scripts);
		s = &rec->scripts[rec->n_scripts++];
	}
	*s = (struct script_lines){ .file = file, .n = (uint32_t)n };
	memcpy(s->first, ends, (n < SCRIPT_LINES ? n : SCRIPT_LINES) * sizeof(*ends));
}

static bool same_arguments(const struct sample *a, const struct sample *b)
{
	if (a->n_arguments != b->n_arguments)
		return false;
	for (size_t i = 0; i < a->n_arguments; i++) {
		const struct argument *x = &a->arguments[i], *y = &b->arguments[i];

		if (x->key != y->key || x->number != y->number || x->frame != y->frame ||
		    !x->text != !y->text || (x->text && strcmp(x->text, y->text) != 0))
			return false;
	}
	return true;
}

static const struct argument *copy_arguments(struct recording *rec, const struct sample *s)
{
	const struct sample *before = rec->n_samples ? &rec->samples[rec->n_samples - 1] : NULL;
	struct argument *args;

	/* The samples of a stall mostly see the same call. */
	if (before && same_arguments(before, s))
		return before->arguments;
	args = arena_alloc(&rec->arena, s->n_arguments * sizeof(*args));
	for (size_t i = 0; i < s->n_arguments; i++) {
		args[i] = s->arguments[i];
		args[i].text = recording_intern(rec, args[i].text);
	}
	return args;
}

void recording_add_sample(struct recording *rec, const struct sample *s)
{
	struct sample copy = *s;

	/* They may be different each time. */
	if (rec->memory_max && rec->arena.bytes > rec->memory_max)
		copy.n_arguments = 0;
	copy.arguments = copy.n_arguments ? copy_arguments(rec, s) : NULL;
	recording_thin(rec, s->at);
	ARRAY_GROW(rec->samples, rec->n_samples, rec->cap_samples);
	rec->samples[rec->n_samples++] = copy;
}

void recording_add_call(struct recording *rec, const struct strict_call *c)
{
	/* The last one is the likeliest to come again. */
	for (size_t i = rec->n_calls; i-- > 0;) {
		struct strict_call *known = &rec->calls[i];

		if (known->stack == c->stack && known->syscall == c->syscall &&
		    known->loop == c->loop) {
			known->count += c->count;
			return;
		}
	}
	if (rec->n_calls >= CALLS_MAX) {
		rec->session.strict_missed += c->count;
		return;
	}
	ARRAY_GROW(rec->calls, rec->n_calls, rec->cap_calls);
	rec->calls[rec->n_calls] = *c;
	rec->calls[rec->n_calls++].text = recording_intern(rec, c->text);
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
