#ifndef LAGPROF_SAMPLER_EVENT_H
#define LAGPROF_SAMPLER_EVENT_H

#include "core/recording.h"
#include "sampler/poll_key.h"
#include "sampler/space.h"
#include "sampler/stacks.h"

/*
 * What a probe says about the target.  Times are CLOCK_MONOTONIC ns.  Pointers
 * are valid during the call only.
 */
enum event_kind {
	EVENT_TURN,   /* a turn at least as long as the threshold ended */
	EVENT_SLEEP,  /* the loop slept inside a turn, and came back */
	EVENT_SAMPLE, /* a stack */
	EVENT_CALL, /* a system call that blocks, inside a turn (probe_config.strict): its stack */
	EVENT_POLL, /* a poll that is not (known to be) the loop's begins */
	EVENT_LISTEN, /* the target calls listen() */
	EVENT_EXEC,   /* it runs another program now */
	EVENT_MMAP,
	EVENT_FORK,      /* it has a new child process or thread */
	EVENT_EXIT,      /* a thread of it ended */
	EVENT_PREEMPTED, /* the loop lost its CPU inside a turn for a millisecond or more, and came
			    back */
};

struct turn {
	nsec start, end;
	nsec off;     /* of it, not on a CPU: blocked, runnable or stopped */
	nsec stopped; /* part of off */
	nsec delay;   /* part of off spent waiting for a CPU */
};

struct sleep {
	nsec from, to; /* to: 0 while it lasts */
	enum sample_state state;
	int syscall; /* -1: none (page fault) or unknown */
	uint64_t args[3];
	bool sampled;
};

struct event {
	enum event_kind kind;
	int32_t pid, tid;
	nsec at;
	union {
		struct turn turn;
		struct sleep sleep;
		struct {
			struct raw_sample raw;
			bool asleep; /* taken as the thread went to sleep */
			int syscall; /* of EVENT_CALL */
		} sample;
		struct {
			uint64_t key, sp, ip; /* ip: 0 unknown */
		} poll;
		struct mapping mapping;
		struct {
			int32_t child_pid, child_tid;
		} fork;
		struct {
			nsec length;
			int32_t by; /* the thread that ran longest there at a time; 0: none */
		} preempted;
	};
};

#endif
