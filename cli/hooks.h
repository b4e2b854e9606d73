#ifndef LAGPROF_CLI_HOOKS_H
#define LAGPROF_CLI_HOOKS_H

#include "core/finding.h"

/*
 * Shell commands of the user's (--on-port, --on-stall) that run beside an
 * observation.  Each kind runs once at a time; their output goes where
 * lagprof's own goes: standard error.
 */
struct hook {
	const char *command; /* NULL: none */
	int pid;             /* of the one that runs; 0: none */
	uint64_t skipped;    /* times it would have run but still did */
};

/* Runs the command with PORT set. */
void hook_port(struct hook *hook, int port);
/*
 * Runs the command with LAGPROF_PID, LAGPROF_LAG_MS, LAGPROF_CAUSE,
 * LAGPROF_TITLE, LAGPROF_FILE, LAGPROF_LINE and LAGPROF_FUNCTION set; the last
 * three are empty where no culprit is known.
 */
void hook_stall(struct hook *hook, int pid, const struct stall *stall,
		const struct stall_diagnosis *d, const char *title);
/* Collects one that has ended. */
void hook_reap(struct hook *hook);
/* At the end: waits for it no longer than timeout_ms, then sends it SIGTERM. */
void hook_finish(struct hook *hook, int timeout_ms);

#endif
