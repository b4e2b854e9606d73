#ifndef LAGPROF_SAMPLER_PROC_GLANCE_H
#define LAGPROF_SAMPLER_PROC_GLANCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/error.h"
#include "core/recording.h"
#include "sampler/unwind.h"

/*
 * One thread as /proc shows it, read without stopping or slowing it: a few
 * microseconds.  Needs the right to trace the thread (same user, dumpable).
 */
struct glancer {
	int syscall, schedstat, stat; /* its files in /proc/PID/task/TID */
};

enum glance_kind {
	GLANCE_GONE,    /* it has ended */
	GLANCE_DENIED,  /* it may no longer be looked at */
	GLANCE_RUNNING, /* on a CPU or waiting for one */
	GLANCE_CALL,    /* asleep in a system call */
	GLANCE_ASLEEP,  /* asleep outside of one: a page fault */
};

struct glance {
	enum glance_kind kind;
	nsec at;              /* CLOCK_MONOTONIC, just before reading */
	int number;           /* of the system call; -1: none */
	uint64_t args[6];     /* of the call */
	uint64_t sp, pc;      /* valid unless running */
	nsec exec, delay;     /* on a CPU so far (exact while it is on none), waiting for one */
	uint64_t switches_in; /* how often it got a CPU */
	bool has_sched;       /* the kernel keeps those three */
};

/* procfd: /proc/PID.  -ESRCH, -EACCES. */
int glancer_open(struct glancer *g, int procfd, pid_t tid, struct error *err);
/* Only what the scheduler has counted: exec, delay, switches_in, has_sched. */
void glancer_look_at_schedule(const struct glancer *g, struct glance *out);
void glancer_close(struct glancer *g);
void glancer_look(const struct glancer *g, struct glance *out);

/* Its state as in its stat file (R S D T t Z X), '?' if unknown. */
char glancer_state(const struct glancer *g);

/* The key of the poll it is asleep in (sampler/poll_key.h), 0: it is in none. */
uint64_t glance_poll_key(const struct glance *g);
/* The registers that are known of a thread that sleeps in a system call. */
void glance_regs(const struct glance *g, struct regs *out);

#endif
