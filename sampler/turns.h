#ifndef LAGPROF_SAMPLER_TURNS_H
#define LAGPROF_SAMPLER_TURNS_H

#include "sampler/probe.h"

/*
 * What one loop does, as a pure state machine: gathers the samples and sleeps
 * of the turn in hand, and settles them into a stall when the turn turns out to
 * be long.  No clock, no pid.
 */
struct turns {
	struct sample *samples; /* of turns whose end is not known yet, in order of time */
	struct sleep *sleeps;
	size_t n_samples, n_sleeps, cap_samples, cap_sleeps;
	uint64_t dropped; /* samples beyond TURNS_MAX_PENDING */
};

/* One turn keeps no more samples and sleeps than this (10 minutes at 1 kHz would be 600,000). */
enum { TURNS_MAX_PENDING = 60000 };

/* Keeps a copy of s; its arguments are copied too. */
void turns_sample(struct turns *t, const struct sample *s);
void turns_sleep(struct turns *t, const struct sleep *s);
/* The sleep whose stack a sample is: the one that began when it was taken.  NULL: not known. */
const struct sleep *turns_sleep_of(const struct turns *t, const struct sample *s);
/*
 * Settles a turn, or the next slice of one that is still open: adds its split
 * to `stall` (duration, running, runnable, blocked, stopped, page_fault,
 * samples) and gives each of its samples a weight, so that the weights of a
 * state add up to that state's time.  The samples stay in t (from *first on,
 * *n of them) until turns_forget().
 */
void turns_settle(struct turns *t, const struct turn *slice, struct stall *stall, size_t *first,
		  size_t *n);
/* Drops all that lies before `at`: those turns ended, short or settled. */
void turns_forget(struct turns *t, nsec at);
void turns_destroy(struct turns *t);

#endif
