#include <errno.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sampler/exact/bpf_ring.h"
#include "sampler/exact/decode.h"
#include "sampler/exact/programs.h"
#include "sampler/perf_ring.h"
#include "sampler/probe.h"

/*
 * The exact rung: a BPF program on the entry of system calls times every
 * turn inside the kernel, a program on sched_switch splits it, and a per-CPU
 * clock gated by a program samples only turns that are already long.  Nothing
 * is opened per thread: a perf event on a thread costs it a microsecond and a
 * half at each context switch.
 */
enum {
	BOUNDARY_RING = 256 * 1024,
	STACK_RING_MAX = 2 * 1024 * 1024, /* per CPU; a stack takes 17 KB */
	STACK_RING_MIN = 256 * 1024,
	STACK_RINGS = 32 * 1024 * 1024, /* of all CPUs together, unless they are very many */
	SLEEP_RING = 4 * 1024 * 1024,   /* 64 stacks may come at once */
	SIDE_RING = 64 * 1024,
	MAX_CPUS = 1024,
	MAX_TRACEPOINTS = 16,
	REPORTS = 64, /* other polls reported between two drains */
};

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
	int tracepoints[MAX_TRACEPOINTS];
	size_t n_tracepoints;
	struct perf_ring clocks[MAX_CPUS], sides[MAX_CPUS];
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

static void exact_close(void *state);

static size_t or_default(size_t size, size_t fallback)
{
	return size ? size : fallback;
}

static int watch_fd(struct exact *x, int fd, struct error *err)
{
	struct epoll_event ev = { .events = EPOLLIN };

	if (epoll_ctl(x->epoll, EPOLL_CTL_ADD, fd, &ev) == 0)
		return 0;
	return error_set(err, -errno, "cannot watch a probe's descriptor: %s", strerror(errno));
}

static void *map_value(int fd, size_t size, struct error *err)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p != MAP_FAILED)
		return p;
	error_set(err, -errno, "cannot map the probe's state: %s", strerror(errno));
	return NULL;
}

static int open_maps(struct exact *x, struct error *err)
{
	int ret;

	x->maps.slots =
		kernel_create_value_map("lagprof_loops", EXACT_SLOTS * EXACT_SLOT_SIZE, err);
	if (x->maps.slots < 0)
		return x->maps.slots;
	x->maps.hists = kernel_create_value_map("lagprof_hists", sizeof(*x->hists), err);
	if (x->maps.hists < 0)
		return x->maps.hists;
	x->slots = map_value(x->maps.slots, EXACT_SLOTS * EXACT_SLOT_SIZE, err);
	x->hists = x->slots ? map_value(x->maps.hists, sizeof(*x->hists), err) : NULL;
	if (!x->hists)
		return err->code;
	ret = bpf_ring_open(&x->ring, or_default(x->config.boundary_ring, BOUNDARY_RING), err);
	if (ret < 0)
		return ret;
	ret = bpf_ring_open(&x->stacks, or_default(x->config.stack_ring, SLEEP_RING), err);
	if (ret < 0)
		return ret;
	x->maps.ring = x->ring.fd;
	x->maps.stacks = x->stacks.fd;
	/* Stacks of sleeps wake nobody: they are looked at in the next round. */
	return watch_fd(x, x->ring.fd, err);
}

/* Loads a tracing program and attaches it: the link's fd or -errno. */
static int attach(const char *name, uint32_t function, struct assembler *a, struct error *err)
{
	int prog = kernel_load_program(name, BPF_PROG_TYPE_TRACING, function, a, err), link;

	if (prog < 0)
		return prog;
	link = kernel_attach_tracing(prog, err);
	close(prog);
	return link;
}

/*
 * Runs a program at the tracepoint of one system call.  The event itself
 * belongs to lagprof's own thread and is never enabled: it only holds the
 * program.
 */
static int attach_tracepoint(struct exact *x, int tracefs, const char *call, struct assembler *a,
			     struct error *err)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT,
					.size = sizeof(attr),
					.sample_period = 1,
					.disabled = 1 };
	char event[64];
	int id, prog, fd, ret;

	snprintf(event, sizeof(event), "syscalls/sys_enter_%s", call);
	id = kernel_tracepoint_id(tracefs, event);
	if (id < 0)
		return error_set(err, id, "no tracepoint %s: %s", event, strerror(-id));
	attr.config = (uint64_t)id;
	fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return error_set(err, -errno, "cannot open the tracepoint %s: %s", event,
				 strerror(errno));
	x->tracepoints[x->n_tracepoints++] = fd;
	prog = kernel_load_program("lagprof_poll", BPF_PROG_TYPE_TRACEPOINT, 0, a, err);
	if (prog < 0)
		return prog;
	ret = ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog) < 0 ? -errno : 0;
	close(prog);
	if (ret < 0)
		return error_set(err, ret, "cannot attach to the tracepoint %s: %s", event,
				 strerror(-ret));
	return 0;
}

static int attach_tracepoints(struct exact *x, int tracefs, const struct kernel_types *types,
			      struct error *err)
{
	static const struct {
		const char *call;
		void (*program)(struct assembler *a, const struct program_maps *maps);
	} others[] = {
		{ "listen", program_listen },
		{ "exit", program_exit },
		{ "exit_group", program_exit },
	};
	struct assembler a;
	int ret;

	for (const struct poll_syscall *call = poll_syscalls; call->name; call++) {
		asm_init(&a);
		program_poll(&a, &x->maps, call, types);
		ret = attach_tracepoint(x, tracefs, call->name, &a, err);
		/* Some are younger than the oldest kernel that will do. */
		if (ret < 0 && (ret != -ENOENT || x->n_tracepoints == 0))
			return ret;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		asm_init(&a);
		others[i].program(&a, &x->maps);
		ret = attach_tracepoint(x, tracefs, others[i].call, &a, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* At the tracepoints of the poll family; where their ids are hidden, at that of all system calls.
 */
static int attach_polls(struct exact *x, const struct kernel_types *types, struct error *err)
{
	struct assembler a;
	int tracefs = kernel_open_tracefs(), ret = tracefs;

	if (tracefs >= 0) {
		ret = attach_tracepoints(x, tracefs, types, err);
		close(tracefs);
	}
	if (ret == 0 || x->n_tracepoints > 0)
		return ret;
	asm_init(&a);
	program_syscall(&a, &x->maps, types);
	x->syscall_link = attach("lagprof_poll", types->sys_enter_id, &a, err);
	return x->syscall_link < 0 ? x->syscall_link : 0;
}

static int attach_programs(struct exact *x, struct error *err)
{
	struct kernel_types types;
	struct assembler a;
	int ret;

	ret = kernel_read_types(&types, err);
	if (ret < 0)
		return ret;
	asm_init(&a);
	program_clock_gate(&a, &x->maps);
	x->clock_gate = kernel_load_program("lagprof_clock", BPF_PROG_TYPE_PERF_EVENT, 0, &a, err);
	if (x->clock_gate < 0)
		return x->clock_gate;
	asm_init(&a);
	program_switch(&a, &x->maps, &types);
	x->switch_link = attach("lagprof_switch", types.sched_switch_id, &a, err);
	if (x->switch_link < 0)
		return x->switch_link;
	return attach_polls(x, &types, err);
}

static void sample_attr(const struct exact *x, struct perf_event_attr *attr)
{
	attr->sample_type = DECODE_SAMPLE_TYPE;
	attr->sample_regs_user = decode_regs_mask;
	attr->sample_stack_user = x->config.stack_bytes;
	attr->exclude_callchain_user = 1;
	attr->use_clockid = 1;
	attr->clockid = CLOCK_MONOTONIC;
}

static size_t clock_ring_size(const struct exact *x)
{
	size_t size = STACK_RING_MAX, cpus = (size_t)sysconf(_SC_NPROCESSORS_CONF);

	if (x->config.stack_ring)
		return x->config.stack_ring;
	while (size > STACK_RING_MIN && size * cpus > STACK_RINGS)
		size /= 2;
	return size;
}

static int open_clock(struct exact *x, struct perf_ring *ring, int cpu, struct error *err)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_CPU_CLOCK,
					.freq = 1,
					.sample_freq = x->config.freq,
					.wakeup_events = 1,
					.exclude_idle = 1 };
	int ret;

	sample_attr(x, &attr);
	ret = perf_ring_open(ring, &attr, -1, cpu, err);
	if (ret == 0)
		ret = perf_ring_map(ring, clock_ring_size(x), err);
	if (ret == 0)
		ret = perf_ring_gate(ring, x->clock_gate, err);
	if (ret == 0)
		ret = perf_ring_enable(ring, err);
	return ret < 0 ? ret : watch_fd(x, ring->fd, err);
}

/* Mappings, execs, forks and exits of every process: those of other processes are dropped later. */
static int open_side(struct perf_ring *ring, int cpu, struct error *err)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_DUMMY,
					.mmap = 1,
					.mmap2 = 1,
					.comm = 1,
					.comm_exec = 1,
					.task = 1,
					.sample_id_all = 1,
					.sample_type = DECODE_SIDE_TYPE,
					.watermark = 1,
					.wakeup_watermark = SIDE_RING / 2,
					.use_clockid = 1,
					.clockid = CLOCK_MONOTONIC };
	int ret = perf_ring_open(ring, &attr, -1, cpu, err);

	if (ret == 0)
		ret = perf_ring_map(ring, SIDE_RING, err);
	return ret < 0 ? ret : perf_ring_enable(ring, err);
}

static int open_cpus(struct exact *x, struct error *err)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);

	for (int cpu = 0; cpu < n && cpu < MAX_CPUS; cpu++) {
		int ret = open_side(&x->sides[x->n_cpus], cpu, err);

		if (ret == -ENODEV)
			continue; /* offline */
		if (ret == 0)
			ret = open_clock(x, &x->clocks[x->n_cpus], cpu, err);
		x->n_cpus++;
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int exact_open(void **state, const struct probe_config *config, struct error *err)
{
	struct exact *x = xcalloc(1, sizeof(*x));
	int ret;

	x->config = *config;
	x->maps = (struct program_maps){ -1, -1, -1, -1, config->stack_bytes };
	x->ring.fd = x->stacks.fd = -1;
	x->clock_gate = x->switch_link = x->syscall_link = -1;
	for (int i = 0; i < MAX_CPUS; i++)
		x->clocks[i].fd = x->sides[i].fd = -1;
	x->epoll = epoll_create1(EPOLL_CLOEXEC);
	ret = x->epoll < 0 ? error_set(err, -errno, "cannot create an epoll") : open_maps(x, err);
	if (ret == 0)
		ret = attach_programs(x, err);
	if (ret == 0)
		ret = open_cpus(x, err);
	if (ret < 0) {
		exact_close(x);
		return ret;
	}
	*state = x;
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void exact_close(void *state)
{
	struct exact *x = state;

	for (size_t i = 0; i < x->n_cpus; i++) {
		perf_ring_close(&x->clocks[i]);
		perf_ring_close(&x->sides[i]);
	}
	for (size_t i = 0; i < x->n_tracepoints; i++)
		close(x->tracepoints[i]);
	close_fd(x->syscall_link);
	close_fd(x->switch_link);
	close_fd(x->clock_gate);
	bpf_ring_close(&x->ring);
	bpf_ring_close(&x->stacks);
	if (x->slots)
		munmap(x->slots, EXACT_SLOTS * EXACT_SLOT_SIZE);
	if (x->hists)
		munmap(x->hists, sizeof(*x->hists));
	close_fd(x->maps.slots);
	close_fd(x->maps.hists);
	close_fd(x->epoll);
	free(x);
}

static int exact_fd(void *state)
{
	return ((struct exact *)state)->epoll;
}

static struct followed *find_followed(struct exact *x, pid_t tid)
{
	for (size_t i = 0; i < x->n_followed; i++)
		if (x->followed[i].tid == tid)
			return &x->followed[i];
	return NULL;
}

static struct exact_slot *slot_of(struct exact *x, pid_t tid)
{
	struct followed *f = find_followed(x, tid);

	return f ? &x->slots[f->slot].slot : NULL;
}

static int free_slot(const struct exact *x, pid_t tid)
{
	size_t first = (size_t)tid % EXACT_SLOTS, second = (size_t)tid / 64 % EXACT_SLOTS;

	if (x->slots[first].slot.tid == 0)
		return (int)first;
	return x->slots[second].slot.tid == 0 ? (int)second : -ENOSPC;
}

static int exact_follow(void *state, pid_t tid, struct error *err)
{
	struct exact *x = state;
	int index = free_slot(x, tid);
	struct followed *f = &x->followed[x->n_followed];
	struct exact_slot *slot;

	if (find_followed(x, tid))
		return 0;
	if (index < 0 || x->n_followed == EXACT_SLOTS)
		return error_set(err, -ENOSPC, "no room to follow thread %d as a loop", tid);
	*f = (struct followed){ .tid = tid, .slot = (size_t)index };
	x->n_followed++;
	slot = &x->slots[index].slot;
	*slot = (struct exact_slot){ .tgid = (uint32_t)x->config.pid,
				     .threshold = x->config.threshold,
				     .gate = x->config.gate,
				     .reports_left = REPORTS,
				     .min = UINT64_MAX };
	memset(x->hists->count[index], 0, sizeof(x->hists->count[index]));
	/* From here on the programs see it. */
	__atomic_store_n(&slot->tid, (uint32_t)tid, __ATOMIC_RELEASE);
	return 0;
}

static void exact_unfollow(void *state, pid_t tid)
{
	struct exact *x = state;
	struct followed *f = find_followed(x, tid);
	struct exact_slot *slot = f ? &x->slots[f->slot].slot : NULL;

	if (!f)
		return;
	x->retired.made += slot->made_clock + slot->made_sleep;
	x->retired.turns += slot->lost_turns;
	x->retired.lost += slot->lost_sleep;
	__atomic_store_n(&slot->tid, 0, __ATOMIC_RELEASE);
	*f = x->followed[--x->n_followed];
}

static void exact_choose(void *state, pid_t tid, uint64_t key, int asleep_in)
{
	struct exact_slot *slot = slot_of(state, tid);
	struct timespec now;

	if (!slot)
		return;
	slot->turn_start = 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	slot->poll_number = (uint32_t)asleep_in;
	slot->poll_start =
		asleep_in ? (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec : 0;
	__atomic_store_n(&slot->key, key, __ATOMIC_RELEASE);
}

static void exact_begin(void *state, pid_t tid, nsec at, int asleep_in)
{
	struct exact_slot *slot = slot_of(state, tid);

	if (!slot || slot->poll_start || slot->turn_start)
		return;
	slot->off_time = slot->stopped_time = slot->off_since = 0;
	slot->delay_valid = 0;
	if (asleep_in >= 0) {
		slot->off_state = EXACT_BLOCKED;
		slot->off_syscall = (uint32_t)asleep_in;
		slot->off_since = at;
	}
	__atomic_store_n(&slot->turn_start, at, __ATOMIC_RELEASE);
}

static void exact_set_threshold(void *state, nsec threshold, nsec gate)
{
	struct exact *x = state;

	x->config.threshold = threshold;
	x->config.gate = gate;
	for (size_t i = 0; i < x->n_followed; i++) {
		x->slots[x->followed[i].slot].slot.threshold = threshold;
		x->slots[x->followed[i].slot].slot.gate = gate;
	}
}

static void handle_bpf(void *arg, const void *record, size_t len)
{
	struct exact *x = arg;
	struct event e;

	if (decode_bpf_record(record, len, x->config.pid, &e))
		x->handle(x->arg, &e);
}

static void handle_perf(void *arg, const struct perf_event_header *record)
{
	struct exact *x = arg;
	struct event e;

	if (!decode_perf_record(record, &e, x->path) || e.pid != x->config.pid)
		return;
	x->handle(x->arg, &e);
}

/* Boundaries first: they decide what becomes of the samples. */
static void exact_drain(void *state, void (*handle)(void *arg, const struct event *e), void *arg)
{
	struct exact *x = state;

	x->handle = handle;
	x->arg = arg;
	bpf_ring_drain(&x->ring, handle_bpf, x);
	for (size_t i = 0; i < x->n_cpus; i++)
		perf_ring_drain(&x->sides[i], handle_perf, x);
	bpf_ring_drain(&x->stacks, handle_bpf, x);
	for (size_t i = 0; i < x->n_cpus; i++)
		perf_ring_drain(&x->clocks[i], handle_perf, x);
	for (size_t i = 0; i < x->n_followed; i++)
		x->slots[x->followed[i].slot].slot.reports_left = REPORTS;
}

static struct sleep sleep_now(const struct exact_slot *slot)
{
	uint32_t state = slot->off_state;
	struct sleep sleep = { .from = __atomic_load_n(&slot->off_since, __ATOMIC_ACQUIRE),
			       .syscall = (int)slot->off_syscall,
			       .args = { slot->off_args[0], slot->off_args[1], slot->off_args[2] },
			       .sampled = slot->sampled };

	sleep.state = state == EXACT_BLOCKED   ? SAMPLE_BLOCKED
		      : state == EXACT_STOPPED ? SAMPLE_STOPPED
					       : SAMPLE_RUNNABLE;
	return sleep;
}

static bool exact_look(void *state, pid_t tid, struct loop_look *out)
{
	struct exact_slot *slot = slot_of(state, tid);

	if (!slot)
		return false;
	/* The thread may run on: take it again until a turn did not change meanwhile. */
	for (int tries = 0; tries < 4; tries++) {
		out->turn_start = __atomic_load_n(&slot->turn_start, __ATOMIC_ACQUIRE);
		out->poll_start = slot->poll_start;
		out->off = slot->off_time;
		out->stopped = slot->stopped_time;
		out->sleep = out->turn_start ? sleep_now(slot) : (struct sleep){ 0 };
		out->turns = slot->turns;
		out->busy = slot->busy;
		out->polled = slot->polled;
		out->key = slot->key;
		out->delay_base = slot->delay_valid ? slot->delay_base : 0;
		if (__atomic_load_n(&slot->turn_start, __ATOMIC_ACQUIRE) == out->turn_start)
			break;
	}
	return true;
}

static bool exact_lag(void *state, pid_t tid, struct hist *out)
{
	struct exact *x = state;
	struct followed *f = find_followed(x, tid);

	if (!f)
		return false;
	hist_init(out);
	out->sum = x->slots[f->slot].slot.busy;
	out->min = x->slots[f->slot].slot.min;
	out->max = x->slots[f->slot].slot.max;
	memcpy(out->count, x->hists->count[f->slot], sizeof(out->count));
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		out->n += out->count[i];
	return true;
}

static void exact_losses(void *state, struct probe_losses *out)
{
	struct exact *x = state;

	*out = x->retired;
	for (size_t i = 0; i < x->n_followed; i++) {
		const struct exact_slot *slot = &x->slots[x->followed[i].slot].slot;

		out->made += slot->made_clock + slot->made_sleep;
		out->turns += slot->lost_turns;
		out->lost += slot->lost_sleep;
	}
	for (size_t i = 0; i < x->n_cpus; i++)
		out->lost += perf_ring_lost(&x->clocks[i]);
}

const struct probe probe_exact = {
	.name = "exact",
	.error_bound = 20000,
	.open = exact_open,
	.close = exact_close,
	.fd = exact_fd,
	.follow = exact_follow,
	.unfollow = exact_unfollow,
	.choose = exact_choose,
	.begin = exact_begin,
	.set_threshold = exact_set_threshold,
	.drain = exact_drain,
	.look = exact_look,
	.lag = exact_lag,
	.losses = exact_losses,
};
