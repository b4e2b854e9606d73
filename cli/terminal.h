#ifndef LAGPROF_CLI_TERMINAL_H
#define LAGPROF_CLI_TERMINAL_H

#include "cli/options.h"

/*
 * What may be written to a file descriptor, from the options and the environment.  Each stream is
 * judged by itself: standard error may be a terminal while standard output is a file.
 */

/* --color, else NO_COLOR and TERM=dumb say no, else a terminal says yes. */
bool terminal_color(const struct options *o, int fd);
/* --ascii, or a locale that is not UTF-8. */
bool terminal_ascii(const struct options *o);
/* Columns; 0 if fd is not a terminal. */
int terminal_width(int fd);

#endif
