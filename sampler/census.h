#ifndef LAGPROF_SAMPLER_CENSUS_H
#define LAGPROF_SAMPLER_CENSUS_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/stall.h"

/* What a process is called; hostile. */
struct process_names {
	char comm[16];    /* by the kernel */
	char program[64]; /* the last part of its first argument */
	char script[64];  /* of an interpreter: the same of its script, else program; "": none */
};

/* script, or else comm. */
const char *process_app(const struct process_names *names);
/*
 * False if there is no such process, or none that could be watched: a zombie, a thread of the
 * kernel, a program that only starts others (launcher.h).
 */
bool process_names_read(pid_t pid, struct process_names *names);
/* The same of what its cmdline file says: n bytes of arguments, the last with its NUL. */
bool process_names_take(struct process_names *names, const char *cmdline, size_t n);
/* How long ago it began, 0: unknown.  now: CLOCK_BOOTTIME. */
nsec process_age(pid_t pid, nsec now);
/* Bytes of memory it has in use, 0: unknown. */
uint64_t process_memory(pid_t pid);

/* Meets the processes of this machine as they come. */
struct census {
	struct acquaintance {
		pid_t pid;
		nsec since; /* first met */
	} * v;              /* by pid */
	size_t n;
	nsec last_all;
};

/*
 * Calls meet() for each process that is new: again while it is young, as a process is another
 * program after its exec, and for all of them every half minute.  now: CLOCK_MONOTONIC.
 */
void census_take(struct census *c, nsec now, void (*meet)(void *arg, pid_t pid), void *arg);
void census_destroy(struct census *c);

#endif
