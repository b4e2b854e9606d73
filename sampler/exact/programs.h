#ifndef LAGPROF_SAMPLER_EXACT_PROGRAMS_H
#define LAGPROF_SAMPLER_EXACT_PROGRAMS_H

#include "sampler/exact/assembler.h"
#include "sampler/exact/kernel.h"
#include "sampler/exact/state.h"
#include "sampler/poll_key.h"

/* The exact probe's BPF programs.  Pure: they only fill in an assembler. */

struct program_maps {
	int slots, hists, ring; /* fds */
};

/*
 * On sys_enter_X: ends the turn, counts it, reports it if it was long, and
 * begins the next.  There is no hook on the call's exit, which would cost as
 * much again: a poll that sleeps ends where the scheduler brings the thread
 * back, one that does not takes no time.
 */
void program_poll_enter(struct assembler *a, const struct program_maps *maps,
			const struct poll_syscall *call, const struct kernel_types *types);
/* On sched_switch: tells the poll's sleep from those inside a turn, and sums these up. */
void program_switch(struct assembler *a, const struct program_maps *maps,
		    const struct kernel_types *types);
/* Gates of perf events: 1 lets the sample through. */
void program_clock_gate(struct assembler *a, const struct program_maps *maps);
void program_sleep_gate(struct assembler *a, const struct program_maps *maps);
/* On sys_enter_listen. */
void program_listen(struct assembler *a, const struct program_maps *maps);

#endif
