#ifndef LAGPROF_CORE_VITALS_H
#define LAGPROF_CORE_VITALS_H

#include "core/finding.h"

/*
 * How the loops of a process fare, in numbers only: all that a fleet is told of it.
 * Plain data, which one process can hand to another as it is.
 */
struct vitals {
	/* These only grow. */
	struct vitals_totals {
		struct hist lag;         /* of every turn that ended */
		uint64_t stalls[CAUSES]; /* that ended, while serving */
		nsec stalled[CAUSES];    /* how long they were */
		uint64_t lost_samples, lost_turns;
	} total;
	/*
	 * Of the last moments: time observed, and in it of all loops; what watching took of the
	 * target's CPU time, 0: unknown.
	 */
	nsec observed, busy, polled, taken;
	nsec open;       /* so long has the longest stall lasted that goes on; 0: there is none */
	nsec own_cpu;    /* of who observes it */
	uint64_t memory; /* bytes, the same */
	uint32_t loops;
	char probe[16]; /* the rung that runs */
};

/* Is a process observed? */
enum observed_as {
	OBSERVED_STARTING,   /* not yet */
	OBSERVED_LOOP,       /* yes, and it has a loop */
	OBSERVED_NO_LOOP,    /* yes, but no thread of it was seen to poll */
	OBSERVED_NOT,        /* it could not be; tried again later */
	OBSERVED_OVER_LIMIT, /* no: there are too many */
	OBSERVED_STATES
};
extern const char *const observed_names[OBSERVED_STATES];

void vitals_init(struct vitals *v);
/* What a process that is gone leaves behind. */
void vitals_add_totals(struct vitals *sum, const struct vitals *v);
/* Two processes as one: of what is so now the sum, of `open` the longer. */
void vitals_add(struct vitals *sum, const struct vitals *v);

#endif
