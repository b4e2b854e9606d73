#ifndef LAGPROF_CLI_OUTPUT_H
#define LAGPROF_CLI_OUTPUT_H

#include "report/renderer.h"

/*
 * Renders report to path, or to standard output for "-" or NULL.  A file
 * appears whole or not at all (a temporary name, then a rename) with mode
 * 0600, owned by whoever called sudo; an existing one is replaced.  Paths in it are relative to the
 * current directory where the report does not say to what.
 */
int output_render(const struct renderer *renderer, const struct report *report, const char *path,
		  struct error *err);
/* Renders report to the end of a file that others write to as well. */
int output_append(const struct renderer *renderer, const struct report *report, const char *path,
		  struct error *err);
/* "server.html" for "server.lagprof" and ".html", in out, which is returned. */
const char *output_beside(char *out, size_t size, const char *recording, const char *suffix);

#endif
