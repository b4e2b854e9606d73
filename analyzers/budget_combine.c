#include "analyzers/budget.h"

#include <stdlib.h>
#include <string.h>

/* What a recording says about a budget, from good to bad. */
enum outcome { OUTCOME_OK, OUTCOME_UNSURE, OUTCOME_OVER };

static int by_badness(const void *a, const void *b)
{
	return (int)*(const enum outcome *)a - (int)*(const enum outcome *)b;
}

static enum outcome outcome_of(const struct budget_report *r, size_t rule)
{
	if (r->rules[rule].unsure)
		return OUTCOME_UNSURE;
	return r->rules[rule].ok ? OUTCOME_OK : OUTCOME_OVER;
}

/* A limit that holds for the median holds for half of all that was measured. */
static enum outcome decide(enum outcome *outcomes, size_t n, enum budget_aggregate aggregate)
{
	qsort(outcomes, n, sizeof(*outcomes), by_badness);
	return outcomes[aggregate == AGGREGATE_MEDIAN ? n / 2 : n - 1];
}

/* "61 ms, 48 ms, 52 ms" */
static const char *list_values(const struct budget_report *const *reports, size_t n, size_t rule,
			       struct arena *arena)
{
	struct strbuf b = { 0 };
	const char *copy;

	for (size_t i = 0; i < n; i++) {
		const char *value = reports[i]->rules[rule].value;

		strbuf_printf(&b, "%s%s", i ? ", " : "", value ? value : "nothing");
	}
	copy = arena_strdup(arena, b.s);
	strbuf_destroy(&b);
	return copy;
}

static const char *first_reason(const struct budget_report *const *reports, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (reports[i]->reason)
			return reports[i]->reason;
	return NULL;
}

static void worsen(struct budget_report *r, const struct budget_result *rule, enum outcome outcome)
{
	if (strcmp(rule->level, "warn") == 0 || outcome == OUTCOME_OK || r->verdict == VERDICT_FAIL)
		return;
	r->verdict = outcome == OUTCOME_OVER ? VERDICT_FAIL : VERDICT_INCONCLUSIVE;
}

struct budget_report *budget_combine(const struct budget_report *const *reports, size_t n,
				     enum budget_aggregate aggregate, struct arena *arena)
{
	struct budget_report *r = arena_alloc(arena, sizeof(*r));
	enum outcome *outcomes = xcalloc(n, sizeof(*outcomes));

	r->n_rules = reports[0]->n_rules;
	r->rules = arena_alloc(arena, (r->n_rules + 1) * sizeof(*r->rules));
	r->verdict = VERDICT_PASS;
	for (size_t i = 0; i < r->n_rules; i++) {
		struct budget_result *rule = &r->rules[i];
		enum outcome outcome;

		for (size_t k = 0; k < n; k++)
			outcomes[k] = outcome_of(reports[k], i);
		outcome = decide(outcomes, n, aggregate);
		*rule = (struct budget_result){ .expr = reports[0]->rules[i].expr,
						.level = reports[0]->rules[i].level,
						.value = list_values(reports, n, i, arena),
						.ok = outcome == OUTCOME_OK,
						.unsure = outcome == OUTCOME_UNSURE };
		worsen(r, rule, outcome);
	}
	if (r->verdict == VERDICT_INCONCLUSIVE)
		r->reason = first_reason(reports, n);
	free(outcomes);
	return r;
}
