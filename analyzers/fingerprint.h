#ifndef LAGPROF_ANALYZERS_FINGERPRINT_H
#define LAGPROF_ANALYZERS_FINGERPRINT_H

#include "core/finding.h"

/*
 * The identity of a finding across runs, edits and machines: a hash of its
 * cause, the culprit's file and function, and the call; no lines, no addresses.
 * Files count by their path inside the project (below the folder they share with
 * the main script, or the working directory, or from node_modules or
 * site-packages on), native functions by the name of their file, with or without
 * debug information.  `nth` tells functions of the
 * same name in the same file apart, in order of their definition.
 *
 * Baselines hold fingerprints: a change here makes every one of them stale.
 */
void fingerprint(char out[17], const struct recording *rec, const struct finding *f, uint32_t nth);

/* The part of a path that is the same in every checkout; points into path. */
const char *project_path(const struct recording *rec, const char *path);

#endif
