#ifndef LAGPROF_CORE_REDACT_H
#define LAGPROF_CORE_REDACT_H

#include "core/recording.h"

/*
 * Makes rec fit to be shown to strangers, before it is diagnosed.  What the
 * machine, its users and their data are called gives way to a name that is the
 * same wherever the same thing is meant, "[host 1]", and says nothing else; what
 * the code is called stays, or nobody could say what blocked.  docs/report.md
 * lists what is hidden.  Text of a kind that is not known here is hidden.
 */
void recording_redact(struct recording *rec);

#endif
