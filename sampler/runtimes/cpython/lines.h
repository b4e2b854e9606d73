#ifndef LAGPROF_SAMPLER_RUNTIMES_CPYTHON_LINES_H
#define LAGPROF_SAMPLER_RUNTIMES_CPYTHON_LINES_H

#include <stddef.h>
#include <stdint.h>

/*
 * The tables by which a code object tells lines.  Pure; the bytes are hostile.
 *
 * The line of the instruction `at` bytes into the code that begins in line
 * `first`; 0 if the table has none for it.  version: major * 100 + minor.
 */
uint32_t cpython_line(int32_t version, const uint8_t *table, size_t len, uint32_t first,
		      uint32_t at);

#endif
