#ifndef LAGPROF_TESTS_TOOLS_PERF_FEED_H
#define LAGPROF_TESTS_TOOLS_PERF_FEED_H

#include <stdint.h>
#include <sys/types.h>

#include "sampler/exact/decode.h"
#include "sampler/perf_ring.h"

/*
 * Samples of a running thread by its own CPU clock: what the probes deliver,
 * without turns.  For tests and benchmarks of what happens to samples.
 */
struct perf_feed {
	struct perf_ring ring;
	struct space *space; /* kept up to date with new mappings */
	void (*sample)(void *arg, const struct raw_sample *raw);
	void *arg;
};

/* Starts sampling thread tid hz times a second of CPU time; space, sample and arg are set. */
int perf_feed_open(struct perf_feed *feed, pid_t tid, uint32_t hz, uint32_t stack_bytes,
		   struct error *err);
/* Hands over what is there, or waits at most timeout_ms for something. */
void perf_feed_poll(struct perf_feed *feed, int timeout_ms);
void perf_feed_close(struct perf_feed *feed);

/* Forks a child that waits before its exec, its output thrown away.  Returns its pid. */
pid_t perf_feed_spawn(char *const *argv, int *gate);
/* Lets it exec, and returns when it has. */
void perf_feed_release(int gate);

#endif
