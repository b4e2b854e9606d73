#ifndef LAGPROF_CORE_SESSION_H
#define LAGPROF_CORE_SESSION_H

#include <stdbool.h>

#include "core/duration.h"
#include "core/hist.h"

/* What was observed, and how: the loops, the session and the processes of a recording.  Data only.
 */

enum loop_kind { LOOP_EPOLL, LOOP_POLL, LOOP_SELECT, LOOP_IO_URING, LOOP_LIBUV, LOOP_ASYNCIO };

struct loop {
	int32_t pid, tid;
	const char *name; /* the thread's comm */
	enum loop_kind kind;
	uint64_t turns;    /* turns that ended, of any length */
	uint64_t lost;     /* turns whose boundaries were lost */
	nsec busy, polled; /* time inside and outside turns */
	nsec waited;       /* for a CPU, while serving, in turns or not; 0 unknown */
	struct hist lag;   /* of every turn that ended */
};

enum session_end {
	END_RUNNING,
	END_TARGET_EXITED,
	END_INTERRUPTED,
	END_DURATION,
	END_CUT_SHORT,
	END_PRIVILEGES
};

struct session {
	int64_t start_unix_ns;
	nsec duration, threshold;
	uint32_t sample_hz;
	enum session_end end;
	int32_t exit_status; /* wait(2) status of the target, -1 if unknown */
	nsec serving_since;  /* start of PHASE_SERVING; UINT64_MAX: not yet */
	uint64_t lost_samples, lost_turns;
	const char *probe, *unwinder; /* "exact", "native" */
	nsec error_bound;             /* of a stall's length, as the probe promises */
	nsec intrinsic_latency; /* the machine's own worst hiccup, measured at start; 0 unknown */
	nsec own_cpu;           /* CPU time lagprof itself used */
	bool strict;            /* calls that block were looked for */
	uint64_t strict_missed; /* of them, not looked at: there were too many */
	nsec target_cpu;        /* of the target's, taken by watching it; estimated, 0 unknown */
	uint32_t steps;         /* how often the probe stepped down to a cheaper rung, or back up */
	bool resolved;          /* file:line and inlined frames were looked up (symbols_resolve) */
};

struct target_info {
	int32_t pid, parent; /* parent: process id, 0 unknown or not of interest */
	uint32_t argc;
	const char **argv, *exe;
	const char *cwd; /* its working directory when it was first looked at; NULL unknown */
	const char *runtime, *runtime_version; /* "v8"/"cpython" and what it says; NULL: native */
	uint32_t threads;
};

#endif
