#include "analyzers/regex/walk.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash_place(const struct walk_step *s)
{
	uint64_t h = s->a;

	h = (h ^ s->b) * 0x9e3779b97f4a7c15ull;
	h = (h ^ h >> 29 ^ s->c) * 0xbf58476d1ce4e5b9ull;
	return (uint32_t)(h >> 32);
}

static bool same_place(const struct walk_step *x, const struct walk_step *y)
{
	return x->a == y->a && x->b == y->b && x->c == y->c;
}

static void grow(struct walk *w)
{
	uint32_t n = w->n_slots ? 2 * w->n_slots : 64;

	free(w->slots);
	w->slots = xcalloc(n, sizeof(*w->slots));
	w->n_slots = n;
	for (size_t i = 0; i < w->n; i++) {
		uint32_t slot = hash_place(&w->steps[i]) & (n - 1);

		while (w->slots[slot])
			slot = (slot + 1) & (n - 1);
		w->slots[slot] = (uint32_t)i + 1;
	}
}

uint32_t walk_index(struct walk *w, struct walk_step step)
{
	uint32_t slot;

	if (2 * (w->n + 1) > w->n_slots)
		grow(w);
	slot = hash_place(&step) & (w->n_slots - 1);
	for (; w->slots[slot]; slot = (slot + 1) & (w->n_slots - 1))
		if (same_place(&w->steps[w->slots[slot] - 1], &step))
			return w->slots[slot] - 1;
	ARRAY_GROW(w->steps, w->n, w->cap);
	w->steps[w->n++] = step;
	w->slots[slot] = (uint32_t)w->n;
	return (uint32_t)w->n - 1;
}

bool walk_add(struct walk *w, struct walk_step step)
{
	size_t n = w->n;

	return walk_index(w, step) == n;
}

struct word walk_word(const struct walk *w, size_t step, struct arena *a)
{
	struct word word = { 0 };
	uint32_t *labels;

	for (size_t i = step; w->steps[i].parent != UINT32_MAX; i = w->steps[i].parent)
		word.n++;
	labels = arena_alloc(a, (word.n + 1) * sizeof(*labels));
	word.labels = labels;
	for (uint32_t at = word.n; at > 0; at--) {
		labels[at - 1] = w->steps[step].label;
		step = w->steps[step].parent;
	}
	return word;
}

void walk_clear(struct walk *w)
{
	if (w->n_slots > 4096) {
		free(w->slots);
		w->slots = NULL;
		w->n_slots = 0;
	} else if (w->n_slots) {
		memset(w->slots, 0, w->n_slots * sizeof(*w->slots));
	}
	w->n = 0;
}

void walk_free(struct walk *w)
{
	free(w->steps);
	free(w->slots);
	*w = (struct walk){ 0 };
}
