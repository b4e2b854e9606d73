#ifndef LAGPROF_SAMPLER_PROC_TRACER_H
#define LAGPROF_SAMPLER_PROC_TRACER_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/error.h"
#include "core/recording.h"
#include "sampler/unwind.h"

/*
 * Stops a thread for the few microseconds that a copy of its registers and
 * stack takes: PTRACE_SEIZE, so that the end of lagprof, however it comes, lets
 * it run on.  All calls for one tracer come from one thread of lagprof, which
 * has called tracer_prepare().
 */
struct tracer {
	pid_t tid;
	bool reaps;    /* its end is ours to collect while it is traced, not the session's */
	bool seized;   /* traced: running or stopped */
	bool stopped;  /* and stopped right now */
	bool at_entry; /* of a system call */
	int signal;    /* that it was stopped for, and gets as it runs on */
};

/* The call of a thread that was stopped as it entered it. */
struct traced_call {
	nsec at;
	int number;
	uint64_t args[6], sp, pc;
};

/* May this process call ptrace(2) at all?  -EPERM if a filter refuses it, and what mends that. */
int tracer_allowed(struct error *err);
/* Once in the thread that traces: waits of this thread can be cut short from then on. */
int tracer_prepare(struct error *err);
void tracer_unprepare(void);

/* Stops it: 0, -EPERM, -ESRCH, or -ETIMEDOUT if it has not stopped by `until`; then try again. */
int tracer_stop(struct tracer *t, nsec until);
/* Of a stopped thread: its registers and at most size bytes of stack; how many. */
size_t tracer_copy(const struct tracer *t, struct regs *regs, uint8_t *stack, size_t size);
/*
 * Lets a stopped thread run to its next call of a poll, but waits for that no
 * longer than `until` and through no more than *calls system calls, which it
 * counts down.  1: it is stopped there; 0: it runs, and must be stopped or let go;
 * -ESRCH.
 */
int tracer_run_to_poll(struct tracer *t, nsec until, unsigned *calls, struct traced_call *out);
/* Lets it run as if nothing had been.  False if it has yet to stop for that: try again. */
bool tracer_let_go(struct tracer *t, nsec until);

/* Now and then: collects the ends of threads that were killed while they were stopped. */
void tracer_collect(void);

/* What is readable of `size` bytes at addr in a thread's memory, from its start on. */
size_t tracer_read(pid_t tid, uint64_t addr, uint8_t *out, size_t size);

#endif
