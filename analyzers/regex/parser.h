#ifndef LAGPROF_ANALYZERS_REGEX_PARSER_H
#define LAGPROF_ANALYZERS_REGEX_PARSER_H

#include "analyzers/regex/syntax.h"

/* What the parse_*.c files share.  Not for others: they call syntax_parse(). */

enum {
	PATTERN_MAX = 256 * 1024, /* units */
	DEPTH_MAX = 400,          /* groups inside groups */
	NODES_MAX = 400 * 1000,
	RANGES_MAX = 4 * 1000 * 1000, /* in all sets together */
};

/* No character: past the end of the pattern. */
#define UNIT_END UINT32_MAX

/* Where in the choices around it the parser is: which alternative of each. */
struct alternative {
	const struct alternative *outer; /* NULL: the whole pattern's */
	uint32_t choice;                 /* where the choice began: names it */
	uint32_t index;
};

struct group_name {
	const uint32_t *s;
	uint32_t len;
	uint32_t group;
	const struct alternative *place; /* NULL: not parsed yet */
};

struct open_group {
	const struct open_group *outer;
	uint32_t group;
};

struct parser {
	struct arena *arena;
	enum regex_engine engine;
	bool as_written;       /* leave the tree as it is */
	unsigned mode;         /* enum syntax_mode in force here */
	const uint32_t *units; /* the pattern as the engine sees it: code points, UTF-16 or bytes */
	const uint32_t *offsets; /* byte of the pattern where units[i] begins; [n] is its length */
	uint32_t n, pos;

	uint32_t groups;       /* capture groups opened so far, plus 1 */
	uint32_t total_groups; /* in the whole pattern, plus 1 */
	bool has_names;
	bool branch_reset;        /* the next choice numbers its groups as (?|...) does */
	struct group_name *names; /* of the whole pattern, in order */
	size_t n_names, cap_names;

	const struct alternative *place;
	const struct open_group *open; /* the captures that the parser is in */
	struct node **stack;           /* items of the sequences and choices being read */
	size_t n_stack, cap_stack;
	uint32_t depth, nodes, ranges;
	const struct charset *python_word; /* made when first asked for */
	uint32_t max_char;
	enum case_rule case_rule;
	struct charset_builder set;

	const char *error;
	bool unsupported;
	uint32_t error_at; /* unit */
};

/* Notes the first failure; returns NULL so that `return parser_fail(...)` reads well. */
void *parser_fail(struct parser *p, const char *why);
/* The same for what the engine accepts and we do not. */
void *parser_unsupported(struct parser *p, const char *what);

static inline uint32_t parser_peek(const struct parser *p, uint32_t ahead)
{
	return ahead < p->n - p->pos ? p->units[p->pos + ahead] : UNIT_END;
}

/* Takes unit c if it comes next. */
static inline bool parser_eat(struct parser *p, uint32_t c)
{
	if (parser_peek(p, 0) != c)
		return false;
	p->pos++;
	return true;
}

/* Takes the ASCII string s if it comes next. */
bool parser_eat_text(struct parser *p, const char *s);
/* Decimal digits, at least one; saturates below REPEAT_FOREVER.  False: none here. */
bool parser_number(struct parser *p, uint32_t *value);
/* Up to max digits of the base (8 or 16); returns how many there were. */
uint32_t parser_digits(struct parser *p, unsigned base, uint32_t max, uint32_t *value);

/* The rest of "(?#...)", in which Python knows escapes. */
bool parser_skip_comment(struct parser *p);

/* A node that begins at unit start and ends where the parser is. */
struct node *parser_node(struct parser *p, enum node_kind kind, uint32_t start);
/* A SET node of one literal character. */
struct node *parser_literal(struct parser *p, uint32_t c, uint32_t start);
/* A SET node; folds set if case is ignored here. */
struct node *parser_set_node(struct parser *p, const struct charset *set, uint32_t start);
/* A SEQUENCE or CHOICE of the items pushed since mark, which it pops. */
struct node *parser_gather(struct parser *p, enum node_kind kind, size_t mark, uint32_t start);
void parser_push(struct parser *p, struct node *n);

/* parse.c: alternatives up to ')' or the end. */
struct node *parse_choice(struct parser *p);
/* The set of one literal character; folded where case is ignored. */
const struct charset *parser_fold(struct parser *p, const struct charset *set);
const struct charset *parser_finish_set(struct parser *p);

/* parse_group.c: at '('.  May return an EMPTY node for what matches nothing: comments, (?i). */
struct node *parse_group(struct parser *p);
/* Counts the groups and notes their names before parsing begins. */
void parse_scan_groups(struct parser *p);
/* A name up to the closing unit, which is taken. */
bool parse_name(struct parser *p, uint32_t close, struct group_name *name);
struct node *parse_back_reference(struct parser *p, uint32_t group, uint32_t start);
struct node *parse_named_reference(struct parser *p, uint32_t close, uint32_t start);

/* parse_escape.c: after the backslash, outside a class. */
struct node *parse_escape(struct parser *p, uint32_t start);
/*
 * One escape after the backslash, in a class or out of it, that stands for a
 * character (*set is NULL) or a set.  False: not such an escape; nothing was taken.
 */
bool parse_class_escape(struct parser *p, bool in_class, uint32_t *c, const struct charset **set);
/* \d, \w, \s as the engine and the flags understand them; lower case letter. */
const struct charset *parser_standard(struct parser *p, char letter);
const struct charset *parser_line_ends(struct parser *p);
const struct charset *parser_word(struct parser *p);

/* choices.c: does what V8 and Python do to choices, everywhere in the tree. */
void parse_merge_choices(struct parser *p, struct node *n);
/* quickcheck.c: puts what V8 checks before negative look-around; returns the new root. */
struct node *parse_check_looks(struct parser *p, struct node *root);

/* parse_class.c: after '['. */
struct node *parse_class(struct parser *p, uint32_t start);
/* parse_sets.c: the same under JavaScript's v flag. */
struct node *parse_sets(struct parser *p, uint32_t start);

#endif
