#ifndef LAGPROF_ANALYZERS_STRICT_H
#define LAGPROF_ANALYZERS_STRICT_H

#include "analyzers/judge.h"

/* Says what the recording's calls that block were, and who made them: fills d->strict. */
void strict_make(struct diagnosis *d, struct classifier *c);

#endif
