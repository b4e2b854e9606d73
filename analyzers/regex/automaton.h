#ifndef LAGPROF_ANALYZERS_REGEX_AUTOMATON_H
#define LAGPROF_ANALYZERS_REGEX_AUTOMATON_H

#include "analyzers/regex/alphabet.h"
#include "analyzers/regex/program.h"

/*
 * A pattern as an ordered automaton: what the backtracking matcher may do from
 * each place in it, first choice first, one character at a time.  Word
 * boundaries, line anchors and one-character look-around are worked into the
 * transitions; other look-aheads are automata of their own that a transition
 * asks about.  Back references, atomic groups and longer look-behind are taken
 * too generously: such transitions are marked unsure.
 */

enum {
	POSITIONS_MAX = 16000, /* characters of the unrolled pattern */
	STATES_MAX = 32000,
	EDGES_MAX = 1500 * 1000,
	CLOSURE_MAX = 3 * 1000 * 1000, /* positions looked at in all */
};

/* Not a state: the pattern (or look-ahead) has matched. */
#define STATE_ACCEPT UINT32_MAX

/* Must hold where a transition is taken: the look-ahead matches, or not. */
struct condition {
	const struct condition *next;
	uint32_t state; /* where the look-ahead begins, here */
	bool negative;
	bool unsure; /* what the look-ahead does is not exactly known */
};

struct edge {
	uint32_t symbol;
	uint32_t target; /* state, or STATE_ACCEPT: then the symbol is not taken */
	uint32_t entry;  /* index in entries */
};

/* What the edges of one way out of a state have in common. */
struct entry {
	const struct condition *conditions;
	const struct node *from; /* the set that is taken; NULL: the search loop */
	uint32_t scope;          /* 0: the match itself; else which look-ahead tried from here */
	bool unsure;
};

struct state {
	uint32_t position, context; /* where in the pattern, after what */
	uint32_t first, n;          /* edges: by symbol, then first choice first */
	uint32_t height;            /* those of the look-aheads asked about are lower */
};

struct automaton {
	struct alphabet alphabet;
	struct state *states;
	struct edge *edges;
	struct entry *entries;
	size_t n_states, n_edges, n_entries;
	size_t cap_states, cap_edges, cap_entries;
	uint32_t start;        /* state before the first character */
	uint32_t height;       /* of the states of the match itself */
	uint32_t search;       /* position of the search loop's states; UINT32_MAX: none */
	uint32_t copies;       /* the most that a count asks for */
	bool relaxed;          /* counts were made unlimited */
	bool unsure;           /* some transition is */
	bool hidden;           /* a look-behind that may read far is not in it */
	const char *too_large; /* what was; nothing else may be used then */
};

/*
 * Builds it.  Repeats that would be copied more than relax times are taken as
 * unlimited.  automaton_free() releases it; the arena must live as long.
 */
void automaton_build(struct automaton *m, const struct syntax *syntax,
		     const struct prefilter *filter, uint32_t relax, struct arena *a);
void automaton_free(struct automaton *m);

/* The first edge of the state that has the symbol or a later one. */
uint32_t automaton_first_edge(const struct automaton *m, const struct state *s, uint32_t symbol);

/* Is it the loop that tries the next position of the subject? */
static inline bool automaton_searches(const struct automaton *m, uint32_t state)
{
	return m->states[state].position == m->search;
}

#endif
