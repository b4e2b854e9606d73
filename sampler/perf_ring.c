#include "sampler/perf_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/arena.h"

enum { MAX_RECORD = 65536 };

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int perf_ring_open(struct perf_ring *ring, struct perf_event_attr *attr, pid_t pid, int cpu,
		   struct error *err)
{
	int ret;

	*ring = (struct perf_ring){ .fd = -1 };
	attr->size = sizeof(*attr);
	attr->disabled = 1;
	attr->read_format = PERF_FORMAT_LOST;
	ring->fd = (int)syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (ring->fd < 0 && errno == EINVAL) {
		attr->read_format = 0; /* before Linux 6.0 */
		ring->fd =
			(int)syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	}
	if (ring->fd >= 0)
		return 0;
	ret = -errno;
	error_set(err, ret, "cannot open a perf event: %s", strerror(-ret));
	if (ret == -EACCES || ret == -EPERM)
		error_fix(err, "run as root, or: sudo sysctl kernel.perf_event_paranoid=-1");
	return ret;
}

int perf_ring_map(struct perf_ring *ring, size_t size, struct error *err)
{
	void *p = mmap(NULL, page_size() + size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);

	if (p == MAP_FAILED) {
		error_set(err, -errno, "cannot map a perf ring of %zu bytes: %s", size,
			  strerror(errno));
		if (err->code == -EPERM)
			error_fix(err, "sudo sysctl kernel.perf_event_mlock_kb=%zu",
				  size / 1024 * 2);
		return err->code;
	}
	ring->page = p;
	ring->size = size;
	ring->scratch = xcalloc(1, MAX_RECORD);
	return 0;
}

int perf_ring_gate(struct perf_ring *ring, int prog_fd, struct error *err)
{
	if (ioctl(ring->fd, PERF_EVENT_IOC_SET_BPF, prog_fd) == 0)
		return 0;
	return error_set(err, -errno, "cannot gate a perf event by a BPF program: %s",
			 strerror(errno));
}

int perf_ring_enable(struct perf_ring *ring, struct error *err)
{
	if (ioctl(ring->fd, PERF_EVENT_IOC_ENABLE, 0) == 0)
		return 0;
	return error_set(err, -errno, "cannot enable a perf event: %s", strerror(errno));
}

void perf_ring_close(struct perf_ring *ring)
{
	if (ring->page)
		munmap(ring->page, page_size() + ring->size);
	if (ring->fd >= 0)
		close(ring->fd);
	free(ring->scratch);
	*ring = (struct perf_ring){ .fd = -1 };
}

/* The record at position tail, made contiguous; NULL if its length makes no sense. */
static const struct perf_event_header *record_at(struct perf_ring *ring, const uint8_t *data,
						 uint64_t tail, uint64_t left)
{
	size_t at = tail & (ring->size - 1), first = ring->size - at;
	const struct perf_event_header *h = (const void *)(data + at);

	/* Records are multiples of 8 bytes, so a header never wraps around. */
	if (left < sizeof(*h) || h->size < sizeof(*h) || h->size > left)
		return NULL;
	if (h->size <= first)
		return h;
	memcpy(ring->scratch, data + at, first);
	memcpy(ring->scratch + first, data, h->size - first);
	return (const void *)ring->scratch;
}

void perf_ring_drain(struct perf_ring *ring,
		     void (*handle)(void *arg, const struct perf_event_header *record), void *arg)
{
	const uint8_t *data;
	uint64_t head, tail;

	if (!ring->page)
		return;
	data = (const uint8_t *)ring->page + page_size();
	head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	tail = ring->page->data_tail;
	while (tail < head) {
		const struct perf_event_header *h = record_at(ring, data, tail, head - tail);

		if (!h) {
			tail = head;
			break;
		}
		tail += h->size;
		handle(arg, h);
		__atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
}

uint64_t perf_ring_lost(const struct perf_ring *ring)
{
	uint64_t values[2] = { 0, 0 };

	if (ring->fd < 0 || read(ring->fd, values, sizeof(values)) != (ssize_t)sizeof(values))
		return 0;
	return values[1];
}
