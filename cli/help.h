#ifndef LAGPROF_CLI_HELP_H
#define LAGPROF_CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

/* What lagprof is and its subcommands. */
void help_overview(FILE *out);
/* One subcommand: what it is for, examples, usage, options. */
void help_command(FILE *out, const struct command *c);

#endif
