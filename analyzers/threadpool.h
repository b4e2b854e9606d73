#ifndef LAGPROF_ANALYZERS_THREADPOOL_H
#define LAGPROF_ANALYZERS_THREADPOOL_H

#include "core/finding.h"

/*
 * Whether libuv's thread pool holds the target back, and what its size has to do
 * with that: more threads help only where the loop is free and CPUs are idle.
 * Advice is put into d->arena.  d->stalls need not be there yet.
 */
void threadpool_judge(const struct recording *rec, struct diagnosis *d);

#endif
