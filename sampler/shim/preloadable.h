#ifndef LAGPROF_SAMPLER_SHIM_PRELOADABLE_H
#define LAGPROF_SAMPLER_SHIM_PRELOADABLE_H

#include "core/error.h"

/*
 * Can a library be preloaded into the program that `name` runs (by $PATH, and
 * for a script its interpreter)?  0, also if there is no such program, which its exec
 * will say better; -ENOTSUP and why not: it is static, set-user-ID, or for
 * another machine.
 */
int preloadable_check(const char *name, struct error *err);

#endif
