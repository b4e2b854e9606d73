#ifndef LAGPROF_ANALYZERS_REGEX_NODE_H
#define LAGPROF_ANALYZERS_REGEX_NODE_H

#include "analyzers/regex/charset.h"

/* The nodes of a pattern's syntax tree. */

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

/* Measures n and all below it; each node once. */
struct width node_measure(struct node *n);
/* The set of what is always one character of it, in the arena; NULL: it is not. */
const struct charset *node_single_set(const struct node *n, struct arena *a);
/*
 * Can a look-behind with this body be followed by reading forwards?  Not where it depends on what
 * was matched before, or where its counts would want more than `copies`.
 */
bool node_reads_forwards(const struct node *n, uint32_t copies);
/* Notes the bodies of all capture groups: groups[number]. */
void node_groups(const struct node *n, const struct node **groups);

#endif
