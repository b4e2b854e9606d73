#ifndef LAGPROF_CORE_DIFF_H
#define LAGPROF_CORE_DIFF_H

#include "core/finding.h"

/* What became of the findings of one recording in another.  Data only. */

enum change {
	CHANGE_NEW,
	CHANGE_WORSE,
	CHANGE_GONE,
	CHANGE_BETTER,
	CHANGE_SAME,
	CHANGE_HOST, /* of the machine: nobody's change of the code */
	CHANGES
};

struct diff_entry {
	enum change change;
	const struct finding *before; /* NULL: new */
	const struct finding *after;  /* NULL: gone */
};

/* One of the two recordings, while serving. */
struct diff_side {
	nsec serving;   /* length of the serving phase */
	nsec stalled;   /* part of it */
	nsec waited;    /* part of stalled: for a CPU, by the loop or by whom it waited for */
	nsec lag_p99;   /* of every turn, startup included */
	uint64_t turns; /* 0: nothing is known */
};

struct diff {
	struct diff_side before, after;
	struct diff_entry *entries; /* by change, then the heaviest first */
	size_t n;
	size_t counts[CHANGES];
};

#endif
