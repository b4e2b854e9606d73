#ifndef LAGPROF_CORE_HOST_H
#define LAGPROF_CORE_HOST_H

#include "core/hist.h"
#include "core/stall.h"

/* What a loop depends on beside its own code: its thread pool and the machine. */

/* libuv's thread pool, as far as it could be seen. */
struct threadpool {
	bool known;
	int32_t pid; /* whose it is: of several processes the one that is saturated longest */
	uint32_t size;
	nsec observed, busy, saturated; /* thread-ns watched / busy; ns with all threads busy */
	nsec saturated_idle;            /* saturated, times the share of the CPUs that was idle */
	nsec lookups; /* ns with look-ups of names waiting: libuv gives them half of the threads */
	char lookup_host[256];  /* one of the names, empty: unknown */
	nsec resolution;        /* times are known to this, and shorter waits are not seen */
	struct hist queue_wait; /* of work that was seen to wait */
};

/* Who had the CPU while a loop waited for it in a turn. */
struct neighbour {
	int32_t pid;
	const char *name; /* its comm */
	nsec time;
};

/* The machine under the target, while it was watched. */
enum { HOST_NEIGHBOURS = 8 };
struct host {
	const char *model;     /* of its CPUs, as the kernel names it; NULL unknown */
	uint32_t cpus;         /* that the target may use; 0 unknown */
	uint32_t quota;        /* of its cgroups: thousandths of a CPU; 0 none */
	nsec cpu, idle, steal; /* time of all CPUs, and what of it was idle or the hypervisor's */
	nsec throttled;        /* that threads of its cgroups were held back, summed over CPUs */
	struct neighbour neighbours[HOST_NEIGHBOURS]; /* longest first */
	uint32_t n_neighbours;
};

#endif
