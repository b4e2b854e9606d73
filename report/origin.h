#ifndef LAGPROF_REPORT_ORIGIN_H
#define LAGPROF_REPORT_ORIGIN_H

#include "core/recording.h"

/* Where a frame's code comes from, as outputs color and filter it. */
enum origin {
	ORIGIN_OWN,     /* the target's own files; of a native target, its program */
	ORIGIN_PACKAGE, /* installed packages */
	ORIGIN_LIBRARY, /* the runtime's standard library: node:fs, Python's json */
	ORIGIN_VM,      /* builtins, the interpreter and what is linked into it */
	ORIGIN_NATIVE,  /* shared libraries */
	ORIGIN_KERNEL,
	ORIGIN_NONE, /* no code: waiting, no sample */
	ORIGINS
};
extern const char *const origin_ids[ORIGINS];    /* "own", "package", ... */
extern const char *const origin_labels[ORIGINS]; /* "your code", ... */

enum origin origin_of(const struct frame *f, const struct target_info *target);

#endif
