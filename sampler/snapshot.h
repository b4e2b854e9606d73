#ifndef LAGPROF_SAMPLER_SNAPSHOT_H
#define LAGPROF_SAMPLER_SNAPSHOT_H

#include "core/error.h"
#include "sampler/stacks.h"

/*
 * The registers and stack of a thread that is asleep already, which no probe
 * will ever sample: it is seized, interrupted, copied and let go, within a
 * millisecond.  Not for a thread in epoll_wait: that call would fail with EINTR.
 */
struct snapshot {
	struct raw_sample raw; /* raw.stack points to bytes */
	uint8_t bytes[16384];
};

/* -EPERM without the right to trace it, -ETIMEDOUT if it does not stop (uninterruptible). */
int snapshot_take(struct snapshot *s, pid_t tid, struct error *err);

#endif
