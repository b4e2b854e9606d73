#ifndef LAGPROF_ANALYZERS_REGEX_WALK_H
#define LAGPROF_ANALYZERS_REGEX_WALK_H

#include "analyzers/regex/ambiguity.h"

/* A breadth-first walk over pairs or triples of nodes that remembers how it got anywhere. */

struct walk_step {
	uint32_t a, b, c;
	uint32_t parent; /* index of a step, or UINT32_MAX */
	uint32_t label;
};

struct walk {
	struct walk_step *steps; /* in the order they were found */
	size_t n, cap;
	uint32_t *slots; /* hash table of index + 1 */
	uint32_t n_slots;
};

/* The index of a place, added unless it was found before. */
uint32_t walk_index(struct walk *w, struct walk_step step);
/* The same; true: it is new. */
bool walk_add(struct walk *w, struct walk_step step);
/* The labels on the way to a step. */
struct word walk_word(const struct walk *w, size_t step, struct arena *a);
/* Forgets everything but keeps the memory. */
void walk_clear(struct walk *w);
void walk_free(struct walk *w);

#endif
