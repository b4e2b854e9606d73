#ifndef LAGPROF_SAMPLER_POOL_WATCH_H
#define LAGPROF_SAMPLER_POOL_WATCH_H

#include "sampler/pool.h"
#include "sampler/space.h"
#include "sampler/target.h"

/* Finds the thread pool of a target, and keeps looking at it while a session runs. */
struct pool_watch {
	const struct target *target;
	struct space *space;
	struct memory_live *memory;
	struct pool pool;
	struct threadpool counts;
	nsec weighed; /* part of counts.saturated that pool_watch_weigh() has seen */
	bool found;
	uint32_t searches; /* in vain */
	nsec next_search;
};

void pool_watch_init(struct pool_watch *w, const struct target *target, struct space *space);
void pool_watch_destroy(struct pool_watch *w);
/* Searches or looks if that is due at `now` (CLOCK_MONOTONIC). */
void pool_watch_step(struct pool_watch *w, nsec now);
/* When the next step is due. */
nsec pool_watch_due(const struct pool_watch *w);
/* It runs another program now (exec), or is not watched any longer. */
void pool_watch_stop(struct pool_watch *w);
/* That share of the CPUs was idle since the last time: it decides about a saturated pool's size. */
void pool_watch_weigh(struct pool_watch *w, double idle);
/* Puts its counts into *worst, unless these are of another process's pool that is worse off. */
void pool_watch_report(const struct pool_watch *w, struct threadpool *worst);

/*
 * Where the target's libuv keeps its pool: by the symbols of the program or library
 * that holds it; where that is stripped, by what the variables of a libuv.so
 * look like, or by where the program's idle threads wait.
 * False if it was not found, which may change while it has not been started.
 */
bool pool_find(const struct target *target, struct space *space, struct memory *m,
	       struct pool_place *out);

#endif
