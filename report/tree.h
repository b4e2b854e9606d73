#ifndef LAGPROF_REPORT_TREE_H
#define LAGPROF_REPORT_TREE_H

#include "report/weights.h"

/*
 * The stacks of weights as one tree: equal beginnings share nodes.  In preorder:
 * a node's parent is the last one before it that has a smaller depth.  Frames
 * that only differ in their address, or in the line of native code, are one: a
 * hot native function would fall apart into its instructions.
 */
struct tree_node {
	uint32_t depth; /* 0: outermost frame */
	uint32_t frame; /* as weight_frame() takes it */
};

struct tree {
	struct tree_node *nodes;
	size_t n, cap;
	uint32_t *leaves; /* of each weight: the node its path ends at */
};

/* Bounded by the distinct stacks and their lengths. */
void tree_make(struct tree *t, const struct recording *rec, const struct weights *w);
/* The line that tells frames of the tree apart: of a script's, not of native code's (0). */
uint32_t tree_line(const struct frame *f);
void tree_destroy(struct tree *t);

#endif
