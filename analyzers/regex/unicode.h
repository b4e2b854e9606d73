#ifndef LAGPROF_ANALYZERS_REGEX_UNICODE_H
#define LAGPROF_ANALYZERS_REGEX_UNICODE_H

#include "analyzers/regex/charset.h"
#include "analyzers/regex/unicode_data.h"

/* Which characters differ only in case. */
enum case_rule {
	CASE_ASCII,   /* A-Z and a-z only */
	CASE_LEGACY,  /* JavaScript without u: toUpperCase, never from non-ASCII to ASCII */
	CASE_UNICODE, /* simple case folding */
};

/* The set of a property, or NULL.  loose: ignore case, spaces, hyphens and underscores. */
const struct charset *unicode_property(enum unicode_kind kind, const char *name, bool loose,
				       struct arena *a);

/* set with every character that differs from one of it only in case. */
const struct charset *unicode_fold_set(const struct charset *set, enum case_rule rule,
				       struct arena *a);
/* Are x and y the same, case aside? */
bool unicode_same(uint32_t x, uint32_t y, enum case_rule rule);

#endif
