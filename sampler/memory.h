#ifndef LAGPROF_SAMPLER_MEMORY_H
#define LAGPROF_SAMPLER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

/*
 * The target's memory as unwinders and runtimes see it: a live process, the
 * bytes copied with a sample laid over it, or a fixture.  Everything that is
 * read through it is hostile.
 */
struct memory {
	/* Reads exactly len bytes at addr into buf: 0, or -EFAULT (buf is then undefined). */
	int (*read)(struct memory *self, uint64_t addr, void *buf, size_t len);
	/* What is at hand already: the window_len bytes at addr window_addr; read without a call.
	 */
	const uint8_t *window;
	uint64_t window_addr;
	size_t window_len;
};

/*
 * Where a process's memory is read: its /proc/PID/mem, or by its id where that may not be
 * opened, which takes the program that runs at the moment.
 */
struct process_memory {
	pid_t pid;
	int mem; /* a descriptor, or: */
};
enum { MEMORY_NONE = -1, MEMORY_BY_PID = -2 };
/* Exactly len bytes at addr. */
bool process_read(const struct process_memory *m, uint64_t addr, void *buf, size_t len);

/*
 * A live process, through its /proc/PID/mem: what is read is of the program that ran as that was
 * opened, or nothing.  Pages are kept until memory_live_forget().
 */
struct memory_live;
/* Of the program that pid runs now. */
struct memory_live *memory_live_new(pid_t pid);
/* From now on through mem, which stays the caller's, or MEMORY_…. */
void memory_live_use(struct memory_live *live, int mem);
struct memory *memory_of_live(struct memory_live *live);
/* Reads what is there now, past the pages kept: 0, or -EFAULT. */
int memory_live_peek(struct memory_live *live, uint64_t addr, void *buf, size_t len);
/* Call before each sample: what was read earlier may have changed. */
void memory_live_forget(struct memory_live *live);
/* System calls made so far (a figure for tests and bench). */
uint64_t memory_live_reads(const struct memory_live *live);
void memory_live_free(struct memory_live *live);

/* The len bytes copied from addr on (the user stack of a sample), over `below` (NULL: nothing). */
struct memory_dump {
	struct memory base; /* its window is the dump */
	struct memory *below;
	bool read_past; /* the stack above the dump was read, from `below` and thus later */
};
void memory_dump_init(struct memory_dump *m, uint64_t addr, const void *bytes, size_t len,
		      struct memory *below);
/*
 * After read_past: whether the top of the dump (its last KB) is still in the
 * target what was copied.  If not, dump and later reads do not belong together.
 * Asks the kernel, not the pages kept.
 */
bool memory_dump_seam_holds(const struct memory_dump *m, struct memory_live *live);

/* 0, or -EFAULT. */
static inline int memory_read(struct memory *m, uint64_t addr, void *buf, size_t len)
{
	uint64_t offset = addr - m->window_addr;

	if (offset < m->window_len && len <= m->window_len - offset) {
		memcpy(buf, m->window + offset, len);
		return 0;
	}
	return m->read(m, addr, buf, len);
}
static inline int memory_read_u64(struct memory *m, uint64_t addr, uint64_t *out)
{
	return memory_read(m, addr, out, sizeof(*out));
}
/* A NUL-terminated string of at most size - 1 bytes: its length, or -EFAULT. */
ssize_t memory_read_string(struct memory *m, uint64_t addr, char *buf, size_t size);

#endif
