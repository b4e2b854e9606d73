#ifndef LAGPROF_ANALYZERS_REGEX_SYNTAX_H
#define LAGPROF_ANALYZERS_REGEX_SYNTAX_H

#include "analyzers/regex/node.h"
#include "analyzers/regex/regex.h"
#include "analyzers/regex/unicode.h"

/* A pattern, read.  Everything lives in the arena given to syntax_parse(). */

/* What a pattern's flags (and the engine) settle for all of it. */
enum syntax_mode {
	MODE_IGNORE_CASE = 1 << 0,
	MODE_MULTILINE = 1 << 1,
	MODE_DOT_ALL = 1 << 2,
	MODE_EXTENDED = 1 << 3,
	MODE_EXTENDED_MORE = 1 << 4, /* in classes too */
	MODE_UNGREEDY = 1 << 5,
	MODE_UNICODE = 1 << 6, /* the subject is code points */
	MODE_SETS = 1 << 7,    /* JavaScript v */
	MODE_ASCII = 1 << 8,   /* \w and its likes, in Python */
	MODE_DOLLAR_END = 1 << 9,
	MODE_ANCHORED = 1 << 10, /* only at the first position: sticky, PCRE2's A */
	MODE_NO_CAPTURE = 1 << 11,
};

struct syntax {
	enum regex_engine engine;
	unsigned mode;     /* enum syntax_mode of the flags, inline ones not included */
	struct node *root; /* NULL after an error */
	uint32_t groups;   /* capture groups and one more, group 0 */
	uint32_t max_char; /* of a subject: 0xff, 0xffff or 0x10ffff */
	enum case_rule case_rule;
	const char *error; /* why there is no root; NULL otherwise */
	bool unsupported;  /* the engine takes it, we do not */
	bool placed;       /* the error is in the pattern, at error_at */
	uint32_t error_at; /* byte of the pattern */
};

/* Reads a pattern.  On failure root is NULL and error says why. */
void syntax_parse(struct syntax *out, const struct regex_pattern *pattern, struct arena *a);
/* The same without what V8 does to the tree before it compiles it. */
void syntax_parse_as_written(struct syntax *out, const struct regex_pattern *pattern,
			     struct arena *a);

#endif
