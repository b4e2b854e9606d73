#ifndef LAGPROF_ANALYZERS_REGEX_WITNESS_H
#define LAGPROF_ANALYZERS_REGEX_WITNESS_H

#include "analyzers/regex/attack.h"
#include "analyzers/regex/refine.h"

/* From pumps of a graph to attacks.  Results live in the arena. */

enum { SUFFIXES_MAX = 6 };

/* n pumps in the order of the word, of a graph whose labels are symbols times `unit` and more. */
struct pumping {
	const struct graph *graph;
	const struct pump *pumps;
	uint32_t n, unit;
};

/*
 * The attack along the pumps of the automaton's own graph, but for its suffix.  Suffixes that make
 * everything fail that the pumps lead to are put into suffixes, as different as they come; returns
 * how many there are.
 */
uint32_t witness_rough(const struct automaton *m, struct pumping along, struct attack *out,
		       struct units suffixes[SUFFIXES_MAX], struct arena *a);

/* The same of the refined graph, where the pumps' end says what must follow. */
void witness_exact(const struct refined *r, const struct pump *pumps, uint32_t n,
		   struct attack *out, struct arena *a);

#endif
