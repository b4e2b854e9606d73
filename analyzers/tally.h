#ifndef LAGPROF_ANALYZERS_TALLY_H
#define LAGPROF_ANALYZERS_TALLY_H

#include <stddef.h>
#include <stdint.h>

/* Sums of weights by key: add, then merge, then read. */
struct tally_entry {
	uint64_t key, weight;
	double distance; /* sum of weight * what was given with it */
	size_t order;    /* of its first addition: decides between equal weights, as keys may be
			    pointers */
};

struct tally {
	struct tally_entry *v;
	size_t n, cap, added;
};

void tally_add(struct tally *t, uint64_t key, uint64_t weight, uint32_t distance);
/* Makes one entry of all with the same key; in order of key. */
void tally_merge(struct tally *t);
/* Merges; the entry with the largest weight (of equals the one added first), NULL if none. */
const struct tally_entry *tally_heaviest(struct tally *t);
void tally_destroy(struct tally *t);

#endif
