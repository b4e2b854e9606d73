#include "cli/scanning.h"

#include <stdlib.h>
#include <string.h>

/* What a thread found in a file. */
struct outcome {
	struct scan_uses uses;
	const char *why; /* it was not read, or not to its end; NULL: it was */
};

/* Files at work. */
struct reading {
	struct scanning *s;
	struct outcome *outcomes; /* one for each file */
};

/* No source holds a NUL; what does is something else under its name, as git sees it too. */
static bool is_text(const char *text, size_t len)
{
	return !memchr(text, '\0', len < 8000 ? len : 8000);
}

static void read_source(void *context, size_t worker, size_t i)
{
	struct reading *r = context;
	struct outcome *outcome = &r->outcomes[i];
	const struct source_file *file = &r->s->sources.files[i];
	size_t len;
	char *text = source_read(file->path, &len, &outcome->why);

	if (!text)
		return;
	if (!is_text(text, len))
		outcome->why = "it is not text";
	else if (!scan_source(file->language, text, len, &r->s->arenas[worker], &outcome->uses))
		outcome->why = "it is nested too deeply";
	free(text);
}

static int compare_patterns(const struct regex_pattern *a, const struct regex_pattern *b)
{
	int order = (a->engine > b->engine) - (a->engine < b->engine);

	if (!order)
		order = (a->len > b->len) - (a->len < b->len);
	if (!order)
		order = memcmp(a->text, b->text, a->len);
	return order ? order : strcmp(a->flags, b->flags);
}

/* A use on its way to the result at the same place in the order of all. */
struct use {
	const struct regex_pattern *pattern;
	size_t result;
};

static int by_pattern(const void *a, const void *b)
{
	return compare_patterns(((const struct use *)a)->pattern, ((const struct use *)b)->pattern);
}

/* One for all uses of the same pattern. */
static void merge_patterns(struct scanning *s, struct use *uses)
{
	if (!s->n)
		return;
	qsort(uses, s->n, sizeof(*uses), by_pattern);
	s->judged = xcalloc(s->n, sizeof(*s->judged));
	for (size_t i = 0; i < s->n; i++) {
		if (i == 0 || compare_patterns(uses[i - 1].pattern, uses[i].pattern) != 0)
			s->judged[s->n_judged++].pattern = *uses[i].pattern;
		s->results[uses[i].result].judged = &s->judged[s->n_judged - 1];
	}
}

static void gather(struct scanning *s, struct outcome *outcomes)
{
	struct use *uses;
	size_t n = 0;

	for (size_t i = 0; i < s->sources.n; i++) {
		if (outcomes[i].why)
			sources_unread(&s->sources, s->sources.files[i].path, outcomes[i].why);
		else
			s->n_read++;
		s->n += outcomes[i].uses.n;
	}
	s->results = xcalloc(s->n + 1, sizeof(*s->results));
	uses = xcalloc(s->n + 1, sizeof(*uses));
	for (size_t i = 0; i < s->sources.n; i++) {
		for (size_t k = 0; k < outcomes[i].uses.n; k++, n++) {
			const struct scan_use *use = &outcomes[i].uses.v[k];

			s->results[n] = (struct scan_result){ s->sources.files[i].path, use->line,
							      use->column, NULL };
			uses[n] = (struct use){ &use->pattern, n };
		}
	}
	merge_patterns(s, uses);
	free(uses);
}

static void judge(void *context, size_t worker, size_t i)
{
	struct scanning *s = context;

	regex_analyze(&s->judged[i].pattern, &s->arenas[worker], &s->judged[i].verdict);
}

int scanning_run(struct scanning *s, char **operands, struct error *err)
{
	struct reading reading = { .s = s };
	int ret;

	*s = (struct scanning){ 0 };
	ret = sources_find(&s->sources, operands, err);
	if (ret < 0)
		return ret;
	reading.outcomes = xcalloc(s->sources.n + 1, sizeof(*reading.outcomes));
	parallel_run(s->sources.n, read_source, &reading);
	gather(s, reading.outcomes);
	parallel_run(s->n_judged, judge, s);
	for (size_t i = 0; i < s->n; i++)
		s->counts[s->results[i].judged->verdict.verdict]++;
	for (size_t i = 0; i < s->sources.n; i++)
		free(reading.outcomes[i].uses.v);
	free(reading.outcomes);
	return 0;
}

void scanning_free(struct scanning *s)
{
	for (size_t i = 0; i < PARALLEL_MAX; i++)
		arena_free(&s->arenas[i]);
	free(s->results);
	free(s->judged);
	sources_free(&s->sources);
}
