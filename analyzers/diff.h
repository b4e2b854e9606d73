#ifndef LAGPROF_ANALYZERS_DIFF_H
#define LAGPROF_ANALYZERS_DIFF_H

#include "core/diff.h"

/* A recording and its diagnosis. */
struct diff_input {
	const struct recording *rec;
	const struct diagnosis *d;
};

/*
 * Compares by fingerprint what blocked the loops while they served.  Two
 * recordings are never of the same length and load, so time is compared per
 * minute of service, and only a change that repeats would hardly make is one.
 * The result lives in arena and points into the diagnoses.
 */
struct diff *diff_make(const struct diff_input *before, const struct diff_input *after,
		       struct arena *arena);

/* Is neither the lag's p99 nor the blocked share of the time higher than before? */
bool diff_is_lower(const struct diff *diff);

#endif
