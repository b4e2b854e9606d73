#ifndef LAGPROF_CLI_OBSERVE_H
#define LAGPROF_CLI_OBSERVE_H

#include "cli/budgets.h"
#include "cli/options.h"
#include "cli/speaker.h"
#include "sampler/target.h"

/*
 * What `run` and `attach` have in common: observes a target until it ends,
 * Ctrl-C or the duration, has the speaker tell of it, and writes the recording and
 * the reports.
 */
struct observe {
	const struct options *o;
	struct target *target;
	char **command; /* of a launched target, still to be released; NULL: attached */
	int signals;    /* a signalfd */
	struct speaker *speaker;
	struct budgets *budgets;
	struct capture *capture; /* of the launched target's output; NULL: it has lagprof's */
	bool quit;               /* by a key */
	enum verdict verdict;    /* set at the end */
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
