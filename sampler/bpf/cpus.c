#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "sampler/bpf/decode.h"
#include "sampler/bpf/engine.h"

/* The per-CPU perf events. */

enum {
	STACK_RING_MAX = 2 * 1024 * 1024, /* per CPU; a stack takes 17 KB */
	STACK_RING_MIN = 256 * 1024,
	STACK_RINGS = 32 * 1024 * 1024, /* of all CPUs together, unless they are very many */
	SIDE_RING = 64 * 1024,
};

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

static int open_clock(struct engine *x, struct perf_ring *ring, int cpu, struct error *err)
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
	return 0;
}
