#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "sampler/bpf/decode.h"
#include "sampler/bpf/engine.h"
#include "sampler/bpf/engine_read.h"
#include "sampler/bpf/hooks.h"
#include "sampler/mend.h"

/*
 * The exact rung: a BPF program on the entry of system calls times every
 * turn inside the kernel, a program on sched_switch splits it, and a per-CPU
 * clock gated by a program samples only turns that are already long.  Nothing
 * is opened per thread: a perf event on a thread costs it a microsecond and a
 * half at each context switch.
 *
 * The light rung: the same without the first.  A poll that sleeps is seen by
 * the program on sched_switch; one that does not is seen only where the loop
 * has not slept for long (hooks.c).
 */
enum {
	BOUNDARY_RING = 256 * 1024,
	SLEEP_RING = 4 * 1024 * 1024, /* 64 stacks may come at once */
	ASK_RING = 4096,
};

static void engine_close(void *state);

static nsec now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

static size_t or_default(size_t size, size_t fallback)
{
	return size ? size : fallback;
}

int engine_watch_fd(struct engine *x, int fd, struct error *err)
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

static int open_maps(struct engine *x, struct error *err)
{
	int ret;

	x->maps.slots = kernel_create_value_map("lagprof_loops", SLOTS * SLOT_SIZE, err);
	if (x->maps.slots < 0)
		return x->maps.slots;
	x->maps.hists = kernel_create_value_map("lagprof_hists", sizeof(*x->hists), err);
	if (x->maps.hists < 0)
		return x->maps.hists;
	x->slots = map_value(x->maps.slots, SLOTS * SLOT_SIZE, err);
	x->hists = x->slots ? map_value(x->maps.hists, sizeof(*x->hists), err) : NULL;
	if (!x->hists)
		return err->code;
	ret = bpf_ring_open(&x->ring, or_default(x->config.boundary_ring, BOUNDARY_RING), err);
	if (ret < 0)
		return ret;
	ret = bpf_ring_open(&x->stacks, or_default(x->config.stack_ring, SLEEP_RING), err);
	if (ret < 0)
		return ret;
	ret = bpf_ring_open(&x->asks, ASK_RING, err);
	if (ret < 0)
		return ret;
	x->maps.ring = x->ring.fd;
	x->maps.asks = x->asks.fd;
	x->maps.stacks = x->stacks.fd;
	/* Stacks of sleeps wake nobody: they are looked at in the next round. */
	return engine_watch_fd(x, x->ring.fd, err);
}

/* The command that would have made it work, where a right was missing. */
static void mend(struct error *err)
{
	struct surroundings here;

	if (err->code != -EPERM && err->code != -EACCES && err->code != -ENOSYS)
		return;
	surroundings_read(&here);
	mend_bpf(&here, err);
}

static int engine_open(void **state, const struct probe_config *config, bool light,
		       struct error *err)
{
	struct engine *x = xcalloc(1, sizeof(*x));
	int ret;

	x->config = *config;
	x->light = x->was_light = light;
	x->maps = (struct program_maps){ -1, -1, -1, -1, -1, config->stack_bytes };
	x->ring.fd = x->stacks.fd = x->asks.fd = x->hooker_end = -1;
	pthread_mutex_init(&x->lock, NULL);
	x->prompt = true;
	x->clock_gate = x->hook_program = x->switch_link = x->syscall_link = x->strict_link = -1;
	x->tick_link = -1;
	for (int i = 0; i < ENGINE_MAX_CPUS; i++)
		x->clocks[i].fd = x->sides[i].fd = -1;
	x->epoll = epoll_create1(EPOLL_CLOEXEC);
	engine_measure_plain(x);
	x->opened = now_ns();
	ret = open_maps(x, err);
	if (ret == 0)
		ret = engine_attach(x, err);
	if (ret == 0)
		ret = engine_open_cpus(x, err);
	if (ret == 0 && light)
		engine_measure_hooked(x);
	if (ret == 0)
		ret = engine_start_hooking(x, err);
	if (ret < 0) {
		mend(err);
		engine_close(x);
		return ret;
	}
	*state = x;
	return 0;
}

static int exact_open(void **state, const struct probe_config *config, struct error *err)
{
	return engine_open(state, config, false, err);
}

static int light_open(void **state, const struct probe_config *config, struct error *err)
{
	return engine_open(state, config, true, err);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void engine_close(void *state)
{
	struct engine *x = state;

	for (size_t i = 0; i < x->n_cpus; i++) {
		perf_ring_close(&x->clocks[i]);
		perf_ring_close(&x->sides[i]);
	}
	engine_stop_hooking(x);
	for (size_t i = 0; i < x->n_followed; i++)
		engine_drop_hook(&x->followed[i]);
	engine_unhook_all(x);
	close_fd(x->switch_link);
	close_fd(x->strict_link);
	close_fd(x->tick_link);
	close_fd(x->clock_gate);
	close_fd(x->hook_program);
	bpf_ring_close(&x->ring);
	bpf_ring_close(&x->stacks);
	bpf_ring_close(&x->asks);
	pthread_mutex_destroy(&x->lock);
	if (x->slots)
		munmap(x->slots, SLOTS * SLOT_SIZE);
	if (x->hists)
		munmap(x->hists, sizeof(*x->hists));
	close_fd(x->maps.slots);
	close_fd(x->maps.hists);
	close_fd(x->epoll);
	free(x);
}

static int engine_fd(void *state)
{
	return ((struct engine *)state)->epoll;
}

struct followed *engine_find(struct engine *x, pid_t tid)
{
	for (size_t i = 0; i < x->n_followed; i++)
		if (x->followed[i].tid == tid)
			return &x->followed[i];
	return NULL;
}

struct loop_slot *engine_slot(struct engine *x, pid_t tid)
{
	struct followed *f = engine_find(x, tid);

	return f ? &x->slots[f->slot].slot : NULL;
}

static int free_slot(const struct engine *x, pid_t tid)
{
	for (int shift = 0; shift <= SLOT_SHIFT_MAX; shift += SLOT_SHIFT) {
		size_t at = ((size_t)tid >> shift) % SLOTS;

		if (x->slots[at].slot.kernel_tid == 0 || x->slots[at].slot.kernel_tid == SLOT_LEFT)
			return (int)at;
	}
	return -ENOSPC;
}

/* So that the program on switches tells at once that it has nothing to do with a thread. */
static void count_members(struct engine *x, uint32_t joins)
{
	uint64_t members = joins ? 1ull << joins % 64 : 0;

	for (size_t i = 0; i < SLOTS; i++)
		if (x->slots[i].slot.kernel_tid && x->slots[i].slot.kernel_tid != SLOT_LEFT)
			members |= 1ull << x->slots[i].slot.kernel_tid % 64;
	for (size_t i = 0; i < SLOT_CPUS; i++)
		__atomic_store_n(&x->hists->cpus[i].members, members, __ATOMIC_RELEASE);
}

static void add_followed(struct engine *x, pid_t tid, int kernel_tid, size_t index)
{
	struct loop_slot *slot = &x->slots[index].slot;

	pthread_mutex_lock(&x->lock);
	x->followed[x->n_followed++] = (struct followed){ .tid = tid, .slot = index, .hook = -1 };
	*slot = (struct loop_slot){ .tid = (uint32_t)tid,
				    .threshold = x->config.threshold,
				    .gate = x->config.gate,
				    .quicken = engine_quicken_after(x),
				    .quickened = x->fast,
				    .reports_left = ENGINE_REPORTS,
				    .calls_left = x->config.strict ? ENGINE_CALLS : 0,
				    .ask_after = x->light ? engine_ask_after(x) : 0,
				    .hooked = x->hooked_all ? x->hooked_by : HOOKED_NOT,
				    .hooked_since = x->hooked_all,
				    .min = UINT64_MAX };
	memset(x->hists->count[index], 0, sizeof(x->hists->count[index]));
	count_members(x, (uint32_t)kernel_tid);
	/* From here on the programs see it. */
	__atomic_store_n(&slot->kernel_tid, (uint32_t)kernel_tid, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&x->lock);
}

static int engine_follow(void *state, pid_t tid, struct error *err)
{
	struct engine *x = state;
	int kernel_tid, index;

	if (engine_find(x, tid))
		return 0;
	kernel_tid = kernel_thread_id(&x->types, tid, err);
	if (kernel_tid < 0)
		return kernel_tid;
	index = free_slot(x, kernel_tid);
	if (index < 0 || x->n_followed == SLOTS)
		return error_set(err, -ENOSPC, "no room to follow thread %d as a loop", tid);
	add_followed(x, tid, kernel_tid, (size_t)index);
	return 0;
}

static void engine_unfollow(void *state, pid_t tid)
{
	struct engine *x = state;
	struct followed *f = engine_find(x, tid);
	struct loop_slot *slot = f ? &x->slots[f->slot].slot : NULL;

	if (!f)
		return;
	pthread_mutex_lock(&x->lock);
	x->retired.made += slot->made_clock + slot->made_sleep;
	x->retired.turns += slot->lost_turns;
	x->retired.lost += slot->lost_sleep;
	x->retired.calls += slot->calls_missed;
	__atomic_store_n(&slot->kernel_tid, SLOT_LEFT, __ATOMIC_RELEASE);
	count_members(x, 0);
	engine_drop_hook(f);
	*f = x->followed[--x->n_followed];
	pthread_mutex_unlock(&x->lock);
}

/*
 * Where no hook will say that the loop polls next, only a turn or a poll in hand lets the switches
 * that follow be looked at.
 */
static void begin_unhooked(struct loop_slot *slot)
{
	nsec asleep = slot->off_since;

	if (asleep && poll_syscall_find((int)slot->off_syscall)) {
		slot->off_since = 0;
		slot->poll_start = asleep;
	} else {
		slot->turn_start = now_ns();
	}
}

static void engine_choose(void *state, pid_t tid, uint64_t key, int asleep_in)
{
	struct loop_slot *slot = engine_slot(state, tid);

	if (!slot)
		return;
	slot->turn_start = 0;
	slot->poll_number = (uint32_t)asleep_in;
	slot->poll_start = asleep_in ? now_ns() : 0;
	slot->asked = 0;
	/* Another program polls elsewhere. */
	if (key == 0)
		slot->poll_ip = 0;
	if (!slot->hooked)
		slot->hooked_since = 0;
	if (!slot->hooked && !asleep_in && key > POLL_KEY_UNSEEN)
		begin_unhooked(slot);
	__atomic_store_n(&slot->key, key, __ATOMIC_RELEASE);
}

/* Not so a launched target, which waits to be let go. */
static bool is_running(pid_t tid)
{
	char path[32], text[16] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", tid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	return strncmp(text, "running", 7) == 0;
}

static void engine_begin(void *state, pid_t tid, nsec at, int asleep_in)
{
	struct engine *x = state;
	struct loop_slot *slot = engine_slot(state, tid);

	if (!slot || slot->poll_start || slot->turn_start)
		return;
	slot->off_time = slot->stopped_time = slot->off_since = 0;
	slot->delay_valid = 0;
	if (asleep_in >= 0) {
		slot->off_state = OFF_BLOCKED;
		slot->off_syscall = (uint32_t)asleep_in;
		slot->off_since = at;
	}
	/* It may have polled just now, and may again before that can be seen. */
	if (x->light && asleep_in < 0 && slot->key == 0 && is_running(tid)) {
		pthread_mutex_lock(&x->lock);
		engine_learn_poll(x);
		at = x->hooked_all > at ? x->hooked_all : at;
		pthread_mutex_unlock(&x->lock);
		slot->entered = 1;
	}
	__atomic_store_n(&slot->turn_start, at, __ATOMIC_RELEASE);
}

static void engine_set_threshold(void *state, nsec threshold, nsec gate)
{
	struct engine *x = state;

	pthread_mutex_lock(&x->lock);
	x->config.threshold = threshold;
	x->config.gate = gate;
	for (size_t i = 0; i < x->n_followed; i++) {
		struct loop_slot *slot = &x->slots[x->followed[i].slot].slot;

		slot->threshold = threshold;
		slot->gate = gate;
		slot->ask_after = x->light ? engine_ask_after(x) : 0;
	}
	engine_set_clock(x, x->fast);
	pthread_mutex_unlock(&x->lock);
}

static int engine_add_process(void *state, pid_t pid, struct error *err)
{
	struct engine *x = state;

	if (x->n_children == SLOTS)
		return error_set(err, -ENOSPC, "too many processes");
	x->children[x->n_children++] = pid;
	return 0;
}

static void engine_remove_process(void *state, pid_t pid)
{
	struct engine *x = state;

	for (size_t i = 0; i < x->n_children; i++)
		if (x->children[i] == pid)
			x->children[i--] = x->children[--x->n_children];
}

/* clang-format off */
#define THE_SAME \
	.strict = true, \
	.close = engine_close, \
	.fd = engine_fd, \
	.follow = engine_follow, \
	.unfollow = engine_unfollow, \
	.add_process = engine_add_process, \
	.remove_process = engine_remove_process, \
	.choose = engine_choose, \
	.begin = engine_begin, \
	.set_threshold = engine_set_threshold, \
	.drain = engine_drain, \
	.look = engine_look, \
	.lag = engine_lag, \
	.losses = engine_losses, \
	.overhead = engine_overhead
/* clang-format on */

const struct probe probe_exact = {
	.name = "exact",
	.error_bound = 20000,
	.needs = "root, or CAP_BPF + CAP_PERFMON",
	.open = exact_open,
	THE_SAME,
};

const struct probe probe_light = {
	.name = "light",
	.error_bound = 50000,
	.needs = "root, or CAP_BPF + CAP_PERFMON",
	.open = light_open,
	THE_SAME,
};
