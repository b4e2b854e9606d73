#ifndef LAGPROF_SAMPLER_PROC_PROC_H
#define LAGPROF_SAMPLER_PROC_PROC_H

#include "sampler/proc/ticker.h"

/* The parts of the rung `proc` that others fall back on: see struct ticker_ops. */
void proc_tick(struct ticker *t, struct followed *f, const struct glance *g);
/* Stops the thread for a sample. */
void proc_sample(struct ticker *t, struct followed *f);
/* Traces one thread that has run for long, of those that are `hunted`, up to its next poll. */
void proc_idle(struct ticker *t, nsec until);
/*
 * Asks it to stop, and waits a moment for that: true if it has, then proc_let_go() is due.  One
 * that gets no CPU stops later: then call it again.
 */
bool proc_stop(struct ticker *t, struct followed *f);
void proc_let_go(struct ticker *t, struct followed *f);
/* Of a stopped thread. */
void proc_take_sample(struct ticker *t, struct followed *f, nsec at);

#endif
