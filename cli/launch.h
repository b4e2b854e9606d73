#ifndef LAGPROF_CLI_LAUNCH_H
#define LAGPROF_CLI_LAUNCH_H

#include <sys/types.h>

#include "cli/budgets.h"
#include "cli/speaker.h"

/*
 * A whole observation, of a command that is run or of a process that exists.
 * Both say what went wrong and return the exit status.
 */
int launch(const struct options *o, char **argv, struct budgets *budgets, struct speaker *speaker);
int attach(const struct options *o, pid_t pid, struct budgets *budgets, struct speaker *speaker);

#endif
