#include "analyzers/tally.h"

#include <stdlib.h>

#include "core/arena.h"

void tally_add(struct tally *t, uint64_t key, uint64_t weight, uint32_t distance)
{
	ARRAY_GROW(t->v, t->n, t->cap);
	t->v[t->n++] = (struct tally_entry){ key, weight, (double)weight * distance, t->added++ };
}

static int by_key(const void *a, const void *b)
{
	const struct tally_entry *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

void tally_merge(struct tally *t)
{
	size_t n = 0;

	if (t->n == 0)
		return;
	qsort(t->v, t->n, sizeof(*t->v), by_key);
	for (size_t i = 1; i < t->n; i++) {
		if (t->v[i].key == t->v[n].key) {
			t->v[n].weight += t->v[i].weight;
			t->v[n].distance += t->v[i].distance;
		} else {
			t->v[++n] = t->v[i];
		}
	}
	t->n = n + 1;
}

const struct tally_entry *tally_heaviest(struct tally *t)
{
	const struct tally_entry *best = NULL;

	tally_merge(t);
	for (size_t i = 0; i < t->n; i++)
		if (!best || t->v[i].weight > best->weight ||
		    (t->v[i].weight == best->weight && t->v[i].order < best->order))
			best = &t->v[i];
	return best;
}

void tally_destroy(struct tally *t)
{
	free(t->v);
	*t = (struct tally){ 0 };
}
