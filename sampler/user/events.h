#ifndef LAGPROF_SAMPLER_USER_EVENTS_H
#define LAGPROF_SAMPLER_USER_EVENTS_H

#include <stdbool.h>

#include "sampler/perf_ring.h"
#include "sampler/probe.h"

/*
 * The perf events that an ordinary user may open on a thread of their own
 * (kernel.perf_event_paranoid <= 2): its context switches and execs, a clock that stays off
 * until a turn is long, and a breakpoint of the processor on the system call
 * instruction of its poll, which fires once each time it is armed.
 */
struct user_events {
	struct perf_ring switches, clock;
	int trap;            /* the breakpoint, -1: not armed */
	uint64_t trap_at;    /* its address */
	bool sampling;       /* the clock runs */
	uint64_t lost_known; /* switches that were counted as lost */
};

/* A record of the ring `switches`. */
enum user_record_kind { USER_OUT, USER_PREEMPTED, USER_IN, USER_TRAP, USER_EXEC };
struct user_record {
	enum user_record_kind kind;
	nsec at;
	/* USER_TRAP: */
	uint64_t number, argument, wait, sp; /* rax, rdi, rdx and rsp */
};

int user_events_open(struct user_events *e, pid_t tid, const struct probe_config *config,
		     struct error *err);
void user_events_close(struct user_events *e);
/* Arms the breakpoint at pc; no news if it is armed there already. */
int user_events_arm(struct user_events *e, pid_t tid, uint64_t pc, struct error *err);
void user_events_disarm(struct user_events *e);
void user_events_sample(struct user_events *e, bool on);
bool user_events_decode(const struct perf_event_header *h, struct user_record *out);

#endif
