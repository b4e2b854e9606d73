#ifndef LAGPROF_ANALYZERS_REGEX_SYNTAX_H
#define LAGPROF_ANALYZERS_REGEX_SYNTAX_H

#include "analyzers/regex/charset.h"
#include "analyzers/regex/regex.h"
#include "analyzers/regex/unicode.h"

/* The syntax tree of a pattern.  Everything lives in the arena given to syntax_parse(). */

enum node_kind {
	NODE_EMPTY,
	NODE_SET, /* one character out of a set (literals too) */
	NODE_SEQUENCE,
	NODE_CHOICE, /* alternatives, first one first */
	NODE_CAPTURE,
	NODE_REPEAT,
	NODE_BACKREFERENCE,
	NODE_ASSERTION,
	NODE_LOOK,     /* lookahead or lookbehind */
	NODE_ATOMIC,   /* no way back into it once it matched */
	NODE_CONDITION /* (?(1)yes|no) */
};

enum assertion {
	ASSERT_START, /* of the subject */
	ASSERT_LINE_START,
	ASSERT_END,         /* of the subject */
	ASSERT_END_NEWLINE, /* of the subject, or before its last newline */
	ASSERT_LINE_END,
	ASSERT_WORD, /* \b */
	ASSERT_NOT_WORD,
};

enum repeat_mode { REPEAT_GREEDY, REPEAT_LAZY, REPEAT_POSSESSIVE };

#define REPEAT_FOREVER UINT32_MAX

/* How many characters a node takes. */
struct width {
	uint32_t min, max; /* max may be REPEAT_FOREVER; a back reference may take any number */
};

struct node {
	enum node_kind kind;
	uint32_t start, end; /* bytes of the pattern it was read from */
	struct width width;  /* of every node of a finished tree */
	bool measured;
	bool literal; /* SET: written as one character, not as a class */
	bool negated; /* SET: written as [^...] or a dot */
	union {
		const struct charset *set; /* SET: as matched, case folding done */
		struct {
			struct node **items;
			uint32_t n;
		} list; /* SEQUENCE, CHOICE */
		struct {
			struct node *body;
			uint32_t group; /* CAPTURE: from 1.  CONDITION: the group asked about */
			struct node *otherwise; /* CONDITION only; never NULL there */
		} part;                         /* CAPTURE, ATOMIC, CONDITION */
		struct {
			struct node *body;
			uint32_t min, max; /* max may be REPEAT_FOREVER */
			enum repeat_mode mode;
			uint32_t first_group, end_group; /* captures inside: [first, end) */
		} repeat;
		struct {
			struct node *body;
			bool behind, negative;
			bool check; /* not written: what V8 checks first, see quickcheck.c */
		} look;
		struct {
			const uint32_t *groups; /* of one name there may be several */
			uint32_t n;
			bool fold;
		} backreference;
		struct {
			enum assertion kind;
			const struct charset *set; /* word characters or line terminators */
		} assertion;
	};
};

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

/* Measures n and all below it; each node once. */
struct width node_measure(struct node *n);

#endif
