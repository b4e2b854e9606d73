#ifndef LAGPROF_SAMPLER_SANDBOX_H
#define LAGPROF_SAMPLER_SANDBOX_H

#include "core/strings.h"

/*
 * Runs what reads hostile input by code that we did not write in a child
 * process that can harm nobody: it can use memory, read files that are open
 * already and write its answer, but open, send or signal nothing.  It ends when it
 * crashes or has used up its CPU time, memory or answer.
 *
 * work() gets the fd to write its answer to.  The answer, as far as it came, is
 * added to out, at most max_answer bytes.  0, or -errno: -ECHILD if the child
 * did not end by itself.
 */
struct sandbox_limits {
	unsigned cpu_seconds, wall_seconds;
	size_t memory; /* bytes more than the parent has */
	size_t max_answer;
};
int sandbox_run(void (*work)(void *arg, int answer), void *arg, const struct sandbox_limits *limits,
		struct strbuf *out);

#endif
