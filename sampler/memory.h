#ifndef LAGPROF_SAMPLER_MEMORY_H
#define LAGPROF_SAMPLER_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The target's memory as unwinders and runtimes see it: a live process, the
 * bytes copied with a sample laid over it, or a fixture.  Everything that is
 * read through it is hostile.
 */
struct memory {
	/* Reads exactly len bytes at addr into buf: 0, or -EFAULT (buf is then undefined). */
	int (*read)(struct memory *self, uint64_t addr, void *buf, size_t len);
};

/* A live process, by process_vm_readv.  Pages are kept until memory_live_forget(). */
struct memory_live;
struct memory_live *memory_live_new(pid_t pid);
struct memory *memory_of_live(struct memory_live *live);
/* Call before each sample: what was read earlier may have changed. */
void memory_live_forget(struct memory_live *live);
/* System calls made so far (a figure for tests and bench). */
uint64_t memory_live_reads(const struct memory_live *live);
void memory_live_free(struct memory_live *live);

/* The len bytes copied from addr on (the user stack of a sample), over `below` (NULL: nothing). */
struct memory_dump {
	struct memory base;
	uint64_t addr;
	const uint8_t *bytes;
	size_t len;
	struct memory *below;
};
void memory_dump_init(struct memory_dump *m, uint64_t addr, const void *bytes, size_t len,
		      struct memory *below);

/* 0, or -EFAULT. */
static inline int memory_read(struct memory *m, uint64_t addr, void *buf, size_t len)
{
	return m->read(m, addr, buf, len);
}
int memory_read_u64(struct memory *m, uint64_t addr, uint64_t *out);
/* A NUL-terminated string of at most size - 1 bytes: its length, or -EFAULT. */
ssize_t memory_read_string(struct memory *m, uint64_t addr, char *buf, size_t size);

#endif
