#include "analyzers/budget_facts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/glob.h"

/* Takes one duration out of a histogram, min and max excepted. */
static bool hist_remove(struct hist *h, nsec ns)
{
	size_t bucket = hist_bucket(ns);

	if (!h->count[bucket])
		return false;
	h->count[bucket]--;
	h->n--;
	h->sum = nsec_minus(h->sum, ns);
	return true;
}

/* The largest duration of what is left, or a little more. */
static nsec find_rest_max(const struct hist *h, nsec threshold)
{
	size_t bucket = HIST_BUCKETS;
	nsec max;

	while (bucket > 0 && !h->count[bucket - 1])
		bucket--;
	if (bucket == 0)
		return 0;
	max = nsec_least(hist_bucket_upper(bucket - 1), h->max);
	/* What is as long as the threshold is a stall. */
	return max >= threshold && hist_bucket(threshold) == bucket - 1 ? threshold - 1 : max;
}

static void sum_loops(struct budget_facts *f)
{
	hist_init(&f->rest);
	for (size_t i = 0; i < f->rec->n_loops; i++) {
		const struct loop *loop = f->rec->loops[i];

		hist_merge(&f->rest, &loop->lag);
		f->busy += loop->busy;
		f->polled += loop->polled;
		f->turns += loop->turns;
		f->waited += loop->waited;
	}
	f->rest_waited = f->waited;
}

static bool is_allowed(const struct budget_facts *f, size_t stall)
{
	uint32_t finding;

	if (stall >= f->d->n_stalls)
		return false;
	finding = f->d->stalls[stall].finding;
	return finding < f->d->n_findings && f->allowed[finding];
}

static enum phase phase_of(const struct budget_facts *f, const struct stall *s)
{
	return s->start < f->warm ? PHASE_STARTUP : s->phase;
}

/* How often each finding's stalls were stalls by themselves. */
static void count_again(struct budget_facts *f)
{
	for (size_t i = 0; i < f->rec->n_stalls; i++) {
		const struct stall *s = &f->rec->stalls[i];
		uint32_t finding = stall_diagnosis_of(f, s)->finding;

		if (finding < f->d->n_findings && phase_of(f, s) == PHASE_SERVING &&
		    stall_length(f, s, VIEW_OWN) >= f->rec->session.threshold)
			f->again[finding]++;
	}
}

/* A turn that ended is in the histogram; one that is open, or died with its thread, is not. */
static void add_stall(struct budget_facts *f, size_t i)
{
	const struct stall *s = &f->rec->stalls[i];
	bool counted = !s->open && hist_remove(&f->rest, s->duration);

	if (phase_of(f, s) == PHASE_STARTUP) {
		f->turns -= counted && f->turns > 0;
		return;
	}
	f->rest_waited = nsec_minus(f->rest_waited, s->runnable);
	if (is_allowed(f, i))
		return;
	for (enum view view = 0; view < VIEWS; view++)
		f->stalls[view][f->n_stalls] = stall_length(f, s, view);
	f->n_stalls++;
}

static int by_length(const void *a, const void *b)
{
	nsec x = *(const nsec *)a, y = *(const nsec *)b;

	return x < y ? -1 : x > y;
}

static void gather(struct budget_facts *f, nsec warmup)
{
	const struct session *session = &f->rec->session;
	nsec since = session->serving_since;

	if (since < session->duration)
		since += warmup;
	f->warm = warmup ? since : 0;
	f->serving = nsec_minus(session->duration, since);
	sum_loops(f);
	count_again(f);
	for (enum view view = 0; view < VIEWS; view++)
		f->stalls[view] = xcalloc(f->rec->n_stalls + 1, sizeof(nsec));
	for (size_t i = 0; i < f->rec->n_stalls; i++)
		add_stall(f, i);
	for (enum view view = 0; view < VIEWS; view++)
		qsort(f->stalls[view], f->n_stalls, sizeof(nsec), by_length);
	f->rest.max = find_rest_max(&f->rest, session->threshold);
}

bool allowance_is_expired(const struct budget_terms *terms, const struct allowance *a)
{
	/* Days written this way sort as text. */
	return terms->today && strcmp(a->expires, terms->today) < 0;
}

static void apply_allowances(struct budget_facts *f, const struct budget_terms *t)
{
	for (size_t i = 0; i < f->d->n_findings; i++)
		for (size_t k = 0; k < t->n_allow; k++)
			if (!allowance_is_expired(t, &t->allow[k]) &&
			    strcmp(t->allow[k].fingerprint, f->d->findings[i].fingerprint) == 0)
				f->allowed[i] = true;
}

struct budget_facts *budget_facts_make(const struct budget_terms *terms,
				       const struct recording *rec, const struct diagnosis *d)
{
	struct budget_facts *f = xcalloc(1, sizeof(*f));

	f->rec = rec;
	f->d = d;
	f->allowed = xcalloc(d->n_findings + 1, sizeof(*f->allowed));
	f->again = xcalloc(d->n_findings + 1, sizeof(*f->again));
	apply_allowances(f, terms);
	gather(f, terms->warmup);
	return f;
}

void budget_facts_free(struct budget_facts *f)
{
	if (!f)
		return;
	for (enum view view = 0; view < VIEWS; view++)
		free(f->stalls[view]);
	free(f->allowed);
	free(f->again);
	free(f);
}

static bool is_host(int cause)
{
	return cause == CAUSE_CPU_STARVATION || cause == CAUSE_STOPPED;
}

static bool only_computes(int cause)
{
	return cause == CAUSE_SYNC_CRYPTO || cause == CAUSE_LARGE_PARSE ||
	       cause == CAUSE_LARGE_SERIALIZE || cause == CAUSE_REGEX || cause == CAUSE_COMPRESSION;
}

/* May a starved stall, of which the rest is mostly `beside`, be one of that cause? */
static bool may_hide(const struct budget_facts *f, const struct stall *s, enum cause beside,
		     int cause)
{
	switch (beside) {
	case CAUSE_UNKNOWN: /* also what it slept */
		return !only_computes(cause) || s->running >= f->rec->session.threshold;
	case CAUSE_USER_CODE:
		return cause < 0 || cause == CAUSE_USER_CODE || cause == CAUSE_MANY_CALLBACKS ||
		       cause == CAUSE_MICROTASK_STARVATION;
	default:
		return cause < 0 || (int)beside == cause;
	}
}

/* Is it of the cause that the budget names, or of any that the code is answerable for? */
static enum selected selects_cause(const struct budget_facts *f, const struct budget *b,
				   size_t stall)
{
	enum cause cause = f->d->stalls[stall].cause;

	if (b->cause >= 0 ? (int)cause == b->cause : !is_host(cause))
		return STALL_SELECTED;
	if (cause != CAUSE_CPU_STARVATION || is_host(b->cause) ||
	    !may_hide(f, &f->rec->stalls[stall], f->d->stalls[stall].beside, b->cause))
		return STALL_NOT;
	return stall_length(f, &f->rec->stalls[stall], VIEW_OWN) >= f->rec->session.threshold
		       ? STALL_PERHAPS
		       : STALL_NOT;
}

enum selected budget_selects(const struct budget_facts *f, const struct budget *b, size_t stall)
{
	const struct frame *c = f->d->stalls[stall].culprit;

	if (is_allowed(f, stall))
		return STALL_NOT;
	if (b->phase >= 0 && (int)phase_of(f, &f->rec->stalls[stall]) != b->phase)
		return STALL_NOT;
	if (b->file && !(c && c->file && glob_match(b->file, c->file)))
		return STALL_NOT;
	if (b->module && !(c && c->module && glob_match(b->module, c->module)))
		return STALL_NOT;
	return selects_cause(f, b, stall);
}

struct stall_sums {
	uint64_t count;
	nsec total, max;
};

/* What may be a stall of the code counts as far as it may, but not where the least is asked for. */
static struct stall_sums sum_stalls(const struct budget_facts *f, const struct budget *b,
				    enum view view)
{
	struct stall_sums sums = { 0 };

	/* Who asks for the waits themselves gets them. */
	if (is_host(b->cause))
		view = VIEW_SEEN;
	for (size_t i = 0; i < f->rec->n_stalls && i < f->d->n_stalls; i++) {
		enum selected selected = budget_selects(f, b, i);
		bool perhaps = selected == STALL_PERHAPS;
		nsec length = stall_length(f, &f->rec->stalls[i], perhaps ? VIEW_OWN : view);

		if (selected == STALL_NOT || (perhaps && view != VIEW_SEEN) ||
		    (view != VIEW_SEEN && length < f->rec->session.threshold))
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

static uint64_t count_turns(const struct budget_facts *f)
{
	return f->rest.n + f->n_stalls;
}

/* The length that as many turns as rank do not exceed. */
static nsec ranked(const struct budget_facts *f, const nsec *stalls, uint64_t rank)
{
	size_t i = 0;
	uint64_t seen = 0;

	for (size_t bucket = 0; bucket < HIST_BUCKETS && seen < rank; bucket++) {
		nsec middle = hist_bucket_middle(&f->rest, bucket);

		if (!f->rest.count[bucket])
			continue;
		for (; i < f->n_stalls && stalls[i] < middle; i++)
			if (++seen == rank)
				return stalls[i];
		seen += f->rest.count[bucket];
		if (seen >= rank)
			return middle;
	}
	for (; i < f->n_stalls; i++)
		if (++seen == rank)
			return stalls[i];
	return 0;
}

static uint64_t rank_of(const struct budget_facts *f, double quantile)
{
	return (uint64_t)ceil(quantile * (double)count_turns(f));
}

static nsec longest_turn(const struct budget_facts *f, enum view view)
{
	nsec longest = f->n_stalls ? f->stalls[view][f->n_stalls - 1] : 0;

	return longest > f->rest.max ? longest : f->rest.max;
}

static double mean_turn(const struct budget_facts *f, enum view view)
{
	double sum = (double)(view == VIEW_LEAST ? nsec_minus(f->rest.sum, f->rest_waited)
						 : f->rest.sum);

	for (size_t i = 0; i < f->n_stalls; i++)
		sum += (double)f->stalls[view][i];
	return count_turns(f) ? sum / (double)count_turns(f) : 0;
}

/* All of what the loops waited may have been inside turns. */
static double busy_ratio(const struct budget_facts *f, enum view view)
{
	nsec busy = view == VIEW_SEEN ? f->busy : nsec_minus(f->busy, f->waited);

	return per((double)busy, f->busy + f->polled, 1);
}

double budget_measure(const struct budget_facts *f, const struct budget *b, enum view view)
{
	struct stall_sums sums = sum_stalls(f, b, view);

	switch (b->metric) {
	case METRIC_LAG_QUANTILE:
		return (double)ranked(f, f->stalls[view], rank_of(f, b->quantile));
	case METRIC_LAG_MAX:
		return (double)longest_turn(f, view);
	case METRIC_LAG_MEAN:
		return mean_turn(f, view);
	case METRIC_STALL_COUNT:
		return (double)sums.count;
	case METRIC_STALL_MAX:
		return (double)sums.max;
	case METRIC_STALL_TOTAL:
	case METRIC_GC_TOTAL:
		return (double)sums.total;
	case METRIC_STALL_RATE:
		return per((double)sums.count, f->serving, 60e9);
	case METRIC_BLOCKED_RATIO:
		return per((double)sums.total, f->serving, 1);
	case METRIC_BUSY_RATIO:
		return busy_ratio(f, view);
	case METRIC_POOL_WAIT:
		return (double)hist_quantile(&f->rec->threadpool.queue_wait, b->quantile);
	case METRIC_STRICT_COUNT:
		return (double)f->d->strict_calls;
	}
	abort();
}

bool budget_holds(const struct budget *b, double limit, double value)
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

/*
 * How many turns were surely over the limit.  Which of those that were no stalls
 * waited for a CPU is not known: the time that all of them did is taken from
 * where it brings most turns below the limit.
 */
static uint64_t count_over(const struct budget_facts *f, const struct budget *b, double limit)
{
	double waited = (double)f->rest_waited;
	uint64_t over = 0;

	for (size_t i = 0; i < f->n_stalls; i++)
		over += !budget_holds(b, limit, (double)f->stalls[VIEW_LEAST][i]);
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		double middle = (double)hist_bucket_middle(&f->rest, i);
		double n = (double)f->rest.count[i], excess = middle - limit + 1, mended;

		if (n == 0 || budget_holds(b, limit, middle))
			continue;
		mended = floor(waited / excess);
		mended = mended < n ? mended : n;
		waited -= mended * excess;
		over += (uint64_t)(n - mended);
	}
	return over;
}

bool budget_may_hold(const struct budget_facts *f, const struct budget *b, double limit)
{
	struct budget most = *b;

	/* Waiting makes everything more, nothing less. */
	if (b->op == OP_GREATER || b->op == OP_GREATER_EQUAL)
		return false;
	if (b->op == OP_EQUAL && budget_measure(f, b, VIEW_SEEN) < limit)
		return false;
	most.op = b->op == OP_LESS ? OP_LESS : OP_LESS_EQUAL;
	switch (b->metric) {
	case METRIC_LAG_QUANTILE:
		return count_over(f, &most, limit) <= count_turns(f) - rank_of(f, b->quantile);
	case METRIC_LAG_MAX:
		return count_over(f, &most, limit) == 0;
	case METRIC_POOL_WAIT:
		return budget_is_contended(f);
	case METRIC_STRICT_COUNT:
		return false;
	default:
		return budget_holds(&most, limit, budget_measure(f, &most, VIEW_LEAST));
	}
}
