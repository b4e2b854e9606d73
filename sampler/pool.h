#ifndef LAGPROF_SAMPLER_POOL_H
#define LAGPROF_SAMPLER_POOL_H

#include "core/recording.h"
#include "sampler/memory.h"

/*
 * libuv's thread pool, looked at from outside: how many of its threads work,
 * and what waits in its queue.  Pure but for the memory it reads: no clock, no
 * pid.  Looks are samples in time, so what lies between two of them is not seen.
 */

/* Where libuv keeps it (the static variables of its threadpool.c): addresses in the target. */
struct pool_place {
	uint64_t nthreads, idle_threads; /* unsigned int */
	uint64_t queue;                  /* head of a circular list {next, prev} of what waits */
	uint64_t slow_queue;             /* the same of look-ups of names, which may take long */
	uint64_t slow_message, exit_message; /* nodes of the queue that are no work */
};

enum { POOL_QUEUES = 2, POOL_MAX_WAITING = 256, POOL_MAX_THREADS = 1024 };

/* Work that waits: the address of its node in the queue. */
struct pool_work {
	uint64_t node;
	nsec since; /* the middle between the look that saw it first and the one before */
};

struct pool_queue {
	struct pool_work work[POOL_MAX_WAITING]; /* in order, oldest first */
	size_t n;
};

struct pool {
	struct pool_place place;
	nsec last, next;           /* looks; last 0: none yet */
	uint32_t threads, working; /* at the last look */
	uint64_t looks;
	nsec close; /* time that was looked at closely, for work waited or might have had to */
	uint64_t n_close; /* looks in that time */
	struct pool_queue queues[POOL_QUEUES];
	bool lookups; /* some waited at the last look */
	bool closing; /* libuv ends its threads: they are busy with nothing */
};

void pool_init(struct pool *p, const struct pool_place *place);
/* Do threads and queues at that place look like a pool's (one that has been started)? */
bool pool_place_fits(const struct pool_place *place, struct memory *m);
/*
 * Looks at it and adds what happened since the last look to `out`; sets p->next.
 * -EFAULT if it could not be read (the look is then as if it had not been).
 */
int pool_look(struct pool *p, struct memory *m, nsec now, struct threadpool *out);
/* No more looks: what still waits has waited so far. */
void pool_finish(struct pool *p, struct threadpool *out);

#endif
