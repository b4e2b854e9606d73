#ifndef LAGPROF_ANALYZERS_REGEX_CHARSET_H
#define LAGPROF_ANALYZERS_REGEX_CHARSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

/* A set of characters (code points, code units or bytes: the caller knows). */
struct range {
	uint32_t lo, hi; /* inclusive */
};

/* Sorted, disjoint and with a gap between neighbours; immutable once made. */
struct charset {
	const struct range *ranges;
	uint32_t n;
};

/* Where ranges are gathered in any order; reusable after charset_finish(). */
struct charset_builder {
	struct range *ranges; /* malloc'ed; free with charset_builder_free() */
	size_t n, cap;
};

void charset_add(struct charset_builder *b, uint32_t lo, uint32_t hi);
void charset_add_set(struct charset_builder *b, const struct charset *set);
/* What was gathered, in the arena; empties b. */
const struct charset *charset_finish(struct charset_builder *b, struct arena *a);
void charset_builder_free(struct charset_builder *b);

const struct charset *charset_single(uint32_t c, struct arena *a);
bool charset_has(const struct charset *set, uint32_t c);
bool charset_equal(const struct charset *x, const struct charset *y);
bool charset_overlap(const struct charset *x, const struct charset *y);

/* Results live in the arena.  The complement is taken within 0..max. */
const struct charset *charset_union(const struct charset *x, const struct charset *y,
				    struct arena *a);
const struct charset *charset_intersect(const struct charset *x, const struct charset *y,
					struct arena *a);
const struct charset *charset_subtract(const struct charset *x, const struct charset *y,
				       struct arena *a);
const struct charset *charset_invert(const struct charset *set, uint32_t max, struct arena *a);

#endif
