#ifndef LAGPROF_ANALYZERS_REGEX_ROUGH_H
#define LAGPROF_ANALYZERS_REGEX_ROUGH_H

#include "analyzers/regex/ambiguity.h"
#include "analyzers/regex/automaton.h"

/*
 * The automaton as a graph of its states, whatever look-aheads may say: it
 * has every path that the matcher can take, and more.  Labels are symbols.
 *
 * A path that fails passes no state that matches whatever comes.  Where a
 * component has such states and others, these are there twice: as nodes of the
 * one path that may succeed, and as nodes of the paths that fail before it.
 */
struct rough {
	struct graph graph; /* its first nodes are the states, in their order */
	uint32_t *states;   /* by node: the state */
	uint32_t *groups;   /* by state: those of one component of the states alone */
	bool *searches;     /* by node: part of the search loop */
	bool *winning;      /* by node: no path that fails passes here */
	bool split;         /* some states are there twice */
};

/* Releases with graph_free(&r->graph); the rest is in the arena. */
void rough_build(struct rough *r, const struct automaton *m, struct arena *a);

#endif
