#ifndef LAGPROF_CLI_EXIT_H
#define LAGPROF_CLI_EXIT_H

/*
 * What lagprof exits with, apart from `run`, which passes on the status of its child (128+N by
 * re-raising the signal N) unless one of these applies.  The numbers are those of timeout(1) and
 * env(1), and k6 for the budget.
 */
enum exit_status {
	STATUS_OK = 0,
	STATUS_USAGE = 2,            /* wrong options or arguments */
	STATUS_INCONCLUSIVE = 98,    /* could not observe enough to judge the budget: never green */
	STATUS_BUDGET = 99,          /* budget exceeded */
	STATUS_FAILED = 125,         /* lagprof itself failed */
	STATUS_CANNOT_EXECUTE = 126, /* the command to run is not executable */
	STATUS_NOT_FOUND = 127,      /* the command to run does not exist */
};

/*
 * Ends as a child with that wait(2) status ended, so that whoever called lagprof
 * sees no difference: by the same signal, or it returns the status to exit with.
 */
int end_like(int status);

#endif
