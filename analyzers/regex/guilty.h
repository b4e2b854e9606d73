#ifndef LAGPROF_ANALYZERS_REGEX_GUILTY_H
#define LAGPROF_ANALYZERS_REGEX_GUILTY_H

#include "analyzers/regex/decide.h"

struct span {
	uint32_t start, end; /* bytes of the pattern */
};

/* The part of the pattern that the decision is about; empty when it is not known. */
struct span guilty_find(const struct decision *d, const struct syntax *syntax, struct arena *a);

#endif
