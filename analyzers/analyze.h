#ifndef LAGPROF_ANALYZERS_ANALYZE_H
#define LAGPROF_ANALYZERS_ANALYZE_H

#include "core/finding.h"

/*
 * Says why each stall of a recording happened and gathers equal ones into
 * findings.  Pure: no pid, clock, environment or file.  The diagnosis points
 * into rec and must be freed before it.
 */
struct diagnosis *diagnose(const struct recording *rec);
void diagnosis_free(struct diagnosis *d);

/*
 * The cause and culprit of one stall, for the line printed as it ends; *title
 * is put into a.  There are no findings yet: .finding is UINT32_MAX.
 */
struct stall_diagnosis diagnose_stall(const struct recording *rec, const struct stall *stall,
				      const char **title, struct arena *a);

#endif
