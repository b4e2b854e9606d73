#ifndef LAGPROF_SAMPLER_CGROUP_H
#define LAGPROF_SAMPLER_CGROUP_H

#include "sampler/target.h"

/*
 * The CPU quotas of the cgroups that a process is in (its own and those above
 * it, v1 and v2), and how long they held threads back.  Only ever reads.
 */
enum { CGROUP_LEVELS = 16 };

/* A group that has a quota. */
struct cgroup_level {
	int stat;  /* its cpu.stat, open */
	nsec last; /* its counter when it was read last */
};

struct cgroup {
	struct cgroup_level levels[CGROUP_LEVELS];
	size_t n_levels;
	uint32_t quota; /* the narrowest: thousandths of a CPU; 0 none */
	nsec throttled; /* since the first refresh, summed over groups and CPUs */
};

/* Looks at what groups the target is in and at their quotas: at start, and now and then. */
void cgroup_refresh(struct cgroup *g, const struct target *target);
/* Reads the counters into g->throttled. */
void cgroup_read(struct cgroup *g);
void cgroup_close(struct cgroup *g);

/* Where the folder of a group is found. */
struct cgroup_texts {
	const char *membership; /* /proc/PID/cgroup */
	const char *mountinfo;  /* /proc/self/mountinfo */
};
/*
 * The folder of the target's group with the cpu controller; *mount is the length
 * of the part of it where the hierarchy is mounted.  v2: in the unified hierarchy,
 * else in that of v1.  False if there is none.
 */
bool cgroup_folder(struct cgroup_texts texts, bool v2, char *out, size_t size, size_t *mount);

#endif
