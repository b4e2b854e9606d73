#ifndef LAGPROF_SAMPLER_EXACT_EXACT_H
#define LAGPROF_SAMPLER_EXACT_EXACT_H

#include <linux/limits.h>

#include "sampler/exact/bpf_ring.h"
#include "sampler/exact/programs.h"
#include "sampler/perf_ring.h"
#include "sampler/probe.h"

/* The state of the exact probe, private to sampler/exact/. */

enum { EXACT_MAX_CPUS = 1024, EXACT_MAX_TRACEPOINTS = 16 };

struct followed {
	pid_t tid;
	size_t slot;
};

struct exact {
	struct probe_config config;
	struct program_maps maps;
	union exact_slot_room *slots; /* EXACT_SLOTS of them, shared with the programs */
	struct exact_hists *hists;
	struct bpf_ring ring, stacks; /* boundaries; stacks of sleeps */
	int clock_gate, switch_link, syscall_link;
	int tracepoints[EXACT_MAX_TRACEPOINTS];
	size_t n_tracepoints;
	struct perf_ring clocks[EXACT_MAX_CPUS], sides[EXACT_MAX_CPUS];
	size_t n_cpus;
	struct followed followed[EXACT_SLOTS];
	size_t n_followed;
	struct probe_losses retired; /* of threads no longer followed */
	int epoll;

	/* While draining. */
	void (*handle)(void *arg, const struct event *e);
	void *arg;
	char path[PATH_MAX];
};

/* Loads the programs and attaches them; what was opened is in x also on failure. */
int exact_attach(struct exact *x, struct error *err);
/* Opens the rings of all CPUs: gated clock samples, and mappings, execs, forks and exits. */
int exact_open_cpus(struct exact *x, struct error *err);
/* Makes exact_fd() readable when fd is. */
int exact_watch_fd(struct exact *x, int fd, struct error *err);

#endif
