#ifndef LAGPROF_ANALYZERS_REGEX_GRAPH_H
#define LAGPROF_ANALYZERS_REGEX_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A directed graph with labelled arcs, and its strongly connected components. */

struct arc {
	uint32_t label, target;
};

struct graph {
	uint32_t n;        /* nodes */
	uint32_t n_labels; /* labels are smaller */
	uint32_t
		*first; /* n + 1: the arcs of node i are arcs[first[i] .. first[i + 1]), by label */
	struct arc *arcs;
	size_t n_arcs, cap_arcs, cap_first;

	/* graph_components() fills these */
	uint32_t n_components;
	uint32_t
		*component; /* of each node; an arc never leads to a component of a higher number */
	uint32_t *members;  /* nodes by component */
	uint32_t *first_member; /* n_components + 1, into members */
	bool *cyclic;           /* component has an arc within it */
};

/* Nodes are made in order: the arcs of a node are added by label, then graph_end_node(). */
void graph_init(struct graph *g, uint32_t n_labels);
void graph_add_arc(struct graph *g, uint32_t label, uint32_t target);
void graph_end_node(struct graph *g);
/* Once all nodes are made. */
void graph_components(struct graph *g);
void graph_free(struct graph *g);

#endif
