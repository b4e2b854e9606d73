#include "analyzers/budget.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/glob.h"
#include "core/units.h"

/* What the budgets of one recording are judged by. */
struct facts {
	const struct recording *rec;
	const struct diagnosis *d;
	/* Of all loops, without the turns of the startup; and as it would be with a CPU always
	 * free. */
	struct hist lag, unstarved;
	nsec busy, polled;
	nsec warm;    /* what began before this counts as startup; 0: what the recording says */
	nsec serving; /* length of what came then */
	uint64_t turns;
	bool *allowed; /* by id of a finding: its stalls do not count */
};

/* The part of a stall that the code is answerable for. */
static nsec own_time(const struct stall *s)
{
	nsec waited = s->runnable + s->stopped;

	return s->duration > waited ? s->duration - waited : 0;
}

/* Takes one duration out of a histogram, min and max excepted. */
static void hist_remove(struct hist *h, nsec ns)
{
	size_t bucket = hist_bucket(ns);

	if (!h->count[bucket])
		return;
	h->count[bucket]--;
	h->n--;
	h->sum -= ns < h->sum ? ns : h->sum;
}

/* The largest duration left: exact where a stall made it, else its bucket's upper end. */
static void mend_max(struct hist *h, nsec longest_stall)
{
	size_t last = HIST_BUCKETS;

	while (last > 0 && !h->count[last - 1])
		last--;
	if (last == 0)
		h->max = h->min = 0;
	else if (hist_bucket(h->max) != last - 1)
		h->max = hist_bucket(longest_stall) == last - 1 ? longest_stall
								: hist_bucket_upper(last - 1);
}

static void sum_loops(struct facts *f)
{
	hist_init(&f->lag);
	for (size_t i = 0; i < f->rec->n_loops; i++) {
		const struct loop *loop = f->rec->loops[i];

		hist_merge(&f->lag, &loop->lag);
		f->busy += loop->busy;
		f->polled += loop->polled;
		f->turns += loop->turns;
	}
	f->unstarved = f->lag;
}

static bool is_allowed(const struct facts *f, size_t stall)
{
	uint32_t finding;

	if (stall >= f->d->n_stalls)
		return false;
	finding = f->d->stalls[stall].finding;
	return finding < f->d->n_findings && f->allowed[finding];
}

static enum phase phase_of(const struct facts *f, const struct stall *s)
{
	return s->start < f->warm ? PHASE_STARTUP : s->phase;
}

static void gather(struct facts *f, nsec warmup)
{
	const struct session *session = &f->rec->session;
	nsec longest = 0, longest_own = 0, since = session->serving_since;

	if (session->serving_since < session->duration)
		since = session->serving_since + warmup;
	f->warm = warmup ? since : 0;
	sum_loops(f);
	for (size_t i = 0; i < f->rec->n_stalls; i++) {
		const struct stall *s = &f->rec->stalls[i];

		if (s->open)
			continue; /* not in the histogram */
		hist_remove(&f->unstarved, s->duration);
		if (phase_of(f, s) == PHASE_STARTUP) {
			hist_remove(&f->lag, s->duration);
			f->turns -= f->turns > 0;
			continue;
		}
		if (is_allowed(f, i)) {
			hist_remove(&f->lag, s->duration);
			continue;
		}
		hist_add(&f->unstarved, own_time(s));
		longest = s->duration > longest ? s->duration : longest;
		longest_own = own_time(s) > longest_own ? own_time(s) : longest_own;
	}
	mend_max(&f->lag, longest);
	mend_max(&f->unstarved, longest_own);
	if (since < session->duration)
		f->serving = session->duration - since;
}

static bool selected(const struct facts *f, const struct budget *b, size_t stall)
{
	const struct stall_diagnosis *sd = &f->d->stalls[stall];
	const struct frame *c = sd->culprit;

	if (b->phase >= 0 && (int)phase_of(f, &f->rec->stalls[stall]) != b->phase)
		return false;
	if (b->cause >= 0 ? (int)sd->cause != b->cause
			  : sd->cause == CAUSE_CPU_STARVATION || sd->cause == CAUSE_STOPPED)
		return false;
	if (b->file && !(c && c->file && glob_match(b->file, c->file)))
		return false;
	return !b->module || (c && c->module && glob_match(b->module, c->module));
}

struct stall_sums {
	uint64_t count;
	nsec total, max;
};

/* own: without the time the thread waited for a CPU. */
static struct stall_sums sum_stalls(const struct facts *f, const struct budget *b, bool own)
{
	struct stall_sums sums = { 0 };

	for (size_t i = 0; i < f->rec->n_stalls && i < f->d->n_stalls; i++) {
		const struct stall *s = &f->rec->stalls[i];
		nsec length = own ? own_time(s) : s->duration;

		if (is_allowed(f, i) || !selected(f, b, i) ||
		    (own && length < f->rec->session.threshold))
			continue;
		sums.count++;
		sums.total += length;
		sums.max = length > sums.max ? length : sums.max;
	}
	return sums;
}

static double per(double value, nsec time, double unit)
{
	return time ? value / ((double)time / unit) : 0;
}

static nsec gc_time(const struct facts *f)
{
	nsec sum = 0;

	for (size_t i = 0; i < f->rec->n_stalls && i < f->d->n_stalls; i++)
		if (f->d->stalls[i].cause == CAUSE_GC && !is_allowed(f, i) &&
		    phase_of(f, &f->rec->stalls[i]) == PHASE_SERVING)
			sum += f->rec->stalls[i].duration;
	return sum;
}

static double measure(const struct facts *f, const struct budget *b, bool own)
{
	const struct hist *lag = own ? &f->unstarved : &f->lag;
	struct stall_sums sums = sum_stalls(f, b, own);

	switch (b->metric) {
	case METRIC_LAG_QUANTILE:
		return (double)hist_quantile(lag, b->quantile);
	case METRIC_LAG_MAX:
		return (double)lag->max;
	case METRIC_LAG_MEAN:
		return lag->n ? (double)lag->sum / (double)lag->n : 0;
	case METRIC_STALL_COUNT:
		return (double)sums.count;
	case METRIC_STALL_MAX:
		return (double)sums.max;
	case METRIC_STALL_TOTAL:
		return (double)sums.total;
	case METRIC_STALL_RATE:
		return per((double)sums.count, f->serving, 60e9);
	case METRIC_BLOCKED_RATIO:
		return per((double)sums.total, f->serving, 1);
	case METRIC_BUSY_RATIO:
		return per((double)f->busy, f->busy + f->polled, 1);
	case METRIC_GC_TOTAL:
		return (double)gc_time(f);
	case METRIC_POOL_WAIT:
		return (double)hist_quantile(&f->rec->threadpool.queue_wait, b->quantile);
	case METRIC_STRICT_COUNT:
		return (double)f->d->strict_calls;
	}
	abort();
}

static bool holds(const struct budget *b, double limit, double value)
{
	switch (b->op) {
	case OP_LESS:
		return value < limit;
	case OP_LESS_EQUAL:
		return value <= limit;
	case OP_GREATER:
		return value > limit;
	case OP_GREATER_EQUAL:
		return value >= limit;
	case OP_EQUAL:
		return value == limit;
	}
	abort();
}

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
static const char *doubt(const struct facts *f, uint64_t min_turns, struct arena *arena)
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

static bool is_expired(const struct budget_terms *t, const struct allowance *a)
{
	/* Days written this way sort as text. */
	return t->today && strcmp(a->expires, t->today) < 0;
}

static void apply_allowances(struct facts *f, const struct budget_terms *t)
{
	for (size_t i = 0; i < f->d->n_findings; i++)
		for (size_t k = 0; k < t->n_allow; k++)
			if (!is_expired(t, &t->allow[k]) &&
			    strcmp(t->allow[k].fingerprint, f->d->findings[i].fingerprint) == 0)
				f->allowed[i] = true;
}

/* Could what the budget is about be seen at all? */
static bool is_known(const struct facts *f, const struct budget *b)
{
	if (b->metric == METRIC_STRICT_COUNT)
		return f->rec->session.strict;
	return b->metric != METRIC_POOL_WAIT || f->rec->threadpool.known;
}

/* A judgement under way. */
struct trial {
	struct budget_report *report;
	const struct facts *facts, *baseline; /* baseline NULL: none */
	const char *unsure; /* why a limit that is met, or not met, proves nothing; NULL: it does */
	struct arena *arena;
};

/* Like is compared with like; own: without the time that both waited for a CPU. */
static double limit_of(const struct trial *t, const struct budget *b, bool own)
{
	return b->factor > 0 && t->baseline ? b->limit + b->factor * measure(t->baseline, b, own)
					    : b->limit;
}

/* "61 ms, limit 50 ms" where the limit cannot be read in the expression. */
static const char *show_result(const struct trial *t, const struct budget *b, bool own)
{
	const char *value = show(b, measure(t->facts, b, own), t->arena);

	if (b->factor == 0)
		return value;
	return arena_printf(t->arena, "%s%s, limit %s", value,
			    own ? " without waiting for a CPU" : "",
			    show(b, limit_of(t, b, own), t->arena));
}

/* Does the stall, by the part the code is answerable for, help to exceed that upper limit? */
static bool breaks(const struct facts *f, const struct budget *b, double limit, size_t stall)
{
	const struct stall *s = &f->rec->stalls[stall];
	nsec length = own_time(s);

	if (is_allowed(f, stall) || !selected(f, b, stall))
		return false;
	switch (b->metric) {
	case METRIC_LAG_QUANTILE:
	case METRIC_LAG_MAX:
	case METRIC_LAG_MEAN:
	case METRIC_STALL_MAX:
		return !holds(b, limit, (double)length);
	case METRIC_STALL_COUNT:
	case METRIC_STALL_TOTAL:
	case METRIC_STALL_RATE:
	case METRIC_BLOCKED_RATIO:
		return length >= f->rec->session.threshold;
	case METRIC_GC_TOTAL:
		return f->d->stalls[stall].cause == CAUSE_GC;
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
	const struct facts *f = t->facts;
	double limit = limit_of(t, b, true);
	uint32_t *ids = arena_alloc(t->arena, (f->d->n_findings + 1) * sizeof(*ids));
	bool *broken_by = xcalloc(f->d->n_findings + 1, sizeof(*broken_by));

	/* Of what there is too little of nobody is guilty. */
	for (size_t i = 0; i < f->d->n_stalls && measure(f, b, true) >= limit; i++)
		if (f->d->stalls[i].finding < f->d->n_findings && breaks(f, b, limit, i))
			broken_by[f->d->stalls[i].finding] = true;
	for (uint32_t i = 0; i < f->d->n_findings; i++)
		if (broken_by[i])
			ids[rule->n_findings++] = i;
	rule->findings = ids;
	free(broken_by);
}

static void judge(struct trial *t, const struct budget *b)
{
	struct budget_result *rule = &t->report->rules[t->report->n_rules++];
	bool all = holds(b, limit_of(t, b, false), measure(t->facts, b, false));
	bool own = holds(b, limit_of(t, b, true), measure(t->facts, b, true));

	/* The bad day of a baseline loosens no limit on the code itself. */
	*rule = (struct budget_result){ .expr = b->expr,
					.level = b->warn ? "warn" : "error",
					.ok = all && (own || b->factor == 0) };
	if (!is_known(t->facts, b) || (b->factor > 0 && t->baseline && !is_known(t->baseline, b))) {
		rule->ok = false;
		t->unsure = t->unsure ? t->unsure : "the thread pool could not be observed";
		return;
	}
	rule->value = show_result(t, b, all && !rule->ok);
	if (!rule->ok && !own)
		blame_findings(t, b, rule);
	if (rule->ok || b->warn)
		return;
	if (own)
		t->unsure = "a limit was exceeded only because the loop waited for a CPU";
	else
		t->report->verdict = VERDICT_FAIL;
}

static void judge_allowances(struct budget_report *r, const struct budget_terms *t,
			     struct arena *arena)
{
	for (size_t i = 0; i < t->n_allow; i++) {
		const struct allowance *a = &t->allow[i];

		if (!is_expired(t, a))
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

static struct facts *make_facts(const struct budget_terms *t, const struct recording *rec,
				const struct diagnosis *d)
{
	struct facts *f = xcalloc(1, sizeof(*f));

	f->rec = rec;
	f->d = d;
	f->allowed = xcalloc(d->n_findings + 1, sizeof(*f->allowed));
	apply_allowances(f, t);
	gather(f, t->warmup);
	return f;
}

static void free_facts(struct facts *f)
{
	if (f)
		free(f->allowed);
	free(f);
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
static const char *doubt_baseline(const struct facts *f, const struct facts *base,
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
	struct facts *f = make_facts(terms, rec, d), *base = NULL;
	struct trial trial = { .report = r, .facts = f, .arena = arena };

	trial.unsure = doubt(f, min_turns, arena);
	if (uses_baseline(terms) && terms->baseline) {
		base = make_facts(terms, terms->baseline, terms->baseline_diagnosis);
		trial.baseline = base;
		if (!trial.unsure)
			trial.unsure =
				doubt_baseline(f, base, min_turns, terms->any_machine, arena);
	}
	r->rules = arena_alloc(arena, (terms->n + terms->n_allow + 1) * sizeof(*r->rules));
	r->verdict = terms->n ? VERDICT_PASS : VERDICT_NONE;
	for (size_t i = 0; i < terms->n; i++)
		judge(&trial, &terms->budgets[i]);
	judge_allowances(r, terms, arena);
	if (r->verdict == VERDICT_PASS && trial.unsure) {
		r->verdict = VERDICT_INCONCLUSIVE;
		r->reason = trial.unsure;
	}
	free_facts(base);
	free_facts(f);
	return r;
}
