#ifndef LAGPROF_ANALYZERS_TITLE_H
#define LAGPROF_ANALYZERS_TITLE_H

#include "analyzers/judge.h"

/*
 * The first part of a finding's headline, "pbkdf2Sync 60000 iterations sha512":
 * the call and what is known of its arguments.  May hold hostile text.
 */
const char *title_make(struct arena *a, const struct judgement *j, const struct evidence *e);

/*
 * What to do: one sentence tied to the call and to what the target is; NULL none.
 * quota: a CPU limit took most of the wait.
 */
const char *advice_find(const struct judgement *j, const struct target_info *target, bool quota);

#endif
