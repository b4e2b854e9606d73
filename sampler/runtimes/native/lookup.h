#ifndef LAGPROF_SAMPLER_NATIVE_LOOKUP_H
#define LAGPROF_SAMPLER_NATIVE_LOOKUP_H

#include "sampler/runtime.h"

enum { LOOKUP_NAME = 254 }; /* bytes of the longest host name, and NUL */

/*
 * The host that the resolver of a C library asks for: by the query that it keeps on the stack
 * while it waits, where the name may have got a domain that is searched, and by a pointer to the
 * name it was called with.  names as in struct runtime.  Returns the frame of the resolver's
 * function that the program called, or -1: it is in none, or has not asked yet.
 */
ssize_t lookup_host(const struct raw_stack *stack, struct memory *mem, const struct frame *names,
		    char host[LOOKUP_NAME]);

#endif
