#ifndef LAGPROF_ANALYZERS_REGEX_AMBIGUITY_H
#define LAGPROF_ANALYZERS_REGEX_AMBIGUITY_H

#include "analyzers/regex/graph.h"
#include "core/arena.h"

/*
 * How the number of paths of an automaton grows with the length of a word
 * (Weber and Seidl 1991): exponentially if two different paths lead from a
 * state back to itself by one word; else as a polynomial whose degree is the
 * longest chain of pumps.  A pump is a word v with p -v-> p, p -v-> q and
 * q -v-> q, p and q in different components.
 */

struct word {
	const uint32_t *labels;
	uint32_t n;
};

struct pump {
	uint32_t from, to; /* nodes p and q; equal when exponential */
	struct word word;
};

/* Where the caller found it worth a look; see ambiguity_input. */
struct hint {
	uint32_t from, to;
};

struct ambiguity_input {
	const struct graph *graph; /* with its components */
	const bool *searches;      /* by node: part of the search loop */
	/*
	 * By node: it matches whatever comes, so no path that fails passes
	 * through it.  NULL: none.
	 */
	const bool *winning;
	bool idle_search; /* pumps from the search loop do not count */
	/*
	 * Of a coarser graph whose paths include these: a number for each node,
	 * and for which pairs of them it has a pump (from == to: or two paths back
	 * to one state), sorted.  NULL: look everywhere.
	 */
	const uint32_t *coarse;
	const struct hint *hints;
	size_t n_hints;
	uint64_t budget; /* nodes of products to look at */
	bool loops_only; /* stop when it is known whether it is exponential */
};

struct ambiguity {
	bool exhausted;     /* the budget ran out: there may be more */
	uint64_t work;      /* what was spent of it */
	struct pump *loops; /* one for each exponential component */
	uint32_t n_loops;
	uint32_t degree;       /* of the number of steps, loops aside: 1 + pumps in chain */
	uint32_t inner_degree; /* the same without the search loop */
	struct pump *chain;    /* in the order of the word */
	uint32_t n_chain;
	struct pump *links; /* all pumps, those that come first on a word first */
	uint32_t n_links;
};

void hints_sort(struct hint *hints, size_t n);

/* Results live in the arena. */
void ambiguity_find(const struct ambiguity_input *in, struct ambiguity *out, struct arena *a);

/* The shortest word from one of the nodes of a set to node; false: there is none. */
bool graph_path(const struct graph *g, uint32_t from, uint32_t to, struct word *word,
		struct arena *a);

#endif
