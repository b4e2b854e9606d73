#ifndef LAGPROF_SAMPLER_BPF_ENGINE_H
#define LAGPROF_SAMPLER_BPF_ENGINE_H

#include <linux/limits.h>

#include "sampler/bpf/bpf_ring.h"
#include "sampler/bpf/programs.h"
#include "sampler/perf_ring.h"
#include "sampler/probe.h"

/* The state of the rungs that run programs in the kernel, private to sampler/bpf/. */

enum { ENGINE_MAX_CPUS = 1024, ENGINE_MAX_TRACEPOINTS = 16 };

struct followed {
	pid_t tid;
	size_t slot;
};

struct engine {
	struct probe_config config;
	struct program_maps maps;
	union slot_room *slots; /* SLOTS of them, shared with the programs */
	struct slot_hists *hists;
	struct bpf_ring ring, stacks; /* boundaries; stacks of sleeps */
	int clock_gate, switch_link, syscall_link;
	int tracepoints[ENGINE_MAX_TRACEPOINTS];
	size_t n_tracepoints;
	struct perf_ring clocks[ENGINE_MAX_CPUS], sides[ENGINE_MAX_CPUS];
	size_t n_cpus;
	struct followed followed[SLOTS];
	size_t n_followed;
	struct probe_losses retired; /* of threads no longer followed */
	int epoll;

	/* While draining. */
	void (*handle)(void *arg, const struct event *e);
	void *arg;
	char path[PATH_MAX];
};

/* Loads the programs and attaches them; what was opened is in x also on failure. */
int engine_attach(struct engine *x, struct error *err);
/* Opens the rings of all CPUs: gated clock samples, and mappings, execs, forks and exits. */
int engine_open_cpus(struct engine *x, struct error *err);
/* Makes engine_fd() readable when fd is. */
int engine_watch_fd(struct engine *x, int fd, struct error *err);

#endif
