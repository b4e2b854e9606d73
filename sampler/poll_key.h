#ifndef LAGPROF_SAMPLER_POLL_KEY_H
#define LAGPROF_SAMPLER_POLL_KEY_H

#include <stdint.h>

/*
 * Tells one poll of a thread from another, so that a poll made inside a
 * callback (a synchronous child process, a blocking client) is not taken for
 * the loop's own.  epoll and io_uring: the descriptor, with its class.  poll
 * and select have none: the user stack pointer of the call, since a nested poll is
 * deeper.  0 is no key.
 */
#define POLL_KEY_EPOLL    (1ull << 48)
#define POLL_KEY_IO_URING (2ull << 48)
#define POLL_KEY_ANY_POLL 1ull /* any poll or select */
#define POLL_KEY_UNSEEN   2ull /* of a loop whose poll was not seen yet: none has this key */

#define POLL_KEY_CLASS(key) ((key) >> 48)
#define POLL_KEY_FD(key)    ((int)((key)&0xffffffff))

/* The poll system call in which a thread waits (x86-64). */
struct poll_syscall {
	const char *name; /* of its tracepoints: "epoll_wait" */
	int number;
	uint64_t key_class; /* POLL_KEY_EPOLL…; 0: keyed by stack pointer */
	int wait_argument;  /* it is a poll only when this argument is not 0; -1: always */
};
extern const struct poll_syscall poll_syscalls[]; /* ends with name NULL */
/* NULL if number is none of them. */
const struct poll_syscall *poll_syscall_find(int number);

#endif
