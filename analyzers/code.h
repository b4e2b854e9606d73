#ifndef LAGPROF_ANALYZERS_CODE_H
#define LAGPROF_ANALYZERS_CODE_H

#include "analyzers/blame.h"

/* A sample of a stall and what it says. */
struct part {
	const struct sample *sample;
	struct blame blame;
};

/* Is the sample's time the program's own code, or the running of its jobs? */
static inline bool part_is_code(const struct part *p)
{
	return p->blame.cause == CAUSE_USER_CODE || p->blame.cause == CAUSE_MICROTASK_STARVATION;
}

struct code {
	enum cause cause;   /* user_code, microtask_starvation or many_callbacks */
	uint32_t function;  /* to blame: a function of the classifier, NO_FRAME unknown */
	const char *call;   /* sort, kind of job; NULL none */
	const char *hot;    /* user function, or what it is that it calls; NULL unknown */
	uint32_t callbacks; /* different ones seen */
	nsec longest;       /* callback, as far as samples tell one from the next; 0 unknown */
};

/*
 * Judges the time a stall spent in code that no rule names: the samples of it,
 * in order of time.  One long callback is user_code, blamed on the innermost
 * function that holds at least half of it.  Many short ones, none of them as
 * long as threshold, are microtask_starvation when they were ticks or promise
 * jobs, else many_callbacks; then the callback that took most is blamed.
 */
struct code judge_code(struct classifier *c, const struct part *parts, size_t n, nsec threshold);

/* The frame of that function nearest the leaf, from the sample's begin on; NO_FRAME if absent. */
uint32_t find_function(struct classifier *c, const struct part *p, uint32_t function);

#endif
