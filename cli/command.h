#ifndef LAGPROF_CLI_COMMAND_H
#define LAGPROF_CLI_COMMAND_H

#include <stdbool.h>

#include "cli/options.h"

/*
 * A subcommand.  To add one: cli/cmd_NAME.c with a `const struct command command_NAME`, its
 * declaration below and its row in main.c; then name it in the rows of options.c that it takes.
 */
struct command {
	const char *name;
	const char *operands; /* "[--] COMMAND [ARGUMENT...]"; "" for none */
	const char *help;     /* one line, lower case, no dot; NULL: not shown to users */
	const char *examples; /* lines of "command  # what it does", shown first by --help */
	const char *details;  /* a paragraph after the options; NULL: none */
	bool wraps;           /* operands are a command line: options end at the first of them */
	/* Of one that wraps: the first operand is no command, and options may follow; NULL: never.
	 */
	bool (*stands_alone)(const char *operand);

	/*
	 * Does the work and returns the exit status.  argv holds the operands only: argv[0] is the
	 * first one and argv[argc] is NULL.
	 */
	int (*run)(const struct options *o, int argc, char **argv);
};

extern const struct command command_run, command_attach, command_top, command_report, command_check;
extern const struct command command_doctor, command_dump, command_diff, command_agent;
extern const struct command command_baseline, command_regex, command_scan;
extern const struct command command_completion, command_help, command_man;

/* In the order of the help; ends with NULL. */
extern const struct command *const commands[];
/* NULL if there is none of that name. */
const struct command *command_find(const char *name);

#endif
