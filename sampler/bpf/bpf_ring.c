#include "sampler/bpf/bpf_ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/arena.h"
#include "sampler/bpf/kernel.h"

int bpf_ring_open(struct bpf_ring *ring, size_t size, struct error *err)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumer, *producer;

	*ring = (struct bpf_ring){ .fd = kernel_create_ringbuf("lagprof_ring", size, err),
				   .size = size };
	if (ring->fd < 0)
		return ring->fd;
	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	/* The data could be mapped twice in a row, but would then count twice as memory in use. */
	producer = mmap(NULL, page + size, PROT_READ, MAP_SHARED, ring->fd, (off_t)page);
	if (consumer != MAP_FAILED)
		ring->consumer = consumer;
	if (producer != MAP_FAILED) {
		ring->producer = producer;
		ring->data = (const uint8_t *)producer + page;
	}
	if (ring->consumer && ring->producer)
		return 0;
	error_set(err, -errno, "cannot map a BPF ring: %s", strerror(errno));
	bpf_ring_close(ring);
	return err->code;
}

void bpf_ring_close(struct bpf_ring *ring)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (ring->consumer)
		munmap((void *)ring->consumer, page);
	if (ring->producer)
		munmap((void *)ring->producer, page + ring->size);
	free(ring->joined);
	if (ring->fd >= 0)
		close(ring->fd);
	*ring = (struct bpf_ring){ .fd = -1 };
}

/* The len bytes, at most the ring's size, that begin at `offset` of the ring. */
static const uint8_t *join(struct bpf_ring *ring, size_t offset, size_t len)
{
	size_t first = ring->size - offset;

	if (len <= first)
		return ring->data + offset;
	if (len > ring->cap_joined) {
		ring->joined = xrealloc(ring->joined, len, 1);
		ring->cap_joined = len;
	}
	memcpy(ring->joined, ring->data + offset, first);
	memcpy(ring->joined + first, ring->data, len - first);
	return ring->joined;
}

void bpf_ring_drain(struct bpf_ring *ring,
		    void (*handle)(void *arg, const void *record, size_t len), void *arg)
{
	uint64_t at = __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
	uint64_t end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);

	while (at < end) {
		size_t offset = at & (ring->size - 1); /* of a header: it never goes round */
		uint32_t header =
			__atomic_load_n((const uint32_t *)(ring->data + offset), __ATOMIC_ACQUIRE);
		uint32_t len = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (header & BPF_RINGBUF_BUSY_BIT)
			return;
		if (!(header & BPF_RINGBUF_DISCARD_BIT))
			handle(arg,
			       join(ring, (offset + BPF_RINGBUF_HDR_SZ) & (ring->size - 1), len),
			       len);
		at += (len + BPF_RINGBUF_HDR_SZ + 7) & ~7ull;
		__atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
	}
}
