#ifndef LAGPROF_SAMPLER_HELD_UP_H
#define LAGPROF_SAMPLER_HELD_UP_H

#include "sampler/probe.h"
#include "sampler/target.h"

/*
 * A loop that sleeps until somebody else is done (a lock, a child) is held up
 * by the machine while that one has no CPU.  Whom it waits for is not known: it
 * is taken to be the thread of the process (for a lock) or the child of the
 * loop's thread (for the rest) that ran meanwhile and waited for a CPU longest.
 * Costs the target nothing, and lagprof a look at each of them when a sleep lasts.
 */
enum { HELD_UP_OTHERS = 96 };

struct held_up {
	nsec turn;   /* start of the turn that it is about */
	nsec total;  /* of the sleeps of that turn that are over */
	nsec from;   /* of the sleep in hand; 0: none is looked at */
	int syscall; /* that it sleeps in */
	size_t n;
	struct other {
		pid_t tid;
		nsec ran, delay; /* by then, since it exists */
	} others[HELD_UP_OTHERS];
};

/* The loop of thread tid as it is now; called again and again.  In order of time. */
void held_up_look(struct held_up *h, const struct target *target, pid_t tid,
		  const struct loop_look *look);
/* Time for which it was held up in the turn that began then, until now; 0: unknown. */
nsec held_up_time(const struct held_up *h, const struct target *target, pid_t tid, nsec turn);

#endif
