#ifndef LAGPROF_ANALYZERS_SYSCALLS_H
#define LAGPROF_ANALYZERS_SYSCALLS_H

#include "core/finding.h"

/* What it means when a loop sleeps inside a turn in a system call. */
struct syscall_rule {
	int16_t number; /* x86-64 */
	const char *name;
	enum cause cause;
};

/* NULL if the table does not know it.  The table is in order of number. */
const struct syscall_rule *syscall_rule_find(int number);
/* Is it one that waits for descriptors (poll, select, epoll_wait)? */
bool syscall_polls(int number);

#endif
