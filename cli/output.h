#ifndef LAGPROF_CLI_OUTPUT_H
#define LAGPROF_CLI_OUTPUT_H

#include "report/renderer.h"

/*
 * Renders report to path, or to standard output for "-" or NULL.  A file
 * appears whole or not at all (a temporary name, then a rename) with mode
 * 0600; an existing one is replaced.  Paths in it are relative to the current
 * directory where the report does not say to what.
 */
int output_render(const struct renderer *renderer, const struct report *report, const char *path,
		  struct error *err);
/* Renders report to the end of a file that others write to as well. */
int output_append(const struct renderer *renderer, const struct report *report, const char *path,
		  struct error *err);

#endif
