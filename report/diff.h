#ifndef LAGPROF_REPORT_DIFF_H
#define LAGPROF_REPORT_DIFF_H

#include "core/diff.h"
#include "report/renderer.h"

/* Writes what became of the findings of `before` in `after`, as text for people. */
void diff_text(const struct diff *diff, const struct report *before, const struct report *after,
	       FILE *out);
/* The same for a comment on a change. */
void diff_markdown(const struct diff *diff, const struct report *before, const struct report *after,
		   FILE *out);

#endif
