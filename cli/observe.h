#ifndef LAGPROF_CLI_OBSERVE_H
#define LAGPROF_CLI_OBSERVE_H

#include "cli/budgets.h"
#include "cli/options.h"
#include "sampler/target.h"

/*
 * What `run` and `attach` have in common: observes a target until it ends,
 * Ctrl-C or the duration, saying each stall on standard error as it ends, and
 * writes the recording and the reports.
 */
struct observe {
	const struct options *o;
	struct target *target;
	char **command; /* of a launched target, still to be released; NULL: attached */
	int signals;    /* a signalfd */
	struct budgets *budgets;
	enum verdict verdict; /* set at the end */
};

/*
 * Blocks the signals that end an observation and returns a signalfd for them
 * (-errno on failure).  *before gets the mask as it was, for a child.
 */
int observe_signals(void *before, struct error *err);

/* 0, or -errno: err is filled and not yet printed.  *exec_failed: the command itself could not run.
 */
int observe_run(struct observe *ob, bool *exec_failed, struct error *err);

#endif
