#ifndef LAGPROF_ANALYZERS_CLOCKED_H
#define LAGPROF_ANALYZERS_CLOCKED_H

#include "analyzers/code.h"

/*
 * A turn that looks at the clock until some time has come (a busy wait) does not
 * end sooner where it has a CPU for itself: what it waited for one is its own.
 * Returns how long it surely went on, in ns; 0: it is no such turn.  The parts
 * are blamed and in order of time.
 */
nsec clocked_time(struct classifier *c, const struct stall *stall, const struct part *parts,
		  size_t n);

#endif
