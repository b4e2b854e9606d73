#ifndef LAGPROF_ANALYZERS_STALLS_H
#define LAGPROF_ANALYZERS_STALLS_H

#include "analyzers/judge.h"

/* The samples of a recording by stall, each with what it says. */
struct stalls {
	struct classifier classifier;
	uint32_t *first;    /* by stall id, and one past the last: index into order */
	uint32_t *order;    /* indexes of samples, a stall's in the order they were recorded */
	struct part *parts; /* room for the longest stall's samples */
};

/* arena: for names that outlive it. */
void stalls_init(struct stalls *s, const struct recording *rec, struct arena *arena);
void stalls_destroy(struct stalls *s);
/* The blamed samples of a stall, valid until the next call. */
const struct part *stalls_parts(struct stalls *s, const struct stall *stall, size_t *n);

#endif
