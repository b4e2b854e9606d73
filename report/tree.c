#include "report/tree.h"

#include <stdlib.h>

/* A stack and a state: weights that agree in both share a path. */
static size_t path_key(const struct weight *w)
{
	size_t stack = w->stack == WEIGHT_NO_STACK ? 0 : (size_t)w->stack + 1;

	return stack * 4 + w->state;
}

struct sorting {
	const struct recording *rec;
	const struct weight *weights;
};

/* By what leads to the leaf, so that paths that begin alike end up side by side. */
static int by_path(const void *a, const void *b, void *arg)
{
	const struct sorting *s = arg;
	uint32_t p[WEIGHT_PATH_MAX], q[WEIGHT_PATH_MAX], n, m;

	n = weight_path(s->rec, &s->weights[*(const uint32_t *)a], p);
	m = weight_path(s->rec, &s->weights[*(const uint32_t *)b], q);
	for (uint32_t i = 0; i < n && i < m; i++)
		if (p[i] != q[i])
			return p[i] < q[i] ? -1 : 1;
	return (n > m) - (n < m);
}

/* The first weight of each path; leaf_of[path_key()] is set to anything but 0 for those. */
static uint32_t *find_paths(const struct weights *w, uint32_t *leaf_of, size_t *n)
{
	uint32_t *firsts = xcalloc(w->n + 1, sizeof(*firsts));

	*n = 0;
	for (size_t i = 0; i < w->n; i++) {
		uint32_t *leaf = &leaf_of[path_key(&w->v[i])];

		if (!*leaf)
			firsts[(*n)++] = (uint32_t)i;
		*leaf = 1;
	}
	return firsts;
}

/* Adds the nodes in which path differs from the one before it. */
static void add_path(struct tree *t, const uint32_t *path, uint32_t n, uint32_t shared)
{
	for (uint32_t depth = shared; depth < n; depth++) {
		ARRAY_GROW(t->nodes, t->n, t->cap);
		t->nodes[t->n++] = (struct tree_node){ depth, path[depth] };
	}
}

void tree_make(struct tree *t, const struct recording *rec, const struct weights *w)
{
	struct sorting sorting = { rec, w->v };
	uint32_t *leaf_of = xcalloc((rec->stacks.n_stacks + 1) * 4, sizeof(*leaf_of));
	uint32_t paths[2][WEIGHT_PATH_MAX], before = 0, *firsts;
	size_t n_paths;

	*t = (struct tree){ .leaves = xcalloc(w->n + 1, sizeof(*t->leaves)) };
	firsts = find_paths(w, leaf_of, &n_paths);
	qsort_r(firsts, n_paths, sizeof(*firsts), by_path, &sorting);
	for (size_t i = 0; i < n_paths; i++) {
		const struct weight *weight = &w->v[firsts[i]];
		uint32_t *path = paths[i & 1], *last = paths[~i & 1], shared = 0, n;

		n = weight_path(rec, weight, path);
		while (shared < n && shared < before && path[shared] == last[shared])
			shared++;
		add_path(t, path, n, shared);
		/* A path that ends inside the last one would have come before it. */
		leaf_of[path_key(weight)] = (uint32_t)t->n - 1;
		before = n;
	}
	for (size_t i = 0; i < w->n; i++)
		t->leaves[i] = leaf_of[path_key(&w->v[i])];
	free(firsts);
	free(leaf_of);
}

void tree_destroy(struct tree *t)
{
	free(t->nodes);
	free(t->leaves);
	*t = (struct tree){ 0 };
}
