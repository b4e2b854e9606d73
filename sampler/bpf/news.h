#ifndef LAGPROF_SAMPLER_BPF_NEWS_H
#define LAGPROF_SAMPLER_BPF_NEWS_H

#include <asm/ptrace.h>
#include <stdint.h>

/* What the BPF programs say, record by record.  Times are CLOCK_MONOTONIC ns. */
enum { STACK_PIECE = 2048, KERNEL_FRAMES = 32 };

/* Records of the boundary ring; NEWS_STACK: of the ring of sleeps' stacks. */
enum news_type {
	NEWS_TURN = 1,
	NEWS_SLEEP,
	NEWS_POLL,
	NEWS_LISTEN,
	NEWS_STACK,
	NEWS_UNSEEN,
	NEWS_CALL,
	NEWS_LONG
};

struct news_turn {
	uint32_t type, tid;
	uint64_t start, end, off, stopped, preempted;
	uint64_t delay; /* growth of run_delay: preempted, and from wake-up to CPU */
	/* As in the slot. */
	uint64_t hooked_since, sure_since, entered;
};

struct news_sleep {
	uint32_t type, tid;
	uint64_t from, to;
	uint32_t state, syscall; /* enum off_state; number or -1 */
	uint64_t args[3];
	uint64_t sampled; /* a stack was taken */
};

/* A poll that is not (known to be) the loop's. */
struct news_poll {
	uint32_t type, tid;
	uint64_t at, key, sp, ip;
};

/*
 * NEWS_UNSEEN: the loop has not slept for long, and what polls it makes is not seen.
 * NEWS_LONG: its turn lasts, and the clock should be fast before the gate opens.
 */
struct news_listen {
	uint32_t type, tid;
	uint64_t at;
};

struct news_stack {
	uint32_t type, tid;
	uint64_t at;
	struct pt_regs regs;
	uint64_t kernel_bytes, stack_bytes; /* valid parts of what follows */
	uint64_t kernel[KERNEL_FRAMES];
	uint8_t stack[]; /* from regs.rsp up */
};

#endif
