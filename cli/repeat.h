#ifndef LAGPROF_CLI_REPEAT_H
#define LAGPROF_CLI_REPEAT_H

#include "cli/launch.h"

/*
 * Launches the command as often as lagprof.json says ("repeat"), one run after
 * the other, and judges all of them together; a run in which the command fails
 * is the last.  The files of run 2 are called x-2.lagprof where --output,
 * --html or --json says x.lagprof.  Returns the exit status.
 */
int repeat_launch(const struct options *o, char **argv, struct budgets *budgets,
		  struct speaker *speaker);

#endif
