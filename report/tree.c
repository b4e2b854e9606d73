#include "report/tree.h"

#include <stdlib.h>

/* A stack and a state: weights that agree in both share a path. */
static size_t path_key(const struct weight *w)
{
	size_t stack = w->stack == WEIGHT_NO_STACK ? 0 : (size_t)w->stack + 1;

	return stack * 4 + w->state;
}

uint32_t tree_line(const struct frame *f)
{
	return f->kind == FRAME_JS || f->kind == FRAME_PYTHON ? f->line : 0;
}

static bool looks_same(const struct frame *a, const struct frame *b)
{
	return a->kind == b->kind && a->function == b->function && a->module == b->module &&
	       a->file == b->file && tree_line(a) == tree_line(b);
}

static uint64_t hash_looks(const struct frame *f, const void *seed)
{
	const uint64_t words[] = { (uintptr_t)f->function, (uintptr_t)f->module, (uintptr_t)f->file,
				   (uint64_t)tree_line(f) << 8 | f->kind };

	return hash_bytes((uintptr_t)seed, words, sizeof(words));
}

/* Of each frame: the first that looks the same. */
static uint32_t *merge_frames(const struct recording *rec)
{
	size_t n = rec->stacks.n_frames, cap = 64, at;
	uint32_t *first = xcalloc(n + WEIGHT_OWN_FRAMES, sizeof(*first)), *slots;

	while (cap < n * 2)
		cap *= 2;
	slots = xcalloc(cap, sizeof(*slots)); /* id + 1; 0: free */
	for (size_t i = 0; i < n; i++) {
		const struct frame *f = recording_get_frame(rec, (uint32_t)i);

		at = hash_looks(f, slots) & (cap - 1);
		while (slots[at] && !looks_same(f, recording_get_frame(rec, slots[at] - 1)))
			at = (at + 1) & (cap - 1);
		if (!slots[at])
			slots[at] = (uint32_t)i + 1;
		first[i] = slots[at] - 1;
	}
	for (size_t i = n; i < n + WEIGHT_OWN_FRAMES; i++)
		first[i] = (uint32_t)i;
	free(slots);
	return first;
}

struct sorting {
	const struct recording *rec;
	const struct weight *weights;
	const uint32_t *first; /* merge_frames() */
};

static uint32_t merged_path(const struct sorting *s, uint32_t weight, uint32_t ids[WEIGHT_PATH_MAX])
{
	uint32_t n = weight_path(s->rec, &s->weights[weight], ids);

	for (uint32_t i = 0; i < n; i++)
		ids[i] = s->first[ids[i]];
	return n;
}

/* By what leads to the leaf, so that paths that begin alike end up side by side. */
static int by_path(const void *a, const void *b, void *arg)
{
	const struct sorting *s = arg;
	uint32_t p[WEIGHT_PATH_MAX], q[WEIGHT_PATH_MAX], n, m;

	n = merged_path(s, *(const uint32_t *)a, p);
	m = merged_path(s, *(const uint32_t *)b, q);
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
	uint32_t *first = merge_frames(rec);
	struct sorting sorting = { rec, w->v, first };
	uint32_t *leaf_of = xcalloc((rec->stacks.n_stacks + 1) * 4, sizeof(*leaf_of));
	uint32_t paths[2][WEIGHT_PATH_MAX], before = 0, *firsts;
	size_t n_paths;

	*t = (struct tree){ .leaves = xcalloc(w->n + 1, sizeof(*t->leaves)) };
	firsts = find_paths(w, leaf_of, &n_paths);
	qsort_r(firsts, n_paths, sizeof(*firsts), by_path, &sorting);
	for (size_t i = 0; i < n_paths; i++) {
		const struct weight *weight = &w->v[firsts[i]];
		uint32_t *path = paths[i & 1], *last = paths[~i & 1], shared = 0, n;

		n = merged_path(&sorting, firsts[i], path);
		while (shared < n && shared < before && path[shared] == last[shared])
			shared++;
		add_path(t, path, n, shared);
		/* A path that ends inside the last one would have come before it. */
		leaf_of[path_key(weight)] = (uint32_t)t->n - 1;
		before = n;
	}
	for (size_t i = 0; i < w->n; i++)
		t->leaves[i] = leaf_of[path_key(&w->v[i])];
	free(first);
	free(firsts);
	free(leaf_of);
}

void tree_destroy(struct tree *t)
{
	free(t->nodes);
	free(t->leaves);
	*t = (struct tree){ 0 };
}
