#ifndef LAGPROF_ANALYZERS_FINDINGS_H
#define LAGPROF_ANALYZERS_FINDINGS_H

#include "analyzers/stalls.h"

/*
 * Gathers stalls with the same cause, culprit and call into findings: fills
 * d->findings (sorted: most serving time first, then startup) and each stall's
 * finding and culprit.  judgements[i] is stall i's; d->stalls is there already.
 */
void findings_make(struct diagnosis *d, struct stalls *stalls, const struct judgement *judgements);

#endif
