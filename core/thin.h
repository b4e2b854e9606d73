#ifndef LAGPROF_CORE_THIN_H
#define LAGPROF_CORE_THIN_H

#include "core/recording.h"

/*
 * Keeps the samples of rec within their share of memory_max; called for each
 * new one, whose time is `now`.  When they reach it, those of stalls that ended
 * more than THIN_AGE ago are merged: first neighbours of the same stack, then,
 * if that is not enough, pairs of neighbours whatever their stacks, as if they
 * had been taken half as often.  The time of each state of each stall stays what
 * it was.
 */
void recording_thin(struct recording *rec, nsec now);

/* Far above the second within which a recording is written down. */
#define THIN_AGE ((nsec)10 * 1000000000)

#endif
