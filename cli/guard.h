#ifndef LAGPROF_CLI_GUARD_H
#define LAGPROF_CLI_GUARD_H

#include <stdbool.h>

#include "core/error.h"

/*
 * Gives the terminal back whatever becomes of the process that draws on it,
 * kill -9 included: a parent that owns the terminal, passes signals on to the
 * child that does all the work, and ends as it ends.
 */
struct guard {
	volatile int *drawing; /* shared: the child is on the screen */
	int messages;          /* for what would be written to standard error meanwhile */
};

/* Only the child returns from it.  If there can be no guard, the caller itself. */
void guard_begin(struct guard *g);
/* The child takes the screen, or has given it back. */
void guard_drawing(struct guard *g, bool drawing);

#endif
