#include "sampler/host_watch.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

void host_watch_init(struct host_watch *w, const struct target *target)
{
	*w = (struct host_watch){ .target = target };
	cgroup_refresh(&w->cgroup, target);
}

void host_watch_destroy(struct host_watch *w)
{
	cgroup_close(&w->cgroup);
}

void host_watch_read(struct host_watch *w, nsec now)
{
	size_t at = w->n % HOST_READINGS;

	if (w->cgroup.n_levels == 0)
		return;
	cgroup_read(&w->cgroup);
	w->readings[at].at = now;
	w->readings[at].throttled = w->cgroup.throttled;
	w->n++;
}

nsec host_watch_throttled(const struct host_watch *w, nsec from, nsec to)
{
	size_t oldest = w->n > HOST_READINGS ? w->n - HOST_READINGS : 0;
	nsec before = 0, after = 0;

	/* From the last reading before it to the first one after it, or what there is. */
	for (size_t i = w->n; i-- > oldest;) {
		const nsec at = w->readings[i % HOST_READINGS].at;

		before = w->readings[i % HOST_READINGS].throttled;
		if (i + 1 == w->n || at >= to)
			after = before;
		if (at <= from)
			break;
	}
	return after - before;
}

static struct neighbour *neighbour_of(struct host_watch *w, int32_t pid)
{
	struct neighbour *least = &w->seen[0];

	for (size_t i = 0; i < w->n_seen; i++) {
		if (w->seen[i].pid == pid)
			return &w->seen[i];
		if (w->seen[i].time < least->time)
			least = &w->seen[i];
	}
	if (w->n_seen < HOST_NEIGHBOURS_SEEN)
		least = &w->seen[w->n_seen++];
	*least = (struct neighbour){ .pid = pid };
	return least;
}

/* Its comm, as long as it lives. */
static const char *name_of(struct recording *rec, int32_t pid)
{
	char path[32], name[32];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	proc_read(AT_FDCWD, path, name, sizeof(name));
	name[strcspn(name, "\n")] = '\0';
	return name[0] ? recording_intern(rec, name) : NULL;
}

static bool is_own(const struct host_watch *w, int32_t tid)
{
	char path[32];

	snprintf(path, sizeof(path), "task/%d", tid);
	return faccessat(w->target->procfd, path, F_OK, 0) == 0;
}

void host_watch_neighbour(struct host_watch *w, struct recording *rec, int32_t tid, nsec time)
{
	struct neighbour *n;

	/* Nobody: then a quota took the CPU away, or the thread was moved to another. */
	if (tid == 0)
		return;
	n = neighbour_of(w, is_own(w, tid) ? w->target->pid : tid);

	n->time += time;
	if (!n->name)
		n->name = name_of(rec, n->pid);
}

static int longer_first(const void *a, const void *b)
{
	const struct neighbour *x = a, *y = b;

	return x->time < y->time ? 1 : x->time > y->time ? -1 : x->pid - y->pid;
}

static void copy_neighbours(struct host_watch *w, struct host *host)
{
	struct neighbour sorted[HOST_NEIGHBOURS_SEEN];

	memcpy(sorted, w->seen, w->n_seen * sizeof(*sorted));
	qsort(sorted, w->n_seen, sizeof(*sorted), longer_first);
	host->n_neighbours = 0;
	for (size_t i = 0; i < w->n_seen && i < HOST_NEIGHBOURS; i++)
		host->neighbours[host->n_neighbours++] = sorted[i];
}

/* The first line of /proc/stat, in ns: false if it cannot be read. */
static bool read_cpus(nsec *cpu, nsec *idle, nsec *steal)
{
	/* user nice system idle iowait irq softirq steal; guest time is part of user. */
	enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, FIELDS };
	uint64_t v[FIELDS] = { 0 }, tick = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK), sum = 0;
	char text[256], *at = text;

	if (proc_read(AT_FDCWD, "/proc/stat", text, sizeof(text)) <= 4)
		return false;
	at += strlen("cpu ");
	for (int i = 0; i < FIELDS; i++)
		sum += v[i] = strtoull(at, &at, 10);
	*cpu = sum * tick;
	*idle = (v[IDLE] + v[IOWAIT]) * tick;
	*steal = v[STEAL] * tick;
	return true;
}

static void count_cpus(struct host_watch *w, struct recording *rec)
{
	nsec cpu, idle, steal;

	w->idle_share = 0;
	if (!read_cpus(&cpu, &idle, &steal))
		return;
	/* Idle time has been seen to go backwards. */
	if (w->cpu && cpu > w->cpu && idle >= w->idle && steal >= w->steal) {
		rec->host.cpu += cpu - w->cpu;
		rec->host.idle += idle - w->idle;
		rec->host.steal += steal - w->steal;
		w->idle_share = (double)(idle - w->idle) / (double)(cpu - w->cpu);
		w->idle_share = w->idle_share < 1 ? w->idle_share : 1;
	}
	w->cpu = cpu;
	w->idle = idle;
	w->steal = steal;
}

/* "model name" of x86; other machines are known by their architecture. */
static void read_model(struct recording *rec)
{
	FILE *in = fopen("/proc/cpuinfo", "re");
	struct utsname machine;
	char line[256], *at;

	while (in && !rec->host.model && fgets(line, sizeof(line), in)) {
		if (strncmp(line, "model name", 10) != 0 || !(at = strchr(line, ':')))
			continue;
		at += 1 + strspn(at + 1, " ");
		at[strcspn(at, "\n")] = '\0';
		rec->host.model = recording_intern(rec, at);
	}
	if (in)
		fclose(in);
	if (!rec->host.model && uname(&machine) == 0)
		rec->host.model = recording_intern(rec, machine.machine);
}

void host_watch_tick(struct host_watch *w, struct recording *rec)
{
	cpu_set_t set;

	if (!rec->host.model)
		read_model(rec);
	cgroup_refresh(&w->cgroup, w->target);
	/* A target that has just ended is in no group any longer. */
	if (w->cgroup.quota)
		rec->host.quota = w->cgroup.quota;
	rec->host.throttled = w->cgroup.throttled;
	if (sched_getaffinity(w->target->pid, sizeof(set), &set) == 0)
		rec->host.cpus = (uint32_t)CPU_COUNT(&set);
	count_cpus(w, rec);
	copy_neighbours(w, &rec->host);
}
