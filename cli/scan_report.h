#ifndef LAGPROF_CLI_SCAN_REPORT_H
#define LAGPROF_CLI_SCAN_REPORT_H

#include "cli/scanning.h"
#include "report/page.h"

/* What people see: the dangerous patterns, all that are not safe if verbose, and the totals. */
void scan_text(const struct page *page, bool ascii, bool verbose, const struct scanning *s);
/* All that are not safe (docs/scan.schema.json). */
void scan_json(FILE *out, const struct scanning *s);
/* The dangerous patterns; paths relative to root, an absolute folder. */
int scan_sarif(FILE *out, const struct scanning *s, const char *root, struct error *err);

#endif
