#ifndef LAGPROF_CORE_DURATION_H
#define LAGPROF_CORE_DURATION_H

#include <stdint.h>

/* Nanoseconds: a length, or a time since the session began (CLOCK_MONOTONIC). */
typedef uint64_t nsec;

/*
 * Reads a length of time as people write it, "20ms", "1.5s", "500us", "30 s", into ns.  Units: ns,
 * us (or µs), ms, s, m (or min), h; one is required, except after 0.  Independent of the locale.
 * 0, or -EINVAL (not a duration) or -ERANGE (over 2^62 ns); *ns is then untouched.
 */
int duration_parse(const char *text, nsec *ns);

#endif
