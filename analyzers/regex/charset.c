#include "analyzers/regex/charset.h"

#include <stdlib.h>
#include <string.h>

void charset_add(struct charset_builder *b, uint32_t lo, uint32_t hi)
{
	ARRAY_GROW(b->ranges, b->n, b->cap);
	b->ranges[b->n++] = (struct range){ lo, hi };
}

void charset_add_set(struct charset_builder *b, const struct charset *set)
{
	for (uint32_t i = 0; i < set->n; i++)
		charset_add(b, set->ranges[i].lo, set->ranges[i].hi);
}

static int range_compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

static bool is_sorted(const struct range *r, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (r[i - 1].lo > r[i].lo)
			return false;
	return true;
}

/* Merges sorted ranges that touch; returns how many are left. */
static size_t merge(struct range *r, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (kept && (r[kept - 1].hi == UINT32_MAX || r[i].lo <= r[kept - 1].hi + 1)) {
			if (r[i].hi > r[kept - 1].hi)
				r[kept - 1].hi = r[i].hi;
		} else {
			r[kept++] = r[i];
		}
	}
	return kept;
}

const struct charset *charset_finish(struct charset_builder *b, struct arena *a)
{
	struct charset *set = arena_alloc(a, sizeof(*set));
	struct range *copy;

	if (!is_sorted(b->ranges, b->n))
		qsort(b->ranges, b->n, sizeof(*b->ranges), range_compare);
	set->n = (uint32_t)merge(b->ranges, b->n);
	if (set->n) {
		copy = arena_alloc(a, set->n * sizeof(*copy));
		memcpy(copy, b->ranges, set->n * sizeof(*copy));
		set->ranges = copy;
	}
	b->n = 0;
	return set;
}

void charset_builder_free(struct charset_builder *b)
{
	free(b->ranges);
	*b = (struct charset_builder){ 0 };
}

const struct charset *charset_single(uint32_t c, struct arena *a)
{
	struct charset *set = arena_alloc(a, sizeof(*set));
	struct range *r = arena_alloc(a, sizeof(*r));

	*r = (struct range){ c, c };
	*set = (struct charset){ r, 1 };
	return set;
}

bool charset_has(const struct charset *set, uint32_t c)
{
	uint32_t lo = 0, hi = set->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (c > set->ranges[mid].hi)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < set->n && c >= set->ranges[lo].lo;
}

bool charset_equal(const struct charset *x, const struct charset *y)
{
	return x->n == y->n &&
	       (x->n == 0 || memcmp(x->ranges, y->ranges, x->n * sizeof(*x->ranges)) == 0);
}

bool charset_overlap(const struct charset *x, const struct charset *y)
{
	uint32_t i = 0, j = 0;

	while (i < x->n && j < y->n) {
		if (x->ranges[i].hi < y->ranges[j].lo)
			i++;
		else if (y->ranges[j].hi < x->ranges[i].lo)
			j++;
		else
			return true;
	}
	return false;
}

const struct charset *charset_union(const struct charset *x, const struct charset *y,
				    struct arena *a)
{
	struct charset_builder b = { 0 };
	const struct charset *set;

	charset_add_set(&b, x);
	charset_add_set(&b, y);
	set = charset_finish(&b, a);
	charset_builder_free(&b);
	return set;
}

const struct charset *charset_intersect(const struct charset *x, const struct charset *y,
					struct arena *a)
{
	struct charset *set = arena_alloc(a, sizeof(*set));
	struct range *out = arena_alloc(a, ((size_t)x->n + y->n + 1) * sizeof(*out));
	uint32_t i = 0, j = 0;

	set->ranges = out;
	while (i < x->n && j < y->n) {
		struct range p = x->ranges[i], q = y->ranges[j];
		uint32_t lo = p.lo > q.lo ? p.lo : q.lo, hi = p.hi < q.hi ? p.hi : q.hi;

		if (lo <= hi)
			out[set->n++] = (struct range){ lo, hi };
		if (p.hi < q.hi)
			i++;
		else
			j++;
	}
	return set;
}

const struct charset *charset_subtract(const struct charset *x, const struct charset *y,
				       struct arena *a)
{
	return charset_intersect(x, charset_invert(y, UINT32_MAX, a), a);
}

const struct charset *charset_invert(const struct charset *set, uint32_t max, struct arena *a)
{
	struct charset *inverse = arena_alloc(a, sizeof(*inverse));
	struct range *out = arena_alloc(a, ((size_t)set->n + 1) * sizeof(*out));
	uint32_t next = 0;

	inverse->ranges = out;
	for (uint32_t i = 0; i < set->n && set->ranges[i].lo <= max; i++) {
		if (set->ranges[i].lo > next)
			out[inverse->n++] = (struct range){ next, set->ranges[i].lo - 1 };
		if (set->ranges[i].hi >= max)
			return inverse;
		next = set->ranges[i].hi + 1;
	}
	out[inverse->n++] = (struct range){ next, max };
	return inverse;
}
