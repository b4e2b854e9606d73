#ifndef LAGPROF_CLI_OUTPUT_H
#define LAGPROF_CLI_OUTPUT_H

#include "report/renderer.h"

/*
 * Renders report to path, or to standard output for "-" or NULL.  A file
 * appears whole or not at all (a temporary name, then a rename) with mode
 * 0600; an existing one is replaced.
 */
int output_render(const struct renderer *renderer, const struct report *report, const char *path,
		  struct error *err);

#endif
