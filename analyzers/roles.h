#ifndef LAGPROF_ANALYZERS_ROLES_H
#define LAGPROF_ANALYZERS_ROLES_H

#include "core/recording.h"

/* Whose code a frame is: the higher, the rather it is blamed. */
enum role {
	ROLE_NOBODY,     /* libc, allocator, VM */
	ROLE_LOOP,       /* runs the loop: what called it did not make the call that stalls */
	ROLE_ADDON,      /* native code of a package: its caller is to blame */
	ROLE_INTERNAL,   /* JavaScript of node itself, main(): blamed where there is nothing else */
	ROLE_DEPENDENCY, /* installed packages and shared libraries */
	ROLE_OWN,
	ROLE_ENTRY, /* the function that stands for a command or a module: redis' keysCommand */
};

/* name is the frame's function in short, NULL unknown. */
enum role role_of(const struct frame *f, const char *name, const struct target_info *target);

#endif
