#ifndef LAGPROF_SAMPLER_WATCH_H
#define LAGPROF_SAMPLER_WATCH_H

#include "sampler/held_up.h"
#include "sampler/host_watch.h"
#include "sampler/in_hand.h"
#include "sampler/poll_choice.h"
#include "sampler/probe.h"
#include "sampler/stacks.h"
#include "sampler/syscall_args.h"
#include "sampler/target.h"
#include "sampler/turns.h"

/*
 * One thread that is followed as a loop: turns the probe's events and looks
 * into stalls and samples of the recording.
 */
struct watch {
	pid_t tid;
	uint32_t loop; /* index in recording.loops, UINT32_MAX before the thread polled */
	struct poll_choice choice;
	struct turns turns;
	struct in_hand in_hand;
	struct held_up held_up;
	struct loop_look look; /* at the last cycle */
	struct turn *ended;    /* long turns that ended since then */
	size_t n_ended, cap_ended;
	struct held_stack *held; /* stacks of sleeps in turns that may still be short */
	size_t n_held, cap_held;
	struct turn settled; /* the part of the open turn that is in the recording; start 0: none */
	uint32_t stall;      /* id of the open stall, when settled.start */
	nsec cut;            /* the turn that begins here was already under way */
	nsec told;           /* when an open stall was last reported */
	nsec waited;         /* for a CPU before it served, since the thread exists */
	bool is_loop;        /* known to be one although it was not seen to poll */
	bool unsure;         /* found inside a turn: its first poll may be made in there */
	nsec trial;          /* followed until then to see whether it polls; 0: not on trial */
	bool gone;           /* the thread has ended */
	struct sample last_sleep; /* the stack of the sleep in hand, when at != 0 */
};

/* What the watches of a session share. */
struct watch_context {
	const struct probe *probe;
	void *probe_state;
	const struct target *target;
	struct recording *rec;
	struct sink *sink;
	struct stack_maker *stacks;
	struct syscall_args *calls;
	struct space *space;
	const struct host_watch *host;
	nsec base; /* CLOCK_MONOTONIC of session start */
	nsec gate; /* see probe_config */
	nsec threshold;
	nsec serving_since; /* of the process: start of PHASE_SERVING, UINT64_MAX: not yet */
	bool child;         /* it was not asked for itself: only what polls there is a loop */
	bool dump;          /* threads are to be seen as they are right now, asleep or not */
	bool show_queries;  /* see request_find() */
};

void watch_init(struct watch *w, const struct target *target, pid_t tid);
void watch_destroy(struct watch *w);

/* Before draining: looks at the loop as it is now. */
void watch_look(struct watch *w, struct watch_context *c);
/* An event of this thread. */
void watch_event(struct watch *w, struct watch_context *c, const struct event *e);
/*
 * The thread ran exec at `at`.  True if it is known to have polled since: then
 * the turn it was in is cut to what came after; else watch_reset() is due.
 */
bool watch_exec(struct watch *w, nsec at);
/* After draining: settles what has ended, and the slice of what is open.  now: CLOCK_MONOTONIC. */
void watch_cycle(struct watch *w, struct watch_context *c, nsec now);
/*
 * What is open is not followed any further: the thread runs another program
 * now or has ended (over), or the session ends.
 */
void watch_reset(struct watch *w, struct watch_context *c, nsec now, bool over);
/* Copies counters and the lag histogram into the recording. */
void watch_count(struct watch *w, struct watch_context *c);

#endif
