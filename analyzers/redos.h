#ifndef LAGPROF_ANALYZERS_REDOS_H
#define LAGPROF_ANALYZERS_REDOS_H

#include "analyzers/regex/regex.h"
#include "core/recording.h"

/* What a finding's pattern can do. */
struct redos_proof {
	struct regex_verdict verdict;
	struct redos evidence;
};

/*
 * The verdict on the pattern that the stack was matching, by the engine that matched it; NULL
 * where there is no whole pattern, the engine is none of those that are understood or nothing
 * could be decided.  It lives in a.
 */
const struct redos_proof *redos_judge(const struct recording *rec, const struct stack *stack,
				      const struct evidence *e, struct arena *a);

/* What to do about it, one sentence; NULL: nothing better than for any regular expression. */
const char *redos_advice(const struct redos_proof *proof, const struct evidence *e,
			 struct arena *a);

#endif
