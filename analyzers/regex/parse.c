#include "analyzers/regex/parser.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/regex/subject.h"

void *parser_fail(struct parser *p, const char *why)
{
	if (!p->error) {
		p->error = why;
		p->error_at = p->pos < p->n ? p->pos : p->n;
	}
	return NULL;
}

void *parser_unsupported(struct parser *p, const char *what)
{
	if (!p->error)
		p->unsupported = true;
	return parser_fail(p, what);
}

bool parser_eat_text(struct parser *p, const char *s)
{
	for (uint32_t i = 0; s[i]; i++)
		if (parser_peek(p, i) != (unsigned char)s[i])
			return false;
	p->pos += (uint32_t)strlen(s);
	return true;
}

bool parser_number(struct parser *p, uint32_t *value)
{
	uint64_t n = 0;
	uint32_t begin = p->pos, c;

	while ((c = parser_peek(p, 0)) >= '0' && c <= '9') {
		n = n * 10 + (c - '0');
		if (n >= REPEAT_FOREVER)
			n = REPEAT_FOREVER - 1;
		p->pos++;
	}
	*value = (uint32_t)n;
	return p->pos > begin;
}

static int digit_value(uint32_t c)
{
	if (c >= '0' && c <= '9')
		return (int)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (int)(c - 'a' + 10) : 99;
}

uint32_t parser_digits(struct parser *p, unsigned base, uint32_t max, uint32_t *value)
{
	uint32_t n = 0;

	*value = 0;
	while (n < max && digit_value(parser_peek(p, 0)) < (int)base) {
		*value = *value * base + (uint32_t)digit_value(parser_peek(p, 0));
		p->pos++;
		n++;
	}
	return n;
}

struct node *parser_node(struct parser *p, enum node_kind kind, uint32_t start)
{
	struct node *n = arena_alloc(p->arena, sizeof(*n));

	if (++p->nodes > NODES_MAX)
		parser_unsupported(p, "too large: too many parts");
	n->kind = kind;
	n->start = p->offsets[start];
	n->end = p->offsets[p->pos];
	return n;
}

const struct charset *parser_fold(struct parser *p, const struct charset *set)
{
	p->ranges += set->n + 1;
	if (p->ranges > RANGES_MAX)
		parser_unsupported(p, "too large: too many character ranges");
	return p->mode & MODE_IGNORE_CASE ? unicode_fold_set(set, p->case_rule, p->arena) : set;
}

const struct charset *parser_finish_set(struct parser *p)
{
	p->ranges += (uint32_t)p->set.n;
	if (p->ranges > RANGES_MAX)
		parser_unsupported(p, "too large: too many character ranges");
	return charset_finish(&p->set, p->arena);
}

struct node *parser_set_node(struct parser *p, const struct charset *set, uint32_t start)
{
	struct node *n = parser_node(p, NODE_SET, start);

	n->set = parser_fold(p, set);
	return n;
}

struct node *parser_literal(struct parser *p, uint32_t c, uint32_t start)
{
	struct node *n = parser_set_node(p, charset_single(c, p->arena), start);

	n->literal = true;
	return n;
}

void parser_push(struct parser *p, struct node *n)
{
	ARRAY_GROW(p->stack, p->n_stack, p->cap_stack);
	p->stack[p->n_stack++] = n;
}

struct node *parser_gather(struct parser *p, enum node_kind kind, size_t mark, uint32_t start)
{
	size_t count = p->n_stack - mark;
	struct node *n;

	if (count == 1) {
		p->n_stack = mark;
		return p->stack[mark];
	}
	n = parser_node(p, count ? kind : NODE_EMPTY, start);
	if (count) {
		n->list.n = (uint32_t)count;
		n->list.items = arena_alloc(p->arena, count * sizeof(*n->list.items));
		memcpy(n->list.items, p->stack + mark, count * sizeof(*n->list.items));
	}
	p->n_stack = mark;
	return n;
}

static struct node *assertion(struct parser *p, enum assertion kind, uint32_t start)
{
	struct node *n = parser_node(p, NODE_ASSERTION, start);

	n->assertion.kind = kind;
	n->assertion.set = parser_line_ends(p);
	return n;
}

static struct node *parse_dollar(struct parser *p, uint32_t start)
{
	if (p->mode & MODE_MULTILINE)
		return assertion(p, ASSERT_LINE_END, start);
	if (p->engine == REGEX_V8 || (p->mode & MODE_DOLLAR_END))
		return assertion(p, ASSERT_END, start);
	return assertion(p, ASSERT_END_NEWLINE, start);
}

static struct node *parse_dot(struct parser *p, uint32_t start)
{
	struct node *n = parser_node(p, NODE_SET, start);
	static const struct charset none;

	n->set = charset_invert(p->mode & MODE_DOT_ALL ? &none : parser_line_ends(p), p->max_char,
				p->arena);
	n->negated = true;
	return n;
}

bool parser_skip_comment(struct parser *p)
{
	while (!parser_eat(p, ')')) {
		bool escape = p->engine == REGEX_PYTHON && parser_peek(p, 0) == '\\';

		if (parser_peek(p, escape) == UNIT_END)
			return parser_fail(p, "missing ) after a comment"), false;
		p->pos += 1 + escape;
	}
	return true;
}

/* "(?#...)", and under x blanks and "#..." to the end of the line. */
static void skip_comments(struct parser *p)
{
	uint32_t c;

	if (p->engine == REGEX_V8)
		return;
	while ((c = parser_peek(p, 0)) != UNIT_END) {
		bool extended = p->mode & MODE_EXTENDED;

		if (parser_eat_text(p, "(?#")) {
			if (!parser_skip_comment(p))
				return;
		} else if (extended && c == '#') {
			while ((c = parser_peek(p, 0)) != UNIT_END && c != '\n')
				p->pos++;
		} else if (extended && (c == ' ' || (c >= '\t' && c <= '\r'))) {
			p->pos++;
		} else {
			return;
		}
	}
}

/* "{2}", "{2,}", "{2,3}" and Python's "{,3}"; takes nothing when it is none of them. */
static bool parse_braces(struct parser *p, uint32_t *min, uint32_t *max)
{
	uint32_t begin = p->pos;

	if (!parser_eat(p, '{'))
		return false;
	if (!parser_number(p, min)) {
		if (p->engine != REGEX_PYTHON || parser_peek(p, 0) != ',' ||
		    parser_peek(p, 1) == '}')
			goto literal;
		*min = 0;
	}
	*max = *min;
	if (parser_eat(p, ',') && !parser_number(p, max))
		*max = REPEAT_FOREVER;
	if (parser_eat(p, '}'))
		return true;
literal:
	p->pos = begin;
	return false;
}

static bool parse_counts(struct parser *p, uint32_t *min, uint32_t *max)
{
	uint32_t c = parser_peek(p, 0);

	*min = c == '+';
	*max = c == '?' ? 1 : REPEAT_FOREVER;
	if (c == '*' || c == '+' || c == '?') {
		p->pos++;
		return true;
	}
	return parse_braces(p, min, max);
}

static enum repeat_mode parse_repeat_mode(struct parser *p)
{
	bool lazy = p->mode & MODE_UNGREEDY;

	if (p->engine == REGEX_PCRE2)
		skip_comments(p);
	if (p->engine != REGEX_V8 && parser_eat(p, '+'))
		return REPEAT_POSSESSIVE;
	if (parser_eat(p, '?'))
		lazy = !lazy;
	return lazy ? REPEAT_LAZY : REPEAT_GREEDY;
}

static bool can_repeat(const struct parser *p, const struct node *n)
{
	if (n->kind == NODE_ASSERTION)
		return false;
	if (n->kind == NODE_LOOK && p->engine == REGEX_V8)
		return !n->look.behind && !(p->mode & MODE_UNICODE);
	return true;
}

/* Puts the quantifier that follows, if any, around n. */
static struct node *parse_quantifier(struct parser *p, struct node *n, uint32_t start,
				     uint32_t first_group)
{
	uint32_t min, max;
	struct node *repeat;

	skip_comments(p);
	if (!parse_counts(p, &min, &max))
		return n;
	if (!can_repeat(p, n))
		return parser_fail(p, "nothing to repeat");
	if (min > max)
		return parser_fail(p, "numbers out of order in a quantifier");
	if (p->engine == REGEX_PCRE2 && (min > 65535 || (max != REPEAT_FOREVER && max > 65535)))
		return parser_fail(p, "number too big in a quantifier");
	repeat = parser_node(p, NODE_REPEAT, start);
	repeat->repeat.body = n;
	repeat->repeat.min = min;
	repeat->repeat.max = max;
	repeat->repeat.mode = parse_repeat_mode(p);
	repeat->repeat.first_group = first_group;
	repeat->repeat.end_group = p->groups;
	repeat->end = p->offsets[p->pos];
	return repeat;
}

/* A quantifier where an item should be: is it an error, or a literal? */
static bool is_stray_quantifier(struct parser *p, uint32_t c)
{
	uint32_t min, max, begin = p->pos;
	bool counts;

	if (c == '*' || c == '+' || c == '?')
		return true;
	if (c != '{')
		return false;
	if (p->engine == REGEX_V8 && (p->mode & MODE_UNICODE))
		return true;
	counts = parse_braces(p, &min, &max);
	p->pos = begin;
	return counts;
}

static struct node *parse_literal(struct parser *p, uint32_t c, uint32_t start)
{
	if ((c == ']' || c == '}') && p->engine == REGEX_V8 && (p->mode & MODE_UNICODE))
		return parser_fail(p, "lone bracket");
	p->pos++;
	return parser_literal(p, c, start);
}

static struct node *parse_atom(struct parser *p)
{
	uint32_t start = p->pos, c = parser_peek(p, 0);

	if (is_stray_quantifier(p, c))
		return parser_fail(p, "nothing to repeat");
	switch (c) {
	case '(':
		return parse_group(p);
	case '[':
		p->pos++;
		return p->mode & MODE_SETS ? parse_sets(p, start) : parse_class(p, start);
	case '.':
		p->pos++;
		return parse_dot(p, start);
	case '\\':
		p->pos++;
		return parse_escape(p, start);
	case '^':
		p->pos++;
		return assertion(p, p->mode & MODE_MULTILINE ? ASSERT_LINE_START : ASSERT_START,
				 start);
	case '$':
		p->pos++;
		return parse_dollar(p, start);
	default:
		return parse_literal(p, c, start);
	}
}

static struct node *parse_sequence(struct parser *p)
{
	size_t mark = p->n_stack;
	uint32_t start = p->pos;

	for (;;) {
		uint32_t c, begin, first_group = p->groups;
		struct node *n;

		skip_comments(p);
		begin = p->pos;
		c = parser_peek(p, 0);
		if (c == UNIT_END || c == '|' || c == ')')
			return parser_gather(p, NODE_SEQUENCE, mark, start);
		n = parse_atom(p);
		if (n)
			n = parse_quantifier(p, n, begin, first_group);
		if (!n || p->error)
			return NULL;
		if (n->kind != NODE_EMPTY)
			parser_push(p, n);
	}
}

static void enter_alternative(struct parser *p, const struct alternative *outer, uint32_t choice,
			      uint32_t index)
{
	struct alternative *here = arena_alloc(p->arena, sizeof(*here));

	*here = (struct alternative){ outer, choice, index };
	p->place = here;
}

struct node *parse_choice(struct parser *p)
{
	size_t mark = p->n_stack;
	uint32_t start = p->pos, first_group = p->groups, end_group = p->groups, index = 0;
	const struct alternative *outer = p->place;
	bool reset = p->branch_reset;

	p->branch_reset = false;
	do {
		struct node *n;

		if (reset)
			p->groups = first_group;
		if (p->has_names)
			enter_alternative(p, outer, start, index++);
		n = parse_sequence(p);
		if (!n)
			return NULL;
		if (p->groups > end_group)
			end_group = p->groups;
		parser_push(p, n);
	} while (parser_eat(p, '|'));
	p->groups = end_group;
	p->place = outer;
	return parser_gather(p, NODE_CHOICE, mark, start);
}

static const struct {
	enum regex_engine engine;
	char letter;
	unsigned mode;
} flag_rows[] = {
	/* clang-format off */
	{ REGEX_V8,     'i', MODE_IGNORE_CASE },
	{ REGEX_V8,     'm', MODE_MULTILINE },
	{ REGEX_V8,     's', MODE_DOT_ALL },
	{ REGEX_V8,     'u', MODE_UNICODE },
	{ REGEX_V8,     'v', MODE_UNICODE | MODE_SETS },
	{ REGEX_V8,     'y', MODE_ANCHORED },
	{ REGEX_V8,     'g', 0 },
	{ REGEX_V8,     'd', 0 },
	{ REGEX_PCRE2,  'i', MODE_IGNORE_CASE },
	{ REGEX_PCRE2,  'm', MODE_MULTILINE },
	{ REGEX_PCRE2,  's', MODE_DOT_ALL },
	{ REGEX_PCRE2,  'x', MODE_EXTENDED },
	{ REGEX_PCRE2,  'n', MODE_NO_CAPTURE },
	{ REGEX_PCRE2,  'u', MODE_UNICODE },
	{ REGEX_PCRE2,  'U', MODE_UNGREEDY },
	{ REGEX_PCRE2,  'A', MODE_ANCHORED },
	{ REGEX_PCRE2,  'D', MODE_DOLLAR_END },
	{ REGEX_PCRE2,  'J', 0 },
	{ REGEX_PCRE2,  'g', 0 },
	{ REGEX_PYTHON, 'i', MODE_IGNORE_CASE },
	{ REGEX_PYTHON, 'm', MODE_MULTILINE },
	{ REGEX_PYTHON, 's', MODE_DOT_ALL },
	{ REGEX_PYTHON, 'x', MODE_EXTENDED },
	{ REGEX_PYTHON, 'a', MODE_ASCII },
	{ REGEX_PYTHON, 'u', 0 },
	/* clang-format on */
};

static bool read_flags(struct parser *p, const char *flags)
{
	for (; *flags; flags++) {
		size_t i, n = sizeof(flag_rows) / sizeof(flag_rows[0]);

		for (i = 0; i < n; i++)
			if (flag_rows[i].engine == p->engine && flag_rows[i].letter == *flags)
				break;
		if (i == n && p->engine == REGEX_V8)
			return parser_fail(p, "unknown flag"), false;
		if (i == n)
			return parser_unsupported(p, "unknown flag"), false;
		p->mode |= flag_rows[i].mode;
	}
	if (p->engine == REGEX_PYTHON)
		p->mode |= MODE_UNICODE;
	return true;
}

static void set_alphabet(struct parser *p)
{
	bool unicode = p->mode & MODE_UNICODE;

	p->max_char = unicode ? 0x10ffff : p->engine == REGEX_PCRE2 ? 0xff : 0xffff;
	p->case_rule = unicode ? CASE_UNICODE : p->engine == REGEX_PCRE2 ? CASE_ASCII : CASE_LEGACY;
	if (p->engine == REGEX_PYTHON && (p->mode & MODE_ASCII))
		p->case_rule = CASE_ASCII;
}

static struct node *parse_all(struct parser *p, const struct regex_pattern *pattern)
{
	struct subject text;
	struct node *root;

	if (!read_flags(p, pattern->flags))
		return NULL;
	set_alphabet(p);
	if (pattern->len > PATTERN_MAX)
		return parser_unsupported(p, "too large: pattern of more than 256 KiB");
	text = subject_decode(pattern->text, pattern->len, p->max_char, p->arena);
	p->units = text.units;
	p->offsets = text.offsets;
	p->n = text.n;
	parse_scan_groups(p);
	if (p->error)
		return NULL;
	root = parse_choice(p);
	if (root && p->pos < p->n)
		return parser_fail(p, "unmatched )");
	if (root && !p->as_written && p->engine != REGEX_PCRE2)
		parse_merge_choices(p, root);
	if (root && !p->as_written && p->engine == REGEX_V8)
		root = parse_check_looks(p, root);
	if (root)
		node_measure(root);
	return p->error ? NULL : root;
}

static void parse(struct syntax *out, const struct regex_pattern *pattern, bool as_written,
		  struct arena *a)
{
	struct parser p = {
		.arena = a, .engine = pattern->engine, .groups = 1, .as_written = as_written
	};

	*out = (struct syntax){ .engine = pattern->engine };
	out->root = parse_all(&p, pattern);
	out->mode = p.mode;
	out->groups = p.groups;
	out->max_char = p.max_char;
	out->case_rule = p.case_rule;
	out->error = p.error;
	out->unsupported = p.unsupported;
	out->placed = p.error && p.offsets;
	out->error_at = out->placed ? p.offsets[p.error_at] : 0;
	free(p.names);
	free(p.stack);
	charset_builder_free(&p.set);
}

void syntax_parse(struct syntax *out, const struct regex_pattern *pattern, struct arena *a)
{
	parse(out, pattern, false, a);
}

void syntax_parse_as_written(struct syntax *out, const struct regex_pattern *pattern,
			     struct arena *a)
{
	parse(out, pattern, true, a);
}
