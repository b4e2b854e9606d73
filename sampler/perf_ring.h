#ifndef LAGPROF_SAMPLER_PERF_RING_H
#define LAGPROF_SAMPLER_PERF_RING_H

#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/error.h"

/* A perf event with its own ring buffer. */
struct perf_ring {
	int fd; /* -1: closed */
	struct perf_event_mmap_page *page;
	size_t size;      /* of the data area, a power of two */
	uint8_t *scratch; /* a record that wraps around is put together here */
};

/* Opens attr (disabled) for pid and cpu, -1: any. */
int perf_ring_open(struct perf_ring *ring, struct perf_event_attr *attr, pid_t pid, int cpu,
		   struct error *err);
/* Maps size bytes of data, a power of two. */
int perf_ring_map(struct perf_ring *ring, size_t size, struct error *err);
/* Lets only samples through for which the program returns 1.  Before perf_ring_enable(). */
int perf_ring_gate(struct perf_ring *ring, int prog_fd, struct error *err);
int perf_ring_enable(struct perf_ring *ring, struct error *err);
void perf_ring_close(struct perf_ring *ring);

/*
 * Hands over each record that is there, then frees its room.  A record whose
 * length makes no sense ends the round and empties the ring.
 */
void perf_ring_drain(struct perf_ring *ring,
		     void (*handle)(void *arg, const struct perf_event_header *record), void *arg);
/* Records that found the ring full (PERF_FORMAT_LOST, Linux 6.0); 0 before that. */
uint64_t perf_ring_lost(const struct perf_ring *ring);

#endif
