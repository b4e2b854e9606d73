#ifndef LAGPROF_SAMPLER_PROBE_H
#define LAGPROF_SAMPLER_PROBE_H

#include "sampler/event.h"

/* A loop as it is right now. */
struct loop_look {
	nsec turn_start;    /* 0: polling or not known */
	nsec poll_start;    /* 0: not in its poll */
	nsec off, stopped;  /* of the turn so far, without a sleep that lasts */
	struct sleep sleep; /* from != 0: it sleeps inside a turn right now */
	nsec delay_base; /* the thread's run_delay as the turn first left the CPU; 0: it did not */
	uint64_t turns, busy, polled;
	uint64_t key; /* POLL_KEY_… of its poll, 0: none seen yet */
};

struct probe_config {
	pid_t pid;
	nsec threshold, gate;             /* report turns, sample turns older than this */
	uint32_t freq;                    /* samples per second of on-CPU time */
	uint32_t stack_bytes;             /* copied with each sample */
	bool strict;                      /* look for calls that block (strict_call.h) */
	size_t stack_ring, boundary_ring; /* bytes, powers of two; 0: default */
	int gate_fd; /* of a launched target that has not run its exec yet (struct target); or -1 */
	const char *command; /* with gate_fd: the program it will run */
	double max_overhead; /* share of the target's time it may take; 0: no limit */
};

/* What watching costs the target itself. */
struct probe_overhead {
	const char *rung; /* the cheapest so far; a probe may step down to another, and back */
	uint32_t steps;   /* how often it did */
	nsec error_bound; /* of a turn's length, on that rung */
	nsec cpu;         /* of the target's CPU time so far: turns x what one costs, estimated */
};

struct probe_losses {
	uint64_t made, lost; /* samples */
	uint64_t turns;      /* boundary records */
	uint64_t calls;      /* that block, and were not looked at */
};

/*
 * A source of events about the target.  To add one: a `const struct probe` in
 * sampler/, its row in probes.c (best first).
 */
struct probe {
	const char *name;
	nsec error_bound;  /* of a turn's length */
	bool strict;       /* it can look for calls that block */
	bool traces;       /* its stacks of what runs take ptrace(2) */
	const char *needs; /* rights, in words, for lagprof doctor */
	int (*open)(void **state, const struct probe_config *config, struct error *err);
	void (*close)(void *state);
	/* Readable when drain() has something to do at once. */
	int (*fd)(void *state);
	/* Watches a thread of the target: -ENOSPC when no more fit, -ESRCH when it is gone. */
	int (*follow)(void *state, pid_t tid, struct error *err);
	void (*unfollow)(void *state, pid_t tid);
	/*
	 * From now on events of that process come too, and its threads may be followed; or no
	 * longer.  NULL: the probe is for one process only.
	 */
	int (*add_process)(void *state, pid_t pid, struct error *err);
	void (*remove_process)(void *state, pid_t pid);
	/* Says which poll of the thread is the loop's; asleep_in: it is in that call now, 0: not.
	 */
	void (*choose)(void *state, pid_t tid, uint64_t key, int asleep_in);
	/*
	 * The thread is inside a turn that began at `at` (an exec, or found so);
	 * asleep_in: it sleeps since then in that system call, -1: it does not.
	 */
	void (*begin)(void *state, pid_t tid, nsec at, int asleep_in);
	void (*set_threshold)(void *state, nsec threshold, nsec gate);
	/* Hands over what has happened; events of one kind come in order of time for a thread. */
	void (*drain)(void *state, void (*handle)(void *arg, const struct event *e), void *arg);
	/* False if the thread is not followed. */
	bool (*look)(void *state, pid_t tid, struct loop_look *out);
	/* Copies the thread's lag histogram (n, sum, min, max too). */
	bool (*lag)(void *state, pid_t tid, struct hist *out);
	void (*losses)(void *state, struct probe_losses *out);
	/* NULL: it costs the target nothing to speak of. */
	void (*overhead)(void *state, struct probe_overhead *out);
};

extern const struct probe probe_exact, probe_light, probe_user, probe_shim, probe_proc;
extern const struct probe *const probes[]; /* ends with NULL */
const struct probe *probe_find(const char *name);
/*
 * Opens the first of them that works.  refused says why the best did not, and
 * what would mend it; code 0: it did.  If none works it is that of the last, which wants least.
 */
const struct probe *probe_open_best(void **state, const struct probe_config *config,
				    struct error *refused);

#endif
