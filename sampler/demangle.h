#ifndef LAGPROF_SAMPLER_DEMANGLE_H
#define LAGPROF_SAMPLER_DEMANGLE_H

#include <stddef.h>

/*
 * The readable form of a C++ or Rust name, without its argument list, in out
 * (size bytes, always terminated): its length, or 0 if it is no such name.  One
 * that does not fit is cut.  This does not include core/arena.h, whose xrealloc
 * is not libiberty's.
 */
size_t demangle(const char *mangled, size_t len, char *out, size_t size);

/* The length of a name without what compilers append to copies and parts of a function. */
size_t demangle_strip(const char *name);

#endif
