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
	volatile enum { GUARD_AWAY, GUARD_DRAWING, GUARD_THROWN_OFF } * screen; /* shared */
	int messages; /* for what would be written to standard error meanwhile */
};

/* Only the child returns from it.  If there can be no guard, the caller itself. */
void guard_begin(struct guard *g);
/* The child takes the screen, or has given it back. */
void guard_drawing(struct guard *g, bool drawing);
/* Was the child stopped on the screen, and the guard left it for it?  It is taken as back there. */
bool guard_threw_off(struct guard *g);

#endif
