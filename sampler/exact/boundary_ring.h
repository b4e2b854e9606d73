#ifndef LAGPROF_SAMPLER_EXACT_BOUNDARY_RING_H
#define LAGPROF_SAMPLER_EXACT_BOUNDARY_RING_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* The reading side of a BPF ring buffer. */
struct boundary_ring {
	int fd; /* the map; readable when there are records */
	size_t size;
	volatile uint64_t *consumer, *producer;
	const uint8_t *data; /* mapped twice in a row, so that no record wraps around */
};

/* size: a power of two, at least a page. */
int boundary_ring_open(struct boundary_ring *ring, size_t size, struct error *err);
void boundary_ring_close(struct boundary_ring *ring);
void boundary_ring_drain(struct boundary_ring *ring,
			 void (*handle)(void *arg, const void *record, size_t len), void *arg);

#endif
