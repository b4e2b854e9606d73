#ifndef LAGPROF_CLI_COMPLAIN_H
#define LAGPROF_CLI_COMPLAIN_H

#include "cli/exit.h"
#include "core/error.h"

/*
 * Prints "lagprof: what: why" and, when err has a fix, "  try: fix" on standard error.  Control
 * characters are made visible.  Returns status, so that `return complain(...)` reads well.
 */
int complain(enum exit_status status, const struct error *err);

/* The same with STATUS_USAGE and a message and fix ("" for none) given here. */
int complain_usage(const char *fix, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
