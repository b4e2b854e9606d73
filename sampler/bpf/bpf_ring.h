#ifndef LAGPROF_SAMPLER_BPF_BPF_RING_H
#define LAGPROF_SAMPLER_BPF_BPF_RING_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* The reading side of a BPF ring buffer. */
struct bpf_ring {
	int fd; /* the map; readable when there are records */
	size_t size;
	volatile uint64_t *consumer, *producer;
	const uint8_t *data;
	/* What a record that goes round the end is put together in: up to `size` bytes. */
	uint8_t *joined;
	size_t cap_joined;
};

/* size: a power of two, at least a page. */
int bpf_ring_open(struct bpf_ring *ring, size_t size, struct error *err);
void bpf_ring_close(struct bpf_ring *ring);
/* The record is aligned to 8 bytes and stays until handle returns. */
void bpf_ring_drain(struct bpf_ring *ring,
		    void (*handle)(void *arg, const void *record, size_t len), void *arg);

#endif
