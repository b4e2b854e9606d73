#ifndef LAGPROF_SAMPLER_PROC_TRACK_H
#define LAGPROF_SAMPLER_PROC_TRACK_H

#include "core/hist.h"
#include "sampler/probe.h"

/*
 * What one followed thread does, for the rungs that keep its turns in user
 * space: counts turns and splits the one in hand.  Pure; times are
 * CLOCK_MONOTONIC ns.
 */

/* What the scheduler has counted of the thread. */
struct cpu_time {
	nsec exec, delay; /* on a CPU, waiting for one */
	bool exact;       /* exec is: it was on no CPU when read (else up to a clock tick old) */
};

struct track {
	uint64_t key;                /* POLL_KEY_… of the loop's poll; 0: none seen yet */
	nsec turn_start, poll_start; /* at most one is not 0; none: not known */
	struct cpu_time base;        /* as the turn began */
	/* Of the turn so far, kept by a rung that sees each switch (off_known): the time on no CPU,
	 * and the part for which it was pushed off. */
	bool off_known;
	nsec off, preempted;
	nsec slept, stopped; /* in this turn, without the sleep in hand; stopped: part */
	nsec held;           /* in this turn, it was traced while lagprof was late */
	struct sleep sleep;  /* in hand; from 0: none */
	uint64_t turns, busy, polled;
	struct hist lag;
};

void track_init(struct track *t);
bool track_matches(const struct track *t, uint64_t key);
/* The loop's poll is over at `at`. */
void track_begin_turn(struct track *t, nsec at, const struct cpu_time *base);
/* The loop polls from `at` on.  True if that ended a turn, which is then in *turn. */
bool track_begin_poll(struct track *t, nsec at, const struct cpu_time *now, struct turn *turn);
/* The thread is traced, and may have been stopped for so long because lagprof was late. */
void track_hold(struct track *t, nsec late);
/* It is only known since `at` that the turn in hand is one; it ran for `ran` before. */
void track_shorten(struct track *t, nsec at, nsec ran);
/* n turns that took busy ns together were over before anybody looked. */
void track_count(struct track *t, uint64_t n, nsec busy);
/* It is not known any more what the thread does. */
void track_lose(struct track *t);

void track_begin_sleep(struct track *t, const struct sleep *sleep);
/* Ends the sleep in hand, if there is one, and adds it to the turn: true, and *sleep is it. */
bool track_end_sleep(struct track *t, nsec at, struct sleep *sleep);

/* delay: the thread's wait for a CPU so far, as in struct cpu_time. */
void track_look(const struct track *t, nsec delay, struct loop_look *out);

#endif
