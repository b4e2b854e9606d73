#ifndef LAGPROF_ANALYZERS_GLOB_H
#define LAGPROF_ANALYZERS_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* The rest of glob_match(), from the first star on. */
bool glob_match_stars(const char *pattern, const char *s);

/*
 * Does s match a pattern in which '*' stands for any bytes, also none?  Case
 * and every other byte count.  Unlike fnmatch() it knows no locale, so hostile
 * bytes cannot make it fail, and it takes at most len(pattern) * len(s) steps.
 */
static inline bool glob_match(const char *pattern, const char *s)
{
	/* Tables are long and most rows fail at their first letter: decided without a call. */
	while (*pattern == *s && *s && *pattern != '*') {
		pattern++;
		s++;
	}
	if (*pattern != '*')
		return *pattern == *s;
	return glob_match_stars(pattern, s);
}

#endif
