#ifndef LAGPROF_SAMPLER_SNAPSHOT_H
#define LAGPROF_SAMPLER_SNAPSHOT_H

#include "core/error.h"
#include "sampler/stacks.h"
#include "sampler/target.h"

/*
 * The registers and stack of a thread that is asleep already, which no probe
 * will ever sample: it is seized, interrupted, copied and let go, within a
 * millisecond.  A thread in epoll_wait sees that call fail with EINTR, as after SIGSTOP.
 */
struct snapshot {
	struct raw_sample raw; /* raw.stack points to bytes */
	uint8_t bytes[65536];  /* libuv's poll alone has 12 KB on the stack */
};

/* -EPERM without the right to trace it, -ETIMEDOUT if it does not stop (uninterruptible). */
int snapshot_take(struct snapshot *s, pid_t tid, struct error *err);
/*
 * The same without touching the thread: the kernel tells where one that sleeps
 * in a system call (state) has its stack and code, but no other register.
 */
void snapshot_peek(struct snapshot *s, pid_t tid, const struct thread_state *state);

#endif
