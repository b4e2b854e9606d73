#include "analyzers/diff.h"

#include <stdlib.h>
#include <string.h>

/* From one run to the next of the same program, figures differ by less than this. */
static const double factor = 1.25;
static const double least_mean = 5e6;        /* ns */
static const double least_per_minute = 20e6; /* ns */

static nsec sum_waited(const struct diff_input *in)
{
	nsec sum = 0;

	for (size_t i = 0; i < in->rec->n_stalls && i < in->d->n_stalls; i++) {
		const struct stall *s = &in->rec->stalls[i];

		if (s->phase == PHASE_SERVING && !in->d->stalls[i].clocked)
			sum += s->runnable + s->held_up;
	}
	return sum < in->d->serving_stalled ? sum : in->d->serving_stalled;
}

static struct diff_side describe_side(const struct diff_input *in)
{
	const struct session *session = &in->rec->session;
	struct diff_side side = { .stalled = in->d->serving_stalled, .waited = sum_waited(in) };
	struct hist *lag = xcalloc(1, sizeof(*lag));

	hist_init(lag);
	for (size_t i = 0; i < in->rec->n_loops; i++) {
		side.turns += in->rec->loops[i]->turns;
		hist_merge(lag, &in->rec->loops[i]->lag);
	}
	side.lag_p99 = lag->n ? hist_quantile(lag, 0.99) : 0;
	free(lag);
	if (session->serving_since < session->duration)
		side.serving = session->duration - session->serving_since;
	return side;
}

/* Its serving time without that in which it waited for a CPU, which says nothing of the code. */
static double own_time(const struct finding *f)
{
	double waited = f->starved + f->held_up;

	return (double)f->serving_total * (waited < 1 ? 1 - waited : 0);
}

static double mean_of(const struct finding *f)
{
	return own_time(f) / (double)f->serving_stalls;
}

static double per_minute(const struct finding *f, const struct diff_side *side)
{
	return side->serving ? own_time(f) * 60e9 / (double)side->serving : 0;
}

static bool is_host(const struct finding *f)
{
	return f->cause == CAUSE_CPU_STARVATION || f->cause == CAUSE_STOPPED;
}

static bool rises(double from, double to, double least)
{
	return to > from * factor && to - from >= least;
}

static enum change compare(const struct diff *diff, const struct diff_entry *e)
{
	double minute[2], mean[2];

	if (is_host(e->after ? e->after : e->before))
		return CHANGE_HOST;
	if (!e->before)
		return CHANGE_NEW;
	if (!e->after)
		return CHANGE_GONE;
	minute[0] = per_minute(e->before, &diff->before);
	minute[1] = per_minute(e->after, &diff->after);
	mean[0] = mean_of(e->before);
	mean[1] = mean_of(e->after);
	if (rises(minute[0], minute[1], least_per_minute) || rises(mean[0], mean[1], least_mean))
		return CHANGE_WORSE;
	if (rises(minute[1], minute[0], least_per_minute) || rises(mean[1], mean[0], least_mean))
		return CHANGE_BETTER;
	return CHANGE_SAME;
}

static int by_fingerprint(const void *a, const void *b)
{
	const struct finding *const *x = a, *const *y = b;

	return strcmp((*x)->fingerprint, (*y)->fingerprint);
}

/* Those that blocked while serving, by fingerprint; a malloc'ed array. */
static const struct finding **sort_findings(const struct diagnosis *d, size_t *n)
{
	const struct finding **list = xcalloc(d->n_findings + 1, sizeof(const struct finding *));

	*n = 0;
	for (size_t i = 0; i < d->n_findings; i++)
		if (d->findings[i].serving_stalls)
			list[(*n)++] = &d->findings[i];
	qsort(list, *n, sizeof(const struct finding *), by_fingerprint);
	return list;
}

static nsec weight(const struct diff_entry *e)
{
	return e->after ? e->after->serving_total : e->before->serving_total;
}

static int by_change(const void *a, const void *b)
{
	const struct diff_entry *x = a, *y = b;
	const struct finding *fx = x->after ? x->after : x->before;
	const struct finding *fy = y->after ? y->after : y->before;

	if (x->change != y->change)
		return x->change < y->change ? -1 : 1;
	if (weight(x) != weight(y))
		return weight(x) > weight(y) ? -1 : 1;
	return strcmp(fx->fingerprint, fy->fingerprint);
}

static void add(struct diff *diff, const struct finding *before, const struct finding *after)
{
	struct diff_entry *e = &diff->entries[diff->n++];

	e->before = before;
	e->after = after;
	e->change = compare(diff, e);
	diff->counts[e->change]++;
}

/* Walks both sorted lists at once. */
static void merge(struct diff *diff, const struct diff_input *before,
		  const struct diff_input *after)
{
	size_t n, m, i = 0, k = 0;
	const struct finding **a = sort_findings(before->d, &n);
	const struct finding **b = sort_findings(after->d, &m);

	while (i < n || k < m) {
		int order = i == n ? 1 : k == m ? -1 : by_fingerprint(&a[i], &b[k]);

		if (order < 0)
			add(diff, a[i++], NULL);
		else if (order > 0)
			add(diff, NULL, b[k++]);
		else
			add(diff, a[i++], b[k++]);
	}
	free(a);
	free(b);
}

struct diff *diff_make(const struct diff_input *before, const struct diff_input *after,
		       struct arena *arena)
{
	struct diff *diff = arena_alloc(arena, sizeof(*diff));
	size_t most = before->d->n_findings + after->d->n_findings;

	diff->before = describe_side(before);
	diff->after = describe_side(after);
	diff->entries = arena_alloc(arena, (most + 1) * sizeof(*diff->entries));
	merge(diff, before, after);
	qsort(diff->entries, diff->n, sizeof(*diff->entries), by_change);
	return diff;
}

static double blocked_ratio(const struct diff_side *side)
{
	return side->serving ? (double)side->stalled / (double)side->serving : 0;
}

bool diff_is_lower(const struct diff *diff)
{
	return diff->after.lag_p99 <= diff->before.lag_p99 &&
	       blocked_ratio(&diff->after) <= blocked_ratio(&diff->before);
}
