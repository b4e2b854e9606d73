#ifndef LAGPROF_BENCH_PEERS_H
#define LAGPROF_BENCH_PEERS_H

#include "sampler/unwind.h"

/* The unwinders of others, on the same samples. */

/* libdwfl with callbacks of our own; as a struct unwinder, whose ends are not to be believed. */
extern const struct unwinder unwinder_libdwfl;

struct perf_script_cost {
	double ns_per_frame; /* CPU time of `perf script` less the same without call chains */
	size_t samples, frames;
};
/* Records the process for some seconds by `perf record` and unwinds it by `perf script`: false if
 * there is no perf, or it fails. */
bool perf_script_measure(pid_t pid, unsigned seconds, struct perf_script_cost *cost);

#endif
