#include "core/hist.h"

#include <math.h>
#include <string.h>

void hist_init(struct hist *h)
{
	memset(h, 0, sizeof(*h));
	h->min = UINT64_MAX;
}

size_t hist_bucket(uint64_t ns)
{
	unsigned e;

	if (ns < HIST_SUB)
		return ns;
	e = 63 - (unsigned)__builtin_clzll(ns);
	if (e >= HIST_MAX_EXP)
		return HIST_BUCKETS - 1;
	return (size_t)(e - HIST_SUB_BITS + 1) * HIST_SUB +
	       ((ns >> (e - HIST_SUB_BITS)) & (HIST_SUB - 1));
}

static uint64_t bucket_lower(size_t bucket)
{
	unsigned shift;

	if (bucket < 2 * HIST_SUB)
		return bucket;
	shift = (unsigned)(bucket / HIST_SUB) - 1;
	return (HIST_SUB + (uint64_t)(bucket % HIST_SUB)) << shift;
}

uint64_t hist_bucket_upper(size_t bucket)
{
	return bucket_lower(bucket + 1) - 1;
}

void hist_add(struct hist *h, uint64_t ns)
{
	h->count[hist_bucket(ns)]++;
	h->n++;
	h->sum += ns;
	if (ns < h->min)
		h->min = ns;
	if (ns > h->max)
		h->max = ns;
}

void hist_merge(struct hist *h, const struct hist *from)
{
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		h->count[i] += from->count[i];
	h->n += from->n;
	h->sum += from->sum;
	if (from->min < h->min)
		h->min = from->min;
	if (from->max > h->max)
		h->max = from->max;
}

uint64_t hist_bucket_middle(const struct hist *h, size_t bucket)
{
	uint64_t lower = bucket_lower(bucket);
	uint64_t middle = lower + (hist_bucket_upper(bucket) - lower) / 2;

	if (middle < h->min)
		return h->min;
	return middle > h->max ? h->max : middle;
}

uint64_t hist_quantile(const struct hist *h, double q)
{
	uint64_t rank, seen = 0;

	if (h->n == 0)
		return 0;
	if (q <= 0)
		return h->min;
	if (q >= 1)
		return h->max;
	rank = (uint64_t)ceil(q * (double)h->n);
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		seen += h->count[i];
		if (seen >= rank)
			return hist_bucket_middle(h, i);
	}
	return h->max;
}

double hist_stddev(const struct hist *h)
{
	double mean, squares = 0;

	if (h->n == 0)
		return 0;
	mean = (double)h->sum / (double)h->n;
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		double d = h->count[i] ? (double)hist_bucket_middle(h, i) - mean : 0;

		squares += d * d * (double)h->count[i];
	}
	return sqrt(squares / (double)h->n);
}
