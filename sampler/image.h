#ifndef LAGPROF_SAMPLER_IMAGE_H
#define LAGPROF_SAMPLER_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The program that a process runs, from one exec to the next.  An open
 * /proc/PID/mem stays with the address space that it was opened on, and reads nothing
 * once that is gone.  After a vfork(), two processes share one until the child
 * execs: so the vector that the kernel made for the program must be the same, too.
 *
 * Both files belong to the process's user.  Who may trace it, but is neither that user nor root,
 * is left with the addresses of code and stack, which nearly every exec changes.
 */
enum { IMAGE_AUXV = 1024 }; /* bytes; the kernel's vector has about 400 */

struct image {
	int code;         /* 0: it is open; or why not */
	int mem;          /* MEMORY_…, see memory.h */
	uint64_t since;   /* it is this one at least from then on, CLOCK_MONOTONIC ns */
	uint64_t witness; /* an address that is mapped as long as it runs */
	size_t auxv_len;
	uint8_t auxv[IMAGE_AUXV]; /* or those addresses */
};

enum image_state {
	IMAGE_CURRENT,
	IMAGE_REPLACED, /* by another program, or it is just being replaced */
	IMAGE_ENDED,    /* and it was the last one */
	IMAGE_UNKNOWN,  /* it may not be looked at */
};

void image_init(struct image *image);
void image_close(struct image *image);
/* Of the process of procfd, a /proc/PID.  -EAGAIN: it is just being replaced; -ESRCH, -EACCES. */
int image_open(struct image *image, int procfd);
enum image_state image_look(const struct image *image, int procfd);

#endif
