#ifndef LAGPROF_ANALYZERS_BUDGET_FACTS_H
#define LAGPROF_ANALYZERS_BUDGET_FACTS_H

#include "analyzers/budget.h"

/* What the budgets of one recording are judged by: what its loops did while serving. */

/*
 * A stall is as long as it was seen to be; or without the time in which the
 * thread, or whom it waited for, had no CPU or was stopped; or the least that it
 * would have been on a free machine, as far as that can be known.
 */
enum view { VIEW_SEEN, VIEW_OWN, VIEW_LEAST, VIEWS };

struct budget_facts {
	const struct recording *rec;
	const struct diagnosis *d;
	bool *allowed;   /* by id of a finding: its stalls do not count */
	uint32_t *again; /* by id of a finding: its serving stalls that were no mere waits */
	nsec warm;       /* what began before this counts as startup; 0: what the recording says */
	nsec serving;    /* length of what came then */
	uint64_t turns;  /* of all loops, without those of the startup */
	/* Turns that were no stalls, and the lengths of the serving stalls that count, ascending.
	 */
	struct hist rest;
	nsec *stalls[VIEWS];
	size_t n_stalls;
	nsec busy, polled;
	nsec waited;      /* for a CPU, by the loops while they served; 0 unknown */
	nsec rest_waited; /* of it, at most so much in turns that were no stalls */
};

/* Freed by budget_facts_free(). */
struct budget_facts *budget_facts_make(const struct budget_terms *terms,
				       const struct recording *rec, const struct diagnosis *d);
void budget_facts_free(struct budget_facts *f); /* may be NULL */

/* Has the allowance's day passed? */
bool allowance_is_expired(const struct budget_terms *terms, const struct allowance *a);

/* What the diagnosis says of a stall; of one that it does not know, an unknown cause. */
const struct stall_diagnosis *stall_diagnosis_of(const struct budget_facts *f,
						 const struct stall *s);
/* Did the loops wait for a CPU so much that other threads of the target must have, too? */
bool budget_is_contended(const struct budget_facts *f);
/* ns; for VIEW_LEAST the facts must have been counted. */
nsec stall_length(const struct budget_facts *f, const struct stall *s, enum view view);

static inline nsec nsec_least(nsec a, nsec b)
{
	return a < b ? a : b;
}

/* a - b, or 0. */
static inline nsec nsec_minus(nsec a, nsec b)
{
	return a > b ? a - b : 0;
}

/*
 * Does the stall count for the budget?  STALL_PERHAPS: most of it was a wait for
 * a CPU, and what may be in the rest is not known.
 */
enum selected { STALL_NOT, STALL_PERHAPS, STALL_SELECTED };
enum selected budget_selects(const struct budget_facts *f, const struct budget *b, size_t stall);

/* The budget's metric.  VIEW_LEAST of lag.p… is that of stalls only: see budget_may_hold(). */
double budget_measure(const struct budget_facts *f, const struct budget *b, enum view view);
bool budget_holds(const struct budget *b, double limit, double value);
/* May the limit, which did not hold as seen, have held on a free machine? */
bool budget_may_hold(const struct budget_facts *f, const struct budget *b, double limit);

#endif
