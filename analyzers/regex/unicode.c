#include "analyzers/regex/unicode.h"

#include <ctype.h>
#include <string.h>

/* Compares as property names do when loose: letters and digits only, case aside. */
static bool same_name(const char *x, const char *y, bool loose)
{
	if (!loose)
		return strcmp(x, y) == 0;
	for (;;) {
		while (*x == '_' || *x == '-' || *x == ' ')
			x++;
		while (*y == '_' || *y == '-' || *y == ' ')
			y++;
		if (tolower((unsigned char)*x) != tolower((unsigned char)*y))
			return false;
		if (!*x)
			return true;
		x++;
		y++;
	}
}

static uint32_t varint(const unsigned char **p)
{
	uint32_t value = 0;
	unsigned shift = 0;

	while (**p & 0x80) {
		value |= (uint32_t)(*(*p)++ & 0x7f) << shift;
		shift += 7;
	}
	return value | (uint32_t) * (*p)++ << shift;
}

static const struct charset *decode(const struct unicode_row *row, struct arena *a)
{
	struct charset *set = arena_alloc(a, sizeof(*set));
	struct range *r = arena_alloc(a, (row->n + 1) * sizeof(*r));
	const unsigned char *p = unicode_ranges + row->offset;
	uint32_t at = 0;

	for (uint32_t i = 0; i < row->n; i++) {
		r[i].lo = at + varint(&p);
		at = r[i].hi = r[i].lo + varint(&p);
	}
	*set = (struct charset){ r, row->n };
	return set;
}

const struct charset *unicode_property(enum unicode_kind kind, const char *name, bool loose,
				       struct arena *a)
{
	for (size_t i = 0; i < unicode_rows_n; i++)
		if (unicode_rows[i].kind == kind && same_name(unicode_rows[i].name, name, loose))
			return decode(&unicode_rows[i], a);
	return NULL;
}

/* The first link whose code is c or more. */
static size_t first_link(const struct case_link *links, size_t n, uint32_t c)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (links[mid].code < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t next_in_orbit(const struct case_link *links, size_t n, uint32_t c)
{
	size_t i = first_link(links, n, c);

	return i < n && links[i].code == c ? links[i].next : c;
}

static void add_ascii(struct charset_builder *b, struct range r)
{
	uint32_t lo = r.lo > 'a' ? r.lo : 'a', hi = r.hi < 'z' ? r.hi : 'z';

	if (lo <= hi)
		charset_add(b, lo - 'a' + 'A', hi - 'a' + 'A');
	lo = r.lo > 'A' ? r.lo : 'A';
	hi = r.hi < 'Z' ? r.hi : 'Z';
	if (lo <= hi)
		charset_add(b, lo - 'A' + 'a', hi - 'A' + 'a');
}

static void add_orbits(struct charset_builder *b, struct range r, const struct case_link *links,
		       size_t n)
{
	for (size_t i = first_link(links, n, r.lo); i < n && links[i].code <= r.hi; i++)
		for (uint32_t c = links[i].next; c != links[i].code; c = next_in_orbit(links, n, c))
			if (c < r.lo || c > r.hi)
				charset_add(b, c, c);
}

const struct charset *unicode_fold_set(const struct charset *set, enum case_rule rule,
				       struct arena *a)
{
	struct charset_builder b = { 0 };
	const struct charset *folded;

	for (uint32_t i = 0; i < set->n; i++) {
		struct range r = set->ranges[i];

		/* Without u no ASCII letter has a partner outside ASCII. */
		if (rule == CASE_ASCII || (rule == CASE_LEGACY && r.hi < 0x80))
			add_ascii(&b, r);
		else if (rule == CASE_LEGACY)
			add_orbits(&b, r, case_legacy, case_legacy_n);
		else
			add_orbits(&b, r, case_unicode, case_unicode_n);
	}
	if (b.n == 0)
		return set;
	charset_add_set(&b, set);
	folded = charset_finish(&b, a);
	charset_builder_free(&b);
	return folded;
}

bool unicode_same(uint32_t x, uint32_t y, enum case_rule rule)
{
	const struct case_link *links = rule == CASE_UNICODE ? case_unicode : case_legacy;
	size_t n = rule == CASE_UNICODE ? case_unicode_n : case_legacy_n;

	if (x == y)
		return true;
	if (rule == CASE_ASCII)
		return x < 0x80 && y < 0x80 && isalpha((int)x) && (x ^ y) == 0x20;
	for (uint32_t c = next_in_orbit(links, n, x); c != x; c = next_in_orbit(links, n, c))
		if (c == y)
			return true;
	return false;
}
