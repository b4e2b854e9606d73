#include "analyzers/regex/alphabet.h"

#include <stdlib.h>

/* The characters from starts[i] to starts[i + 1] - 1 are in the same sets. */
struct intervals {
	uint32_t *starts; /* n + 1; the last is one past the largest character */
	uint32_t *symbol;
	uint32_t n;
};

static int compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static struct intervals cut(const struct charset *const *sets, uint32_t n, uint32_t max_char,
			    struct arena *a)
{
	struct intervals v = { 0 };
	uint32_t *starts, count = 0;
	size_t room = 2;

	for (uint32_t i = 0; i < n; i++)
		room += 2 * (size_t)sets[i]->n;
	starts = arena_alloc(a, room * sizeof(*starts));
	starts[count++] = 0;
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < sets[i]->n; j++) {
			starts[count++] = sets[i]->ranges[j].lo;
			starts[count++] = sets[i]->ranges[j].hi + 1;
		}
	}
	starts[count++] = max_char + 1;
	qsort(starts, count, sizeof(*starts), compare);
	for (uint32_t i = 0; i < count && starts[i] <= max_char; i++)
		if (v.n == 0 || starts[i] != starts[v.n - 1])
			starts[v.n++] = starts[i];
	starts[v.n] = max_char + 1;
	v.starts = starts;
	v.symbol = arena_alloc(a, v.n * sizeof(*v.symbol));
	return v;
}

/* The interval that begins at c. */
static uint32_t interval_at(const struct intervals *v, uint32_t c)
{
	uint32_t lo = 0, hi = v->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (v->starts[mid] < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* How many intervals each symbol has: all of them, those in the set, and the symbol of these. */
struct split {
	uint32_t all, inside, to;
};

/* Splits the symbols that have members both in and out of the set. */
static bool refine(struct intervals *v, const struct charset *set, struct split *split, uint32_t *n)
{
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < set->n; i++) {
			uint32_t j = interval_at(v, set->ranges[i].lo);

			for (; j < v->n && v->starts[j] <= set->ranges[i].hi; j++) {
				struct split *s = &split[v->symbol[j]];

				if (pass == 0) {
					s->inside++;
					continue;
				}
				if (s->inside < s->all && !s->to) {
					if (*n == ALPHABET_MAX)
						return false;
					s->to = (*n)++;
					split[s->to] = (struct split){ .all = s->inside };
				}
				if (s->to) {
					v->symbol[j] = s->to;
				}
			}
		}
	}
	for (uint32_t i = 0; i < *n; i++) {
		if (split[i].to)
			split[i].all -= split[i].inside;
		split[i].inside = split[i].to = 0;
	}
	return true;
}

/* How readable a character is in an attack; less is better. */
static unsigned rank(uint32_t c)
{
	static const struct {
		uint32_t lo, hi;
	} order[] = { { 'a', 'z' },          { '0', '9' },   { 'A', 'Z' }, { '!', '~' },
		      { ' ', ' ' },          { '\t', '\n' }, { 0, 0x7f },  { 0xa1, 0xd7ff },
		      { 0x10000, 0x10ffff }, { 0, 0x10ffff } };
	unsigned i = 0;

	while (c < order[i].lo || c > order[i].hi)
		i++;
	return i;
}

/* The most readable character of an interval. */
static uint32_t best_of(uint32_t lo, uint32_t hi)
{
	static const uint32_t wanted[] = { 'a', '0', 'A', '!', ' ', '\t', 0, 0xa1, 0x10000 };
	uint32_t best = lo;

	for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (wanted[i] > lo && wanted[i] <= hi && rank(wanted[i]) < rank(best))
			best = wanted[i];
	return best;
}

static void choose_samples(struct alphabet *alphabet, const struct intervals *v, struct arena *a)
{
	uint32_t *sample = arena_alloc(a, alphabet->n * sizeof(*sample));

	for (uint32_t i = 0; i < alphabet->n; i++)
		sample[i] = UINT32_MAX;
	for (uint32_t i = 0; i < v->n; i++) {
		uint32_t *s = &sample[v->symbol[i]],
			 c = best_of(v->starts[i], v->starts[i + 1] - 1);

		if (*s == UINT32_MAX || rank(c) < rank(*s))
			*s = c;
	}
	alphabet->sample = sample;
}

static const uint64_t *mask_of(const struct alphabet *alphabet, const struct intervals *v,
			       const struct charset *set, struct arena *a)
{
	uint64_t *mask = arena_alloc(a, alphabet->words * sizeof(*mask));

	for (uint32_t i = 0; i < set->n; i++)
		for (uint32_t j = interval_at(v, set->ranges[i].lo);
		     j < v->n && v->starts[j] <= set->ranges[i].hi; j++)
			bits_set(mask, v->symbol[j]);
	return mask;
}

bool alphabet_init(struct alphabet *alphabet, const struct charset *const *sets, uint32_t n,
		   uint32_t max_char, struct arena *a)
{
	struct intervals v = cut(sets, n, max_char, a);
	struct split *split = arena_alloc(a, (ALPHABET_MAX + 1) * sizeof(*split));
	uint32_t symbols = 1;

	split[0].all = v.n;
	for (uint32_t i = 0; i < n; i++)
		if (!refine(&v, sets[i], split, &symbols))
			return false;
	*alphabet = (struct alphabet){ .n = symbols + 1, .end = symbols };
	alphabet->words = bits_words(alphabet->n);
	choose_samples(alphabet, &v, a);
	alphabet->masks = arena_alloc(a, (n + 1) * sizeof(*alphabet->masks));
	for (uint32_t i = 0; i < n; i++)
		alphabet->masks[i] = mask_of(alphabet, &v, sets[i], a);
	return true;
}
