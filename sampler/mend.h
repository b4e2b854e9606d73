#ifndef LAGPROF_SAMPLER_MEND_H
#define LAGPROF_SAMPLER_MEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/*
 * Which command gives lagprof a right that it lacks, where it runs now: the
 * same refusal wants sudo on a laptop and another flag in a container.
 */
enum container { CONTAINER_NONE, CONTAINER_DOCKER, CONTAINER_PODMAN, CONTAINER_KUBERNETES };

/* What decides it.  Unknown numbers are -1. */
struct surroundings {
	bool root;             /* effective user 0 */
	bool user_namespace;   /* of its own: its root is none outside */
	bool filtered;         /* a seccomp filter is on */
	uint64_t capabilities; /* effective, a bit each */
	uint64_t reachable;    /* what sudo or setcap can give here: the bounding set */
	int paranoid;          /* kernel.perf_event_paranoid */
	int ptrace_scope;      /* kernel.yama.ptrace_scope */
	int kptr_restrict;     /* kernel.kptr_restrict */
	enum container container;
};

void surroundings_read(struct surroundings *s);
/* In words, for a list: "user 1000, capabilities bpf perfmon, …"; out has room for size bytes. */
void surroundings_describe(const struct surroundings *s, char *out, size_t size);

/* The fix for a refused bpf(2), or perf event of the kernel or of all processes. */
void mend_bpf(const struct surroundings *s, struct error *err);
/* For a refused perf event of an own process, without the kernel. */
void mend_perf(const struct surroundings *s, struct error *err);
/* For a refused look into another process (ptrace, process_vm_readv). */
void mend_ptrace(const struct surroundings *s, struct error *err);
/* For hidden addresses in /proc/kallsyms. */
void mend_kernel_names(const struct surroundings *s, struct error *err);

#endif
