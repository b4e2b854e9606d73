#ifndef LAGPROF_CORE_HIST_H
#define LAGPROF_CORE_HIST_H

#include <stddef.h>
#include <stdint.h>

/*
 * A log-linear histogram of durations in ns: 32 buckets for each power of two,
 * so a bucket is at most 3.1 % wide (below 32 ns buckets are exact).  The
 * BPF program of the exact probe fills the same layout inside the kernel,
 * which is why the counts are a plain array.
 */
enum {
	HIST_SUB_BITS = 5,
	HIST_SUB = 1 << HIST_SUB_BITS,
	HIST_MAX_EXP = 42, /* durations of 2^42 ns (73 minutes) and more share the last bucket */
	HIST_BUCKETS = (HIST_MAX_EXP - HIST_SUB_BITS + 1) * HIST_SUB,
};

struct hist {
	uint64_t count[HIST_BUCKETS];
	uint64_t n;        /* sum of count */
	uint64_t sum;      /* ns, exact */
	uint64_t min, max; /* ns, exact; min is UINT64_MAX while n is 0 */
};

void hist_init(struct hist *h);
void hist_add(struct hist *h, uint64_t ns);
void hist_merge(struct hist *h, const struct hist *from);
/* The bucket of a duration, and the largest duration (inclusive) of a bucket. */
size_t hist_bucket(uint64_t ns);
uint64_t hist_bucket_upper(size_t bucket);
/* What is taken for the length of all in a bucket: its middle, clipped to min and max. */
uint64_t hist_bucket_middle(const struct hist *h, size_t bucket);
/* The duration that q (0..1) of all stay at or below: its bucket's middle, clipped to min and max.
 */
uint64_t hist_quantile(const struct hist *h, double q);
double hist_stddev(const struct hist *h);

#endif
