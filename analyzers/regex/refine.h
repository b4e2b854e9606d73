#ifndef LAGPROF_ANALYZERS_REGEX_REFINE_H
#define LAGPROF_ANALYZERS_REGEX_REFINE_H

#include "analyzers/regex/ambiguity.h"
#include "analyzers/regex/automaton.h"

/*
 * The automaton seen together with what is to come: a node is a state and the
 * set of states from which the rest of the subject surely matches.  So only
 * the paths are left that the matcher really explores: none after the first
 * one that succeeds, none past a look-ahead that says no.
 *
 * The sets are found by reading the subject backwards, where they are
 * deterministic; each comes with a shortest rest that makes it.
 */
struct future {
	uint32_t next;   /* the set after `symbol` */
	uint32_t symbol; /* first symbol of the rest; the end symbol: the rest is empty */
};

struct refined_node {
	uint32_t state, set;
	uint32_t parent, label; /* a shortest way from the start; parent UINT32_MAX: is one */
};

struct refined {
	const struct automaton *automaton;
	struct graph graph;         /* labels: symbol * n_sets + the set after it */
	struct refined_node *nodes; /* of the graph */
	struct future *futures;     /* of each set */
	uint64_t *sets;
	uint32_t *before; /* [set * symbols + symbol]: the set one symbol earlier */
	uint32_t n_sets, words;
	size_t n_nodes, cap_nodes, cap_sets, cap_futures;
	uint64_t work;  /* about how long it took, in steps of the matcher */
	bool exhausted; /* too large: not usable */
};

enum {
	REFINED_SETS_MAX = 20000,
	REFINED_WORK_MAX = 8 * 1000 * 1000,
	REFINED_ARCS_MAX = 800 * 1000,
	REFINED_NODES_MAX = 8 * 1000 * 1000, /* states times sets */
};

void refined_build(struct refined *r, const struct automaton *m);
void refined_free(struct refined *r);

/* The labels on a shortest way from the start to a node. */
struct word refined_way(const struct refined *r, uint32_t node, struct arena *a);

#endif
