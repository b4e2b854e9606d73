#ifndef LAGPROF_SAMPLER_STRICT_CALL_H
#define LAGPROF_SAMPLER_STRICT_CALL_H

#include <stdbool.h>

#include "sampler/unwind.h"

/*
 * System calls that a loop should not make while it serves, however short they
 * are (--strict): they have an asynchronous form, or wait.  Of a file only the
 * calls that name it, or that wait for the disk: who reads it has opened it.
 */
struct strict_syscall {
	int number; /* x86-64; -1 ends the table */
	/* It does not count when these bits of that register are set; mask 0: it always does. */
	int reg;
	unsigned long mask;
};
extern const struct strict_syscall strict_syscalls[];

/* Does this call, seen with these registers, count?  False for numbers that are not in the table.
 */
bool strict_call_counts(int number, const struct regs *regs);

#endif
