#ifndef LAGPROF_REPORT_REPEATS_H
#define LAGPROF_REPORT_REPEATS_H

#include "core/finding.h"
#include "core/strings.h"

/*
 * Keeps a sick target from flooding the terminal: of stalls of one cause at one
 * place in one process, a few lines in ten seconds are shown; the rest is
 * counted, and told of with its count when the ten seconds are over.  Pure.
 */
struct repeats {
	struct repeat *v;
	size_t n, cap;
};

/* Is the line of this stall, which has ended, to be shown?  Otherwise it is counted. */
bool repeats_show(struct repeats *r, const struct recording *rec, const struct stall *stall,
		  const struct stall_diagnosis *d);
/*
 * Appends a line for each place whose ten seconds are over at `now` (ns since
 * the session began; UINT64_MAX: all) and that had more stalls than were shown.
 */
void repeats_tell(struct repeats *r, nsec now, bool ascii, struct strbuf *out);
void repeats_destroy(struct repeats *r);

#endif
