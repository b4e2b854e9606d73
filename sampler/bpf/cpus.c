#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "sampler/bpf/decode.h"
#include "sampler/bpf/engine.h"
#include "sampler/bpf/hooks.h"

/* The per-CPU perf events. */

enum {
	STACK_RING_MAX = 2 * 1024 * 1024, /* per CPU; a stack takes 17 KB */
	STACK_RING_MIN = 256 * 1024,
	STACK_RINGS = 32 * 1024 * 1024, /* of all CPUs together, unless they are very many */
	SIDE_RING = 64 * 1024,
	/* Samples.  Each wake-up may take the CPU from the target, whose stacks keep for
	   milliseconds. */
	WAKE_AFTER = 4,
};
static const nsec CALM = 200000000; /* the clock stays fast for so long after a long turn */

static void sample_attr(const struct engine *x, struct perf_event_attr *attr)
{
	attr->sample_type = DECODE_SAMPLE_TYPE;
	attr->sample_regs_user = decode_regs_mask;
	attr->sample_stack_user = x->config.stack_bytes;
	attr->exclude_callchain_user = 1;
	attr->use_clockid = 1;
	attr->clockid = CLOCK_MONOTONIC;
}

static size_t clock_ring_size(const struct engine *x)
{
	size_t size = STACK_RING_MAX, cpus = (size_t)sysconf(_SC_NPROCESSORS_CONF);

	if (x->config.stack_ring)
		return x->config.stack_ring;
	while (size > STACK_RING_MIN && size * cpus > STACK_RINGS)
		size /= 2;
	return size;
}

/*
 * The clock costs a CPU some microseconds each time it fires (tens in a virtual machine), which is
 * more than all else that a loop pays that does not lag.  So it is off until the kernel's own
 * tick has found a turn that has lasted for half of the gate; that is before the gate opens.
 * Where the tick cannot tell, or lagprof may be too late to turn it on, it is slow instead.
 */
static nsec fast_period(const struct engine *x)
{
	return 1000000000 / (x->config.freq ? x->config.freq : 1);
}

static nsec slow_period(const struct engine *x)
{
	return x->config.gate / 2;
}

static bool can_be_slow(const struct engine *x)
{
	return slow_period(x) >= 2 * fast_period(x);
}

/* Some CPUs have no tick while they run a single thread. */
static bool is_tickless(void)
{
	FILE *f = fopen("/sys/devices/system/cpu/nohz_full", "re");
	int first = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return first >= '0' && first <= '9';
}

static bool has_tick(nsec at_least_each)
{
	struct timespec tick;

	return clock_getres(CLOCK_MONOTONIC_COARSE, &tick) == 0 && tick.tv_sec == 0 &&
	       (nsec)tick.tv_nsec <= at_least_each && !is_tickless();
}

static bool can_be_off(const struct engine *x)
{
	return x->tick_link >= 0 && x->prompt && has_tick(x->config.gate - slow_period(x));
}

static nsec clock_period(const struct engine *x)
{
	if (x->fast || !can_be_slow(x))
		return fast_period(x);
	return can_be_off(x) ? 0 : slow_period(x);
}

nsec engine_quicken_after(const struct engine *x)
{
	return can_be_slow(x) ? x->config.gate - slow_period(x) : x->config.gate;
}

static void set_period(struct engine *x)
{
	uint64_t period = clock_period(x);

	if (period == x->clock_period)
		return;
	for (size_t i = 0; i < x->n_cpus; i++) {
		if (period)
			ioctl(x->clocks[i].fd, PERF_EVENT_IOC_PERIOD, &period);
		if (!period != !x->clock_period)
			ioctl(x->clocks[i].fd,
			      period ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
	}
	x->clock_period = period;
}

void engine_set_clock(struct engine *x, bool fast)
{
	x->fast = fast;
	set_period(x);
	for (size_t i = 0; i < x->n_followed; i++) {
		struct loop_slot *slot = &x->slots[x->followed[i].slot].slot;

		slot->quicken = engine_quicken_after(x);
		slot->quickened = fast;
	}
}

static bool wants_fast(const struct engine *x, nsec now)
{
	for (size_t i = 0; i < x->n_followed; i++) {
		const struct loop_slot *slot = &x->slots[x->followed[i].slot].slot;
		nsec start = slot->turn_start;

		if (slot->long_at + CALM > now || (start && start + slot->quicken < now))
			return true;
	}
	return false;
}

void engine_tend_clock(struct engine *x, nsec now)
{
	if (x->fast && !wants_fast(x, now))
		engine_set_clock(x, false);
}

static int open_clock(struct engine *x, struct perf_ring *ring, int cpu, struct error *err)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_CPU_CLOCK,
					.sample_period = fast_period(x),
					.wakeup_events = WAKE_AFTER,
					.exclude_idle = 1 };
	int ret;

	sample_attr(x, &attr);
	ret = perf_ring_open(ring, &attr, -1, cpu, err);
	if (ret == 0)
		ret = perf_ring_map(ring, clock_ring_size(x), err);
	if (ret == 0)
		ret = perf_ring_gate(ring, x->clock_gate, err);
	return ret < 0 ? ret : engine_watch_fd(x, ring->fd, err);
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

int engine_open_cpus(struct engine *x, struct error *err)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);

	for (int cpu = 0; cpu < n && cpu < ENGINE_MAX_CPUS; cpu++) {
		int ret = open_side(&x->sides[x->n_cpus], cpu, err);

		if (ret == -ENODEV)
			continue; /* offline */
		if (ret == 0)
			ret = open_clock(x, &x->clocks[x->n_cpus], cpu, err);
		x->n_cpus++;
		if (ret < 0)
			return ret;
	}
	set_period(x);
	return 0;
}
