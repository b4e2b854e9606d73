#ifndef LAGPROF_SAMPLER_PROC_PROC_H
#define LAGPROF_SAMPLER_PROC_PROC_H

#include "sampler/proc/ticker.h"

/* The parts of the rung `proc` that others fall back on: see struct ticker_ops. */
void proc_tick(struct ticker *t, struct followed *f, const struct glance *g);
/* Stops the thread for a sample. */
void proc_sample(struct ticker *t, struct followed *f);
/* Traces one thread that has run for long, of those that are `hunted`, up to its next poll. */
void proc_idle(struct ticker *t, nsec until);
/* Of a stopped thread. */
void proc_take_sample(struct ticker *t, struct followed *f, nsec at);

#endif
