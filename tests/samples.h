#ifndef LAGPROF_TESTS_SAMPLES_H
#define LAGPROF_TESTS_SAMPLES_H

#include <sys/types.h>

#include "sampler/unwind.h"

/* Takes samples of a thread by the kernel's cpu-clock: registers and a copy of the stack. */
struct sample_bytes {
	uint64_t at; /* ns, CLOCK_MONOTONIC */
	struct regs regs;
	const uint8_t *stack; /* from rsp up */
	size_t len;
};

struct samples_wanted {
	pid_t tid;
	unsigned hz;
	size_t n;         /* samples */
	unsigned seconds; /* at most */
	uint32_t dump;    /* bytes of stack, a multiple of 8, at most 65,528 */
	/* Called for each, while the target runs on. */
	void (*each)(void *arg, const struct sample_bytes *sample);
	void *arg;
};

/* How many were taken, or -errno (-EACCES: the kernel forbids it). */
ssize_t samples_take(const struct samples_wanted *wanted);
/* Starts a program with its output thrown away, to be killed with samples_stop(). */
pid_t samples_start(const char *const *argv);
void samples_stop(pid_t pid);

#endif
