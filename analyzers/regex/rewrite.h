#ifndef LAGPROF_ANALYZERS_REGEX_REWRITE_H
#define LAGPROF_ANALYZERS_REGEX_REWRITE_H

#include "analyzers/regex/decide.h"

/*
 * A pattern that matches what the dangerous one does and is safe: nested
 * repeats made one, overlapping ones told apart, a search kept from beginning
 * inside what it has already tried.  NULL: none was found.  The rewrite was
 * decided safe and found the same matches on generated strings; *captures says
 * whether its groups held the same too.  The text lives in a.
 */
const char *rewrite_find(const struct regex_pattern *pattern, const struct decision *d,
			 bool *captures, struct arena *a);

/* same.c: do both find the same in strings generated from the first? */
enum sameness { SAME_NOT, SAME_MATCHES, SAME_CAPTURES };
enum sameness rewrite_compare(const struct regex_pattern *x, const struct regex_pattern *y);

#endif
