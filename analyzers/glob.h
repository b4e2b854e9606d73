#ifndef LAGPROF_ANALYZERS_GLOB_H
#define LAGPROF_ANALYZERS_GLOB_H

#include <stdbool.h>

/*
 * Does s match a pattern in which '*' stands for any bytes, also none?  Case
 * and every other byte count.  Unlike fnmatch() it knows no locale, so hostile
 * bytes cannot make it fail, and it takes at most len(pattern) * len(s) steps.
 */
bool glob_match(const char *pattern, const char *s);

#endif
