#ifndef LAGPROF_CORE_EXCERPT_H
#define LAGPROF_CORE_EXCERPT_H

#include "core/recording.h"

/*
 * Appends the stalls of `from` that had not ended at `since`, with their samples, stacks,
 * loops and processes.  The first excerpt also gives `to` its session and target, and what
 * it takes to apply source maps.  Nothing is shared: `from` may be freed.
 */
void recording_excerpt(struct recording *to, const struct recording *from, nsec since);

#endif
