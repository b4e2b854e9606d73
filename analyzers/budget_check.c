#include "analyzers/budget_facts.h"

#include <stdlib.h>
#include <string.h>

#include "core/units.h"

static const char *show(const struct budget *b, double value, struct arena *arena)
{
	struct strbuf text = { 0 };
	const char *copy;

	switch (b->unit) {
	case UNIT_NS:
		strbuf_duration(&text, (uint64_t)value);
		break;
	case UNIT_COUNT:
		strbuf_printf(&text, "%.0f", value);
		break;
	case UNIT_RATIO:
		strbuf_printf(&text, "%.3g %%", value * 100);
		break;
	case UNIT_PER_MINUTE:
		strbuf_printf(&text, "%.3g/min", value);
		break;
	}
	copy = arena_strdup(arena, text.s);
	strbuf_destroy(&text);
	return copy;
}

/* Why nothing that holds may be believed; NULL if all may be. */
static const char *doubt(const struct budget_facts *f, uint64_t min_turns, struct arena *arena)
{
	const struct session *session = &f->rec->session;

	if (f->rec->n_loops == 0)
		return "no loop was observed";
	if (session->lost_turns)
		return arena_printf(arena, "the boundaries of %llu turns were lost",
				    (unsigned long long)session->lost_turns);
	if (session->end == END_CUT_SHORT)
		return "the recording is cut short";
	if (session->end == END_PRIVILEGES)
		return "the target gained privileges and could not be observed any longer";
	if (f->turns < min_turns)
		return arena_printf(arena, "only %llu turns were observed, fewer than %llu",
				    (unsigned long long)f->turns, (unsigned long long)min_turns);
	return NULL;
}

/* Why what the budget is about could not be seen; NULL if it was. */
static const char *unseen(const struct budget_facts *f, const struct budget *b)
{
	if (b->metric == METRIC_STRICT_COUNT && !f->rec->session.strict)
		return "calls that block are counted with --strict only";
	if (b->metric == METRIC_POOL_WAIT && !f->rec->threadpool.known)
		return "the thread pool could not be observed";
	return NULL;
}

/* A judgement under way. */
struct trial {
	struct budget_report *report;
	const struct budget_facts *facts, *baseline; /* baseline NULL: none */
	const char *doubt;          /* why limits that are met prove nothing; NULL: they do */
	const char *doubt_baseline; /* why nothing is proved by those of a baseline */
	const char *reason;         /* the first of all doubts */
	struct arena *arena;
};

/* Like is compared with like. */
static double limit_of(const struct trial *t, const struct budget *b, enum view view)
{
	if (b->factor > 0 && t->baseline)
		return b->limit + b->factor * budget_measure(t->baseline, b, view);
	return b->limit;
}

static const char *const waiting = " without waiting for a CPU";

/* "61 ms"; "61 ms (48 ms without waiting for a CPU)"; and the limit where the expression has none.
 */
static const char *show_result(const struct trial *t, const struct budget *b,
			       const struct budget_result *rule)
{
	double seen = budget_measure(t->facts, b, VIEW_SEEN);
	double own = budget_measure(t->facts, b, VIEW_OWN);
	bool starved_baseline = !rule->ok && budget_holds(b, limit_of(t, b, VIEW_SEEN), seen);
	const char *value = show(b, seen, t->arena), *less = show(b, own, t->arena);

	if (starved_baseline)
		value = arena_printf(t->arena, "%s%s", less, waiting);
	else if (!rule->ok && strcmp(value, less) != 0)
		value = arena_printf(t->arena, "%s (%s%s)", value, less, waiting);
	if (b->factor == 0)
		return value;
	return arena_printf(
		t->arena, "%s, limit %s", value,
		show(b, limit_of(t, b, starved_baseline ? VIEW_OWN : VIEW_SEEN), t->arena));
}

/* Does the stall, by the part the code is answerable for, help to exceed that upper limit? */
static bool breaks(const struct budget_facts *f, const struct budget *b, double limit, size_t stall)
{
	nsec length = stall_length(f, &f->rec->stalls[stall], VIEW_OWN);

	if (budget_selects(f, b, stall) != STALL_SELECTED)
		return false;
	switch (b->metric) {
	case METRIC_LAG_QUANTILE:
	case METRIC_LAG_MAX:
	case METRIC_LAG_MEAN:
	case METRIC_STALL_MAX:
		return !budget_holds(b, limit, (double)length);
	case METRIC_STALL_COUNT:
	case METRIC_STALL_TOTAL:
	case METRIC_STALL_RATE:
	case METRIC_BLOCKED_RATIO:
	case METRIC_GC_TOTAL:
		return length >= f->rec->session.threshold;
	case METRIC_BUSY_RATIO:
	case METRIC_POOL_WAIT:
	case METRIC_STRICT_COUNT:
		return false;
	}
	abort();
}

/* Names the findings that an exceeded limit is exceeded by. */
static void blame_findings(const struct trial *t, const struct budget *b,
			   struct budget_result *rule)
{
	const struct budget_facts *f = t->facts;
	double limit = limit_of(t, b, VIEW_OWN);
	uint32_t *ids = arena_alloc(t->arena, (f->d->n_findings + 1) * sizeof(*ids));
	bool *broken_by = xcalloc(f->d->n_findings + 1, sizeof(*broken_by));
	/* Of what there is too little of nobody is guilty. */
	size_t n = budget_measure(f, b, VIEW_OWN) >= limit ? f->d->n_stalls : 0;

	for (size_t i = 0; i < n; i++)
		if (f->d->stalls[i].finding < f->d->n_findings && breaks(f, b, limit, i))
			broken_by[f->d->stalls[i].finding] = true;
	for (uint32_t i = 0; i < f->d->n_findings; i++)
		if (broken_by[i])
			ids[rule->n_findings++] = i;
	rule->findings = ids;
	free(broken_by);
}

/* Why the limit, which did not hold, proves nothing; NULL: it was exceeded. */
static const char *doubt_excess(const struct trial *t, const struct budget *b)
{
	double limit = limit_of(t, b, VIEW_OWN);

	if (!budget_may_hold(t->facts, b, limit))
		return NULL;
	return budget_holds(b, limit, budget_measure(t->facts, b, VIEW_OWN))
		       ? "a limit was exceeded only because the loop waited for a CPU"
		       : "a limit was perhaps exceeded only because the loop waited for a CPU";
}

/* Why what is said of the rule proves nothing; NULL: it does. */
static const char *doubt_rule(const struct trial *t, const struct budget *b, bool ok)
{
	if (ok && t->doubt)
		return t->doubt;
	if (ok && b->metric == METRIC_STRICT_COUNT && t->facts->rec->session.strict_missed)
		return "there were more calls that block than could be looked at";
	if (b->factor > 0 && t->doubt_baseline)
		return t->doubt_baseline;
	return ok ? NULL : doubt_excess(t, b);
}

static void judge(struct trial *t, const struct budget *b)
{
	struct budget_result *rule = &t->report->rules[t->report->n_rules++];
	bool seen =
		budget_holds(b, limit_of(t, b, VIEW_SEEN), budget_measure(t->facts, b, VIEW_SEEN));
	bool own = budget_holds(b, limit_of(t, b, VIEW_OWN), budget_measure(t->facts, b, VIEW_OWN));
	const char *why = unseen(t->facts, b);

	if (!why && b->factor > 0 && t->baseline)
		why = unseen(t->baseline, b);
	/* The bad day of a baseline loosens no limit on the code itself. */
	*rule = (struct budget_result){ .expr = b->expr,
					.level = b->warn ? "warn" : "error",
					.ok = !why && seen && (own || b->factor == 0) };
	if (!why) {
		rule->value = show_result(t, b, rule);
		why = doubt_rule(t, b, rule->ok);
	}
	rule->unsure = why != NULL;
	if (!rule->ok && !rule->unsure)
		blame_findings(t, b, rule);
	if (b->warn && !rule->ok)
		return;
	if (!rule->ok && !rule->unsure)
		t->report->verdict = VERDICT_FAIL;
	t->reason = t->reason ? t->reason : why;
}

static void judge_allowances(struct budget_report *r, const struct budget_terms *t,
			     struct arena *arena)
{
	for (size_t i = 0; i < t->n_allow; i++) {
		const struct allowance *a = &t->allow[i];

		if (!allowance_is_expired(t, a))
			continue;
		r->rules[r->n_rules++] = (struct budget_result){
			.expr = arena_printf(arena, "allow %s until %s (%s)", a->fingerprint,
					     a->expires, a->reason),
			.level = "error",
			.value = t->today,
		};
		r->verdict = VERDICT_FAIL;
	}
}

static bool same_runtime(const struct target_info *a, const struct target_info *b)
{
	if (!a->runtime || !b->runtime)
		return a->runtime == b->runtime;
	return strcmp(a->runtime, b->runtime) == 0 &&
	       (!a->runtime_version || !b->runtime_version ||
		atoi(a->runtime_version) == atoi(b->runtime_version));
}

static void put_machine(struct strbuf *b, const struct host *host)
{
	strbuf_printf(b, "%u CPUs", host->cpus);
	if (host->quota)
		strbuf_printf(b, ", a quota of %.3g", host->quota / 1000.0);
	strbuf_printf(b, ", %s", host->model ? host->model : "kind unknown");
}

/* Why times on one machine tell nothing about times on the other; NULL: they do. */
static const char *doubt_machine(const struct host *here, const struct host *there,
				 struct arena *arena)
{
	bool same_model = !here->model || !there->model || strcmp(here->model, there->model) == 0;
	struct strbuf b = { 0 };
	const char *why;

	/* One that was recorded without these figures is taken for what it is said to be. */
	if (same_model && (!here->cpus || !there->cpus || here->cpus == there->cpus) &&
	    here->quota == there->quota)
		return NULL;
	strbuf_puts(&b, "the baseline ran on another machine (");
	put_machine(&b, there);
	strbuf_puts(&b, "; here ");
	put_machine(&b, here);
	strbuf_puts(&b, "); --any-machine compares all the same");
	why = arena_strdup(arena, b.s);
	strbuf_destroy(&b);
	return why;
}

/* Why the baseline cannot be compared with; NULL if it can. */
static const char *doubt_baseline(const struct budget_facts *f, const struct budget_facts *base,
				  uint64_t min_turns, bool any_machine, struct arena *arena)
{
	const char *why = doubt(base, min_turns, arena);

	if (why)
		return arena_printf(arena, "the baseline proves nothing: %s", why);
	if (!same_runtime(&f->rec->target, &base->rec->target))
		return "the baseline ran on another runtime";
	if (f->rec->session.threshold != base->rec->session.threshold)
		return "the baseline was recorded with another threshold";
	return any_machine ? NULL : doubt_machine(&f->rec->host, &base->rec->host, arena);
}

static bool uses_baseline(const struct budget_terms *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->budgets[i].factor > 0)
			return true;
	return false;
}

struct budget_report *budget_check(const struct budget_terms *terms, const struct recording *rec,
				   const struct diagnosis *d, struct arena *arena)
{
	uint64_t min_turns = terms->min_turns ? terms->min_turns : BUDGET_MIN_TURNS;
	struct budget_report *r = arena_alloc(arena, sizeof(*r));
	struct budget_facts *f = budget_facts_make(terms, rec, d), *base = NULL;
	struct trial trial = { .report = r, .facts = f, .arena = arena };

	trial.doubt = doubt(f, min_turns, arena);
	if (uses_baseline(terms) && terms->baseline) {
		base = budget_facts_make(terms, terms->baseline, terms->baseline_diagnosis);
		trial.baseline = base;
		trial.doubt_baseline =
			doubt_baseline(f, base, min_turns, terms->any_machine, arena);
	}
	r->rules = arena_alloc(arena, (terms->n + terms->n_allow + 1) * sizeof(*r->rules));
	r->verdict = terms->n ? VERDICT_PASS : VERDICT_NONE;
	for (size_t i = 0; i < terms->n; i++)
		judge(&trial, &terms->budgets[i]);
	judge_allowances(r, terms, arena);
	if (r->verdict == VERDICT_PASS && trial.reason) {
		r->verdict = VERDICT_INCONCLUSIVE;
		r->reason = trial.reason;
	}
	budget_facts_free(base);
	budget_facts_free(f);
	return r;
}
