#ifndef LAGPROF_SAMPLER_PROCESS_H
#define LAGPROF_SAMPLER_PROCESS_H

#include "sampler/pool_watch.h"
#include "sampler/queue.h"
#include "sampler/session.h"
#include "sampler/watch.h"

enum { MAX_WATCHES = 64 }; /* loops of one process */

/*
 * One process of a session: the target, or a child of it that is followed.
 * Finds its loops, and turns the probe's events about it into the recording.
 */
struct process {
	const struct target *target;
	struct target own;        /* of a child: what target points to; pid 0: not a child */
	struct target_info *info; /* in the recording */
	const struct session_config *config;
	struct watch_context c;
	struct pool_watch pool;
	struct watch *watches[MAX_WATCHES];
	size_t n_watches;
	struct sighting *sightings;
	size_t n_sightings, cap_sightings;
	nsec last_look_around, last_refresh;
	struct queue early; /* samples from before the space was known to be their program's */
	unsigned rounds;    /* since it is */
	uint64_t unread;    /* samples that turned out to be of a program that is gone */
	bool maps_changed, listening;
	bool launches; /* it is a launcher: its own loop serves nobody */
	bool found;    /* it was running already */
	bool starts;   /* it was seen from its beginning: there is a startup */
	bool started;  /* a launched target has run its exec */
	bool replaced; /* its program has been, and no exec was told of yet */
	bool denied;   /* the kernel does not let us look into it (any more) */
	bool exited;   /* its main thread has */
};

/* p->target, own and info are set, the rest is 0.  config outlives it. */
void process_open(struct process *p, const struct watch_context *context,
		  const struct session_config *config);
/* Takes its main thread for a loop. */
int process_follow(struct process *p, struct error *err);
/* The thread's watch, NULL if it is not followed. */
struct watch *process_watch(struct process *p, pid_t tid);
/* Before draining: looks at its loops as they are. */
void process_look(struct process *p, nsec now);
void process_event(struct process *p, const struct event *e);
/* After draining: settles what has ended.  now: CLOCK_MONOTONIC before process_look(). */
void process_cycle(struct process *p, nsec now);
/* Copies the counters of its loops into the recording. */
void process_count(struct process *p);
/* The session is over, or the process (ended). */
void process_finish(struct process *p, nsec now, bool ended);
void process_close(struct process *p);

#endif
