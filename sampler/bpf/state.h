#ifndef LAGPROF_SAMPLER_BPF_STATE_H
#define LAGPROF_SAMPLER_BPF_STATE_H

#include <stdint.h>

#include "core/hist.h"

/*
 * What the BPF programs and user space share: one slot a loop
 * thread, in a map that lagprof mmaps.  A thread's slot is at (tid >> n) % 64
 * for the first n of 0, 2, 4, 6 where none was yet, tid being the kernel's own:
 * threads that are started together have close ids.  Only the thread itself (by
 * the programs) writes what the programs write.  Times are CLOCK_MONOTONIC ns.
 */
enum { SLOTS = 64, SLOT_SIZE = 512 };
enum { SLOT_SHIFT = 2, SLOT_SHIFT_MAX = 6 };

/* As kernel_tid: its thread is followed no more, but others may lie behind it. */
#define SLOT_LEFT UINT32_MAX

/* Which hooks see a thread's polls as they begin: of two that are there only one counts. */
enum hooked {
	HOOKED_NOT = 0,
	HOOKED_ALL = 1,  /* the one on all system calls: quickly attached, and quickly gone */
	HOOKED_EACH = 2, /* those on each system call that polls: cheaper for all other calls */
};

enum off_state { OFF_RUNNABLE = 1, OFF_BLOCKED = 2, OFF_STOPPED = 3 };

struct loop_slot {
	/* Read at each switch or poll; written by user space. */
	uint32_t kernel_tid;   /* that the slot is found by; 0: free */
	uint32_t hooked;       /* enum hooked: by a hook that stays; or if at all, by hooks_left */
	uint64_t key;          /* POLL_KEY_… of the loop's poll; 0: not known yet */
	uint64_t threshold;    /* turns at least this long are reported */
	uint64_t gate;         /* turns older than this are sampled */
	uint64_t ask_after;    /* turns older than this ask for a hook (NEWS_UNSEEN); 0: none do */
	uint64_t quicken;      /* turns older than this want the clock fast (NEWS_LONG) */
	uint64_t hooked_since; /* polls have been seen as they begin since; 0: they are not */
	uint32_t tid;          /* the same thread in lagprof's pid namespace */
	uint32_t quickened;    /* NEWS_LONG was sent, and the clock is not slow again since */

	/* Written by the programs at each turn. */
	uint64_t turn_start; /* 0: asleep in the loop's poll, or not known */
	uint64_t poll_start; /* when it fell asleep there; 0: it did not */
	uint64_t off_since;  /* 0: on a CPU, or outside a turn */
	uint64_t off_time;   /* in this turn so far */
	uint32_t delay_valid;
	uint32_t asked;       /* NEWS_UNSEEN was sent for this turn */
	uint32_t entered;     /* this turn began at a hook: the thread may be in the poll yet */
	uint32_t poll_number; /* system call of the loop's poll */
	uint64_t poll_ip;     /* where the loop's poll returns to; 0: not seen to sleep yet */
	uint64_t other_at;    /* a poll that is not the loop's, inside the turn */

	uint64_t turns, busy, polled, min, max;
	uint64_t stopped_time, preempted_time; /* of off_time */
	uint64_t vague;                        /* of busy: in turns that are perhaps many */
	/* Looks by the clock at turns that began at a hook: in their poll; not, the first of a
	 * turn. */
	uint64_t looks_hit, looks_missed;
	uint64_t missed_at; /* when the latter was last */
	uint64_t other_key;

	/* Of turns that sleep or last. */
	uint32_t off_state, off_syscall;
	uint64_t off_args[3];
	uint64_t delay_base;             /* run_delay when the turn first went off the CPU */
	uint64_t sampled;                /* a stack of this sleep was taken */
	uint64_t sample_at;              /* token bucket: theoretical arrival time */
	uint64_t long_at;                /* when a turn was last seen to want the clock fast */
	uint64_t lost_turns, lost_other; /* records that found the boundary ring full */
	uint64_t made_clock, made_sleep; /* samples let through, stacks of sleeps */
	uint64_t calls_missed;           /* those that came when none were left */
	uint64_t lost_sleep;             /* of made_sleep, those that found their ring full */

	/* Written by user space now and then; counted down by the programs. */
	uint64_t reports_left; /* other polls that may still be reported */
	uint64_t calls_left;   /* calls that block whose stacks may still be taken */
	uint64_t sure_since; /* a turn that seemed to begin before surely, or likely, began then */
	uint64_t hooks_left; /* how often a hook that does not stay fires yet */
};
_Static_assert(sizeof(struct loop_slot) <= SLOT_SIZE, "a slot must fit");

union slot_room {
	struct loop_slot slot;
	uint8_t room[SLOT_SIZE];
};

/*
 * What the program on switches needs of a CPU at each of them, in one cache
 * line.  A loop that lost the CPU inside its turn waits for it: which of the
 * threads that got it instead ran longest at a time?
 */
struct slot_cpu {
	uint64_t since; /* the last switch; 0: no loop waits for this CPU */
	uint64_t longest, by;
	uint64_t members; /* bit n: a followed thread's id is n modulo 64; by user space */
	/* CLOCK_MONOTONIC less the scheduler's clock (signed), and the latter when that was seen.
	 */
	uint64_t ahead, looked_at;
	uint64_t unused[2];
};
enum { SLOT_CPUS = 1024, SLOT_CPU_SHIFT = 6 }; /* CPUs beyond share with others */
_Static_assert(sizeof(struct slot_cpu) == 1 << SLOT_CPU_SHIFT, "programs shift by it");

/*
 * The value of the histogram map: counts of each slot's turns, buckets of core/hist.h, and what is
 * known of each CPU.
 */
struct slot_hists {
	uint64_t count[SLOTS][HIST_BUCKETS];
	struct slot_cpu cpus[SLOT_CPUS];
};

#endif
