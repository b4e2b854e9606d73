#ifndef LAGPROF_TESTS_STEPPER_H
#define LAGPROF_TESTS_STEPPER_H

#include <stdbool.h>
#include <sys/types.h>

#include "sampler/memory.h"
#include "sampler/space.h"
#include "sampler/unwind.h"

/*
 * Runs a program instruction by instruction and keeps the stack of its calls by
 * watching call, ret and signals: the truth that unwinders are held to.
 */
struct stepper_call {
	uint64_t pc;     /* return address, or the pc that a signal interrupted */
	uint64_t sp, fp; /* of the caller, when it is returned to */
};

struct stepper {
	pid_t pid, tid;
	struct space *space;
	struct memory_live *live;
	struct regs regs;
	struct stepper_call calls[1024]; /* since the first breakpoint, outermost first */
	size_t n;
	int signal;    /* about to be delivered */
	uint8_t *dump; /* of the stack from rsp up */
	size_t dump_len;
};

/* Starts `path arg` and runs to its n-th breakpoint instruction, in whichever thread; 0: not at
 * all. */
bool stepper_start(struct stepper *s, const char *path, const char *arg, int n);
/* Runs one instruction; false at the next breakpoint instruction or the end. */
bool stepper_step(struct stepper *s);
/* Copies at most len bytes of the stack, as a sample has them. */
void stepper_copy_stack(struct stepper *s, size_t len);
void stepper_end(struct stepper *s);

#endif
