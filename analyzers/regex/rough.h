#ifndef LAGPROF_ANALYZERS_REGEX_ROUGH_H
#define LAGPROF_ANALYZERS_REGEX_ROUGH_H

#include "analyzers/regex/ambiguity.h"
#include "analyzers/regex/automaton.h"

/*
 * The automaton as a graph of its states, whatever look-aheads may say: it
 * has every path that the matcher can take, and more.  Labels are symbols.
 */
struct rough {
	struct graph graph;
	bool *searches; /* by state: part of the search loop */
	bool *winning;  /* by state: it matches whatever comes */
};

/* Releases with graph_free(&r->graph); the rest is in the arena. */
void rough_build(struct rough *r, const struct automaton *m, struct arena *a);

#endif
