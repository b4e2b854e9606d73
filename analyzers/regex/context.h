#ifndef LAGPROF_ANALYZERS_REGEX_CONTEXT_H
#define LAGPROF_ANALYZERS_REGEX_CONTEXT_H

#include "analyzers/regex/positions.h"

/*
 * What came before, as far as the pattern asks: which sets the last character
 * was in, and which look-behinds match here.  Context 0 is the start of the
 * subject.  They are the states of a deterministic automaton that reads it.
 */
struct contexts {
	uint32_t n, symbols;
	uint32_t *next;   /* [context * symbols + symbol] */
	uint64_t *in;     /* by context: bit i: the last character is in set previous[i] */
	uint64_t *behind; /* by context: bit i: look-behind i matches */
	uint32_t previous[64], n_previous;
};

/* Contexts live in the arena.  False: there are too many. */
bool contexts_build(struct contexts *c, const struct positions *p, const struct alphabet *alphabet,
		    struct arena *a);

/* Was the last character in the set (an index of the positions)?  Not at the start. */
bool contexts_was_in(const struct contexts *c, uint32_t context, uint32_t set);

#endif
