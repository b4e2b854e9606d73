#ifndef LAGPROF_CLI_TOP_ONCE_H
#define LAGPROF_CLI_TOP_ONCE_H

#include <sys/types.h>

#include "cli/options.h"
#include "core/finding.h"

/* One screen of the live view as text on standard output. */
void top_print(const struct options *o, const struct recording *rec, const struct diagnosis *d);
/* Of a recording, and of a process after it was observed for --duration; no file is written. */
int top_once_file(const struct options *o, const char *file, struct error *err);
int top_once(const struct options *o, pid_t pid, struct error *err);

#endif
