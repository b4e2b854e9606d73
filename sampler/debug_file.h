#ifndef LAGPROF_SAMPLER_DEBUG_FILE_H
#define LAGPROF_SAMPLER_DEBUG_FILE_H

#include "sampler/elf_file.h"

/* Where a program or library came from: what leads to its separate debug file. */
struct debug_origin {
	int proc;         /* /proc/PID of a target whose root is searched first; -1: only ours */
	const char *path; /* of the file in the target; NULL: only its build-id counts */
	const char *build_id; /* hex; NULL or "": none */
};

/*
 * Opens the debug file that the distribution or the developer put beside a
 * program: by build-id below /usr/lib/debug/.build-id, else by the
 * .gnu_debuglink of `file` (which may be NULL).  It is believed only if its
 * build-id, or the link's checksum, is right.  NULL if there is none.
 */
struct elf_file *debug_file_open(const struct debug_origin *origin, const struct elf_file *file);

#endif
