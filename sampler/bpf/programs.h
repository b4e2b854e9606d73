#ifndef LAGPROF_SAMPLER_BPF_PROGRAMS_H
#define LAGPROF_SAMPLER_BPF_PROGRAMS_H

#include "sampler/bpf/assembler.h"
#include "sampler/bpf/kernel.h"
#include "sampler/bpf/news.h"
#include "sampler/bpf/state.h"
#include "sampler/poll_key.h"

/* The BPF programs.  Pure: they only fill in an assembler. */

struct program_maps {
	int slots, hists, ring, stacks, asks; /* fds */
	uint32_t stack_bytes; /* copied with each sleep, a multiple of STACK_PIECE */
};

/*
 * On the tracepoint syscalls/sys_enter_X of each poll.  A poll of the loop ends
 * its turn, counts it, reports it if it was long, and begins the next.  There
 * is no hook on the call's exit, which would cost as much again: a poll that
 * sleeps ends where the scheduler brings the thread back, one that does not
 * takes no time.
 */
void program_poll(struct assembler *a, const struct program_maps *maps,
		  const struct poll_syscall *call, const struct kernel_types *types);
/* On the tracepoint syscalls/sys_enter_listen. */
void program_listen(struct assembler *a, const struct program_maps *maps);
/*
 * All of these in one, on raw sys_enter: for a short time, or where the ids of
 * tracepoints cannot be read.  It runs at every system call of the machine.
 */
void program_syscall(struct assembler *a, const struct program_maps *maps,
		     const struct kernel_types *types);
/*
 * On sched_switch.  Tells the poll's sleep from those inside a turn, sums these
 * up, and copies their stacks.
 */
void program_switch(struct assembler *a, const struct program_maps *maps,
		    const struct kernel_types *types);
/*
 * The gate of the clock's perf event: 1 lets the sample through.  Where no hook
 * sees polls begin, it notices a poll that is under way, and asks for a hook.
 */
void program_clock_gate(struct assembler *a, const struct program_maps *maps,
			const struct kernel_types *types);
/*
 * The same on the kernel's own tick, which comes anyway, while the clock is off: says when a turn
 * lasts, and lets nothing through.
 */
void program_tick(struct assembler *a, const struct program_maps *maps,
		  const struct kernel_types *types);
/* On raw sys_enter: calls that block (strict_call.h). */
void program_strict(struct assembler *a, const struct program_maps *maps);
/* On a breakpoint that fires slot->hooks_left times, at the instruction by which the loop polls. */
void program_hook(struct assembler *a, const struct program_maps *maps,
		  const struct kernel_types *types);

#endif
