#ifndef LAGPROF_ANALYZERS_REGEX_VARIANTS_H
#define LAGPROF_ANALYZERS_REGEX_VARIANTS_H

#include "analyzers/regex/syntax.h"

/*
 * No automaton can remember what a group captured.  But one can be built for a
 * pattern in which the group takes one fixed word and what refers to it takes
 * that word again: what is slow there is mostly slow in the pattern itself, and
 * running the attack tells.
 */

enum { VARIANTS_MAX = 6 };

/*
 * Trees of s in which the groups that are referred to are words; returns how
 * many, 0 where nothing refers to a group.  They live in the arena.
 */
uint32_t variants_make(const struct syntax *s, struct syntax variants[VARIANTS_MAX],
		       struct arena *a);

#endif
