#ifndef LAGPROF_SAMPLER_BPF_ENGINE_H
#define LAGPROF_SAMPLER_BPF_ENGINE_H

#include <linux/limits.h>
#include <pthread.h>

#include "sampler/bpf/bpf_ring.h"
#include "sampler/bpf/programs.h"
#include "sampler/perf_ring.h"
#include "sampler/probe.h"

/* The state of the rungs that run programs in the kernel, private to sampler/bpf/. */

enum {
	ENGINE_MAX_CPUS = 1024,
	ENGINE_MAX_TRACEPOINTS = 16,
	ASKS = 4, /* a light turn asks for a hook at this part of the threshold */
};

struct followed {
	pid_t tid;
	size_t slot;
	int hook;            /* a breakpoint on the loop's poll, -1 or -errno: none */
	bool lasting;        /* it is there because the loop turns seldom */
	nsec hooked_at;      /* when it was opened */
	nsec slept;          /* slot->polled as all polls were hooked */
	uint64_t last_turns; /* slot->turns at the last look */
	nsec busy_until;     /* it turned too often for a hook that stays */
	/* What the governor saw last: turns, voluntary switches, calls that read or write. */
	uint64_t governed_turns, switches, calls;
};

/* ns of a followed thread's CPU time, measured on lagprof's own. */
struct engine_costs {
	double poll;    /* of each poll of a loop while all are hooked */
	double call;    /* of each other system call meanwhile */
	double program; /* of each run of a program */
	double hook;    /* of each breakpoint that fires */
};

struct engine {
	struct probe_config config;
	struct program_maps maps;
	union slot_room *slots; /* SLOTS of them, shared with the programs */
	struct slot_hists *hists;
	struct bpf_ring ring, stacks, asks; /* boundaries; stacks of sleeps; NEWS_UNSEEN */
	struct kernel_types types;
	int clock_gate, hook_program, switch_link, syscall_link, strict_link, tick_link;
	int tracepoints[ENGINE_MAX_TRACEPOINTS];
	size_t n_tracepoints, n_polls; /* n_polls: of poll_syscalls[], that have one */
	enum hooked hooked_by;         /* while hooked_all */
	bool light;                    /* polls are hooked only where they go unseen */
	bool was_light;                /* at any time */
	bool decided;                  /* the governor had a look from which it can tell */
	bool step_due;                 /* as soon as no turn would be cut by it */
	bool prompt;       /* the thread that tends hooks and clock runs ahead of all else */
	bool fast;         /* the clock */
	nsec clock_period; /* 0: it is off */
	struct engine_costs costs;
	nsec opened, governed, calm_since,
		try_again;           /* times: last look, cheap enough since, step up from */
	uint32_t steps, asks_served; /* taken; breakpoints that fire once since the last look */
	nsec overhead;               /* of the target's CPU so far */
	/* The thread that tends hooks: see hooks.c. */
	pthread_t hooker;
	pthread_mutex_t lock; /* of followed[] and all hooks, once hooker runs */
	int hooker_end;       /* an event that ends it; -1: it does not run */
	nsec hooked_all;      /* every poll is hooked since; 0: not */
	pthread_t closer;
	bool closing; /* closer is to be joined */
	nsec tended;  /* when engine_tend_hooks() last had a look at all of them */
	struct perf_ring clocks[ENGINE_MAX_CPUS], sides[ENGINE_MAX_CPUS];
	size_t n_cpus;
	pid_t children[SLOTS]; /* other processes whose events are wanted */
	size_t n_children;
	struct followed followed[SLOTS];
	size_t n_followed;
	uint64_t unknown;            /* turns of which it cannot be said whether they were one */
	nsec doubt;                  /* by how much the begin of a stall may be wrong, at most */
	struct probe_losses retired; /* of threads no longer followed */
	int epoll;

	/* While draining. */
	void (*handle)(void *arg, const struct event *e);
	void *arg;
	char path[PATH_MAX];
};

/* NULL: it is not followed. */
struct followed *engine_find(struct engine *x, pid_t tid);
struct loop_slot *engine_slot(struct engine *x, pid_t tid);
/* Loads the programs and attaches them; what was opened is in x also on failure. */
int engine_attach(struct engine *x, struct error *err);
/* Measures x->costs, before anything is attached and with the first hook. */
void engine_measure_plain(struct engine *x);
void engine_measure_hooked(struct engine *x);
/* Adds to x->overhead once a second; on its account steps down, and back up. */
void engine_govern(struct engine *x, nsec now);
/* Opens the rings of all CPUs: gated clock samples, and mappings, execs, forks and exits. */
int engine_open_cpus(struct engine *x, struct error *err);
/* The age from which a turn wants the clock fast. */
nsec engine_quicken_after(const struct engine *x);
/* Also after a change of the gate. */
void engine_set_clock(struct engine *x, bool fast);
/* Makes it slow where no turn has lasted for some time. */
void engine_tend_clock(struct engine *x, nsec now);
/* Makes engine_fd() readable when fd is. */
int engine_watch_fd(struct engine *x, int fd, struct error *err);

#endif
