#ifndef LAGPROF_SAMPLER_HOST_WATCH_H
#define LAGPROF_SAMPLER_HOST_WATCH_H

#include "sampler/cgroup.h"

/*
 * What the machine gives the target: CPUs, their idle and stolen time, what the
 * quotas of its cgroups take away, and who runs while a loop waits.
 */
enum { HOST_READINGS = 256, HOST_NEIGHBOURS_SEEN = 64 };

struct host_watch {
	const struct target *target;
	struct cgroup cgroup;
	/* The quota's counter as it was; a ring, n in total. */
	struct {
		nsec at, throttled;
	} readings[HOST_READINGS];
	size_t n;
	nsec cpu, idle, steal; /* /proc/stat, at the last tick */
	double idle_share;     /* of the CPUs, between the last two ticks; 0: unknown */
	struct neighbour seen[HOST_NEIGHBOURS_SEEN];
	size_t n_seen;
};

void host_watch_init(struct host_watch *w, const struct target *target);
void host_watch_destroy(struct host_watch *w);
/* Reads the quota's counter, if there is a quota.  Before stalls are settled. */
void host_watch_read(struct host_watch *w, nsec now);
/* How long the quota held back threads of the target's groups in [from, to), as far as it is known.
 */
nsec host_watch_throttled(const struct host_watch *w, nsec from, nsec to);
/* That thread (0: none) had the CPU that a loop waited for, so long.  The target's own count as
 * one. */
void host_watch_neighbour(struct host_watch *w, struct recording *rec, int32_t tid, nsec time);
/* Once a second: the rest, into rec->host. */
void host_watch_tick(struct host_watch *w, struct recording *rec);

#endif
