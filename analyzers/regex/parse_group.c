#include "analyzers/regex/parser.h"

#include <string.h>

static bool is_name_unit(uint32_t c, bool first)
{
	if (c == '_' || (c | 0x20) - 'a' < 26u || c == '$' || (c >= 0x80 && c != UNIT_END))
		return true;
	return !first && c - '0' < 10u;
}

/* \u0061 or \u{61} in a JavaScript group name. */
static bool skip_name_escape(struct parser *p)
{
	uint32_t value;

	if (p->engine != REGEX_V8 || !parser_eat_text(p, "\\u"))
		return false;
	if (parser_eat(p, '{'))
		return parser_digits(p, 16, 6, &value) && parser_eat(p, '}');
	return parser_digits(p, 16, 4, &value) == 4;
}

bool parse_name(struct parser *p, uint32_t close, struct group_name *name)
{
	uint32_t begin = p->pos;

	while (is_name_unit(parser_peek(p, 0), p->pos == begin))
		p->pos++;
	while (parser_peek(p, 0) == '\\' && skip_name_escape(p))
		while (is_name_unit(parser_peek(p, 0), false))
			p->pos++;
	name->s = p->units + begin;
	name->len = p->pos - begin;
	if (name->len == 0 || !parser_eat(p, close))
		return parser_fail(p, "bad group name"), false;
	return true;
}

static bool same_name(const struct group_name *x, const struct group_name *y)
{
	return x->len == y->len && memcmp(x->s, y->s, x->len * sizeof(*x->s)) == 0;
}

/* Skips "[...]" as far as it matters for finding parentheses. */
static void scan_class(struct parser *p)
{
	uint32_t depth = 1;

	p->pos++;
	if (p->engine != REGEX_V8 && parser_peek(p, 0) == '^')
		p->pos++;
	if (p->engine != REGEX_V8 && parser_peek(p, 0) == ']')
		p->pos++;
	for (; depth && p->pos < p->n; p->pos++) {
		uint32_t c = p->units[p->pos];

		if (c == '\\')
			p->pos++;
		else if (c == '[' && (p->mode & MODE_SETS))
			depth++;
		else if (c == ']')
			depth--;
	}
}

static void note_name(struct parser *p, uint32_t close)
{
	struct group_name name = { .group = p->total_groups };

	if (!parse_name(p, close, &name))
		return;
	p->has_names = true;
	ARRAY_GROW(p->names, p->n_names, p->cap_names);
	p->names[p->n_names++] = name;
	p->total_groups++;
}

static void scan_open(struct parser *p)
{
	bool v8 = p->engine == REGEX_V8;

	p->pos++;
	if (parser_peek(p, 0) != '?') {
		if (!(p->engine == REGEX_PCRE2 && parser_peek(p, 0) == '*') &&
		    !(p->mode & MODE_NO_CAPTURE))
			p->total_groups++;
		return;
	}
	p->pos++;
	if (!v8 && parser_eat(p, '#')) {
		parser_skip_comment(p);
		return;
	}
	if (!v8 && parser_peek(p, 0) == '(' && parser_peek(p, 1) != '?') {
		p->pos++;
		return;
	}
	if (!v8 && parser_eat_text(p, "P<"))
		note_name(p, '>');
	else if (p->engine == REGEX_PCRE2 && parser_eat(p, '\''))
		note_name(p, '\'');
	else if (parser_peek(p, 0) == '<' && parser_peek(p, 1) != '=' && parser_peek(p, 1) != '!' &&
		 parser_eat(p, '<'))
		note_name(p, '>');
}

void parse_scan_groups(struct parser *p)
{
	p->total_groups = 1;
	while (p->pos < p->n && !p->error) {
		switch (p->units[p->pos]) {
		case '\\':
			p->pos += 2;
			break;
		case '[':
			scan_class(p);
			break;
		case '(':
			scan_open(p);
			break;
		default:
			p->pos++;
		}
	}
	p->pos = 0;
}

/* Python refers only to groups that were closed before. */
static bool can_refer(struct parser *p, uint32_t group)
{
	if (group == 0 || group >= (p->engine == REGEX_PYTHON ? p->groups : p->total_groups))
		return parser_fail(p, "reference to a group that does not exist"), false;
	for (const struct open_group *open = p->open; open; open = open->outer)
		if (open->group == group && p->engine == REGEX_PYTHON)
			return parser_fail(p, "reference to a group that is open"), false;
	return true;
}

struct node *parse_back_reference(struct parser *p, uint32_t group, uint32_t start)
{
	struct node *n = parser_node(p, NODE_BACKREFERENCE, start);
	uint32_t *groups = arena_alloc(p->arena, sizeof(*groups));

	if (!can_refer(p, group))
		return NULL;
	*groups = group;
	n->backreference.groups = groups;
	n->backreference.n = 1;
	n->backreference.fold = p->mode & MODE_IGNORE_CASE;
	return n;
}

/* All groups of one name: known only once the whole pattern was scanned, which it was. */
static struct node *reference_to(struct parser *p, const struct group_name *name, uint32_t start)
{
	struct node *n = parser_node(p, NODE_BACKREFERENCE, start);
	uint32_t *groups = arena_alloc(p->arena, (p->n_names + 1) * sizeof(*groups));

	n->backreference.groups = groups;
	n->backreference.fold = p->mode & MODE_IGNORE_CASE;
	for (size_t i = 0; i < p->n_names; i++)
		if (same_name(&p->names[i], name))
			groups[n->backreference.n++] = p->names[i].group;
	if (n->backreference.n == 0)
		return parser_fail(p, "reference to a group name that does not exist");
	return can_refer(p, groups[0]) ? n : NULL;
}

struct node *parse_named_reference(struct parser *p, uint32_t close, uint32_t start)
{
	struct group_name name;

	return parse_name(p, close, &name) ? reference_to(p, &name, start) : NULL;
}

/* What follows an opening: alternatives and the closing parenthesis. */
static struct node *parse_body(struct parser *p)
{
	unsigned mode = p->mode;
	struct node *body;

	if (++p->depth > DEPTH_MAX)
		return parser_unsupported(p, "too large: nested too deeply");
	body = parse_choice(p);
	p->depth--;
	p->mode = mode;
	if (!body)
		return NULL;
	return parser_eat(p, ')') ? body : parser_fail(p, "missing )");
}

/* A group that only groups: what could not be repeated bare can be in it. */
static struct node *parse_plain(struct parser *p, uint32_t start)
{
	struct node *body = parse_body(p), *n;

	if (!body)
		return NULL;
	if (body->kind != NODE_ASSERTION && body->kind != NODE_LOOK) {
		body->start = p->offsets[start];
		body->end = p->offsets[p->pos];
		return body;
	}
	n = parser_node(p, NODE_SEQUENCE, start);
	n->list.items = arena_alloc(p->arena, sizeof(*n->list.items));
	n->list.items[0] = body;
	n->list.n = 1;
	return n;
}

static struct node *parse_capture(struct parser *p, uint32_t start)
{
	struct open_group open = { p->open, p->groups++ };
	struct node *body, *n;

	p->open = &open;
	body = parse_body(p);
	p->open = open.outer;
	if (!body)
		return NULL;
	n = parser_node(p, NODE_CAPTURE, start);
	n->part.body = body;
	n->part.group = open.group;
	return n;
}

/* Can both places take part in one match? */
static bool may_both_match(const struct alternative *x, const struct alternative *y)
{
	for (; x; x = x->outer)
		for (const struct alternative *other = y; other; other = other->outer)
			if (x->choice == other->choice && x->index != other->index)
				return false;
	return true;
}

/* JavaScript lets two groups have one name only in different alternatives. */
static bool is_duplicate(struct parser *p, const struct group_name *name)
{
	bool duplicate = false;

	for (size_t i = 0; i < p->n_names; i++) {
		if (p->names[i].group == p->groups)
			p->names[i].place = p->place;
		else if (p->names[i].place && same_name(&p->names[i], name))
			duplicate |= may_both_match(p->names[i].place, p->place);
	}
	return duplicate && p->engine == REGEX_V8;
}

static struct node *parse_named_capture(struct parser *p, uint32_t close, uint32_t start)
{
	struct group_name name;

	if (!parse_name(p, close, &name))
		return NULL;
	if (is_duplicate(p, &name))
		return parser_fail(p, "duplicate group name");
	return parse_capture(p, start);
}

static struct node *look_around(struct parser *p, struct node *body, bool negative, uint32_t start)
{
	struct node *n;

	if (!body)
		return NULL;
	n = parser_node(p, NODE_LOOK, start);
	n->look.body = body;
	n->look.negative = negative;
	return n;
}

static struct node *parse_look(struct parser *p, bool behind, bool negative, uint32_t start)
{
	struct node *n = look_around(p, parse_body(p), negative, start);

	if (!n)
		return NULL;
	n->look.behind = behind;
	if (behind && p->engine == REGEX_PYTHON) {
		struct width w = node_measure(n->look.body);

		if (w.min != w.max)
			return parser_fail(p, "look-behind requires fixed-width pattern");
	}
	return n;
}

static struct node *parse_atomic(struct parser *p, uint32_t start)
{
	struct node *body = parse_body(p), *n;

	if (!body)
		return NULL;
	n = parser_node(p, NODE_ATOMIC, start);
	n->part.body = body;
	return n;
}

static unsigned inline_flag(const struct parser *p, uint32_t c)
{
	bool v8 = p->engine == REGEX_V8, pcre2 = p->engine == REGEX_PCRE2;

	switch (c) {
	case 'i':
		return MODE_IGNORE_CASE;
	case 'm':
		return MODE_MULTILINE;
	case 's':
		return MODE_DOT_ALL;
	case 'x':
		return v8 ? 0 : MODE_EXTENDED;
	case 'U':
		return pcre2 ? MODE_UNGREEDY : 0;
	case 'n':
		return pcre2 ? MODE_NO_CAPTURE : 0;
	case 'a':
		return p->engine == REGEX_PYTHON ? MODE_ASCII : 0;
	default:
		return 0;
	}
}

/* Letters that change nothing here: PCRE2's duplicate names, Python's default. */
static bool is_neutral_flag(const struct parser *p, uint32_t c)
{
	return (p->engine == REGEX_PCRE2 && c == 'J') || (p->engine == REGEX_PYTHON && c == 'u');
}

/* "i", "i-s", "^i": false when it is something else. */
static bool parse_inline_flags(struct parser *p, unsigned *mode)
{
	bool off = false;

	if (p->engine == REGEX_PCRE2 && parser_eat(p, '^'))
		*mode &= ~(unsigned)(MODE_IGNORE_CASE | MODE_MULTILINE | MODE_DOT_ALL |
				     MODE_EXTENDED | MODE_NO_CAPTURE);
	for (;; p->pos++) {
		uint32_t c = parser_peek(p, 0);
		unsigned flag = inline_flag(p, c);

		if (c == '-' && !off)
			off = true;
		else if (flag)
			*mode = off ? *mode & ~flag : *mode | flag;
		else if (!is_neutral_flag(p, c))
			return c == ':' || (c == ')' && p->engine != REGEX_V8);
	}
}

static struct node *parse_flags_group(struct parser *p, uint32_t start)
{
	unsigned outer = p->mode, mode = p->mode;
	struct node *body;

	if (!parse_inline_flags(p, &mode))
		return parser_fail(p, "invalid group");
	p->mode = mode;
	/* "(?i)" holds until the enclosing group ends, which restores the mode. */
	if (parser_eat(p, ')'))
		return parser_node(p, NODE_EMPTY, start);
	p->pos++;
	body = parse_plain(p, start);
	p->mode = outer;
	return body;
}

/* The two arms of a condition whose body was read as alternatives. */
static bool split_arms(struct parser *p, struct node *body, struct node **yes, struct node **no)
{
	*yes = body;
	*no = parser_node(p, NODE_EMPTY, p->pos);
	if (body->kind != NODE_CHOICE)
		return true;
	if (body->list.n > 2)
		return parser_fail(p, "conditional group with more than two branches"), false;
	*yes = body->list.items[0];
	*no = body->list.items[1];
	return true;
}

/* (?(?=x)yes|no) is (?:(?=x)yes|(?!x)no). */
static struct node *look_condition(struct parser *p, struct node *look, uint32_t start)
{
	struct node *body = parse_body(p), *arms[2], *against;
	size_t mark = p->n_stack;

	if (!body || !split_arms(p, body, &arms[0], &arms[1]))
		return NULL;
	against = parser_node(p, NODE_LOOK, start);
	against->look = look->look;
	against->look.negative = !look->look.negative;
	for (int i = 0; i < 2; i++) {
		parser_push(p, i ? against : look);
		parser_push(p, arms[i]);
		parser_push(p, parser_gather(p, NODE_SEQUENCE, mark + (size_t)i, start));
	}
	return parser_gather(p, NODE_CHOICE, mark, start);
}

/* The group a condition asks about; 0 after a failure. */
static uint32_t parse_condition_group(struct parser *p)
{
	struct group_name name;
	uint32_t group, close = parser_eat(p, '<') ? '>' : parser_eat(p, '\'') ? '\'' : ')';

	if (close == ')' && parser_number(p, &group)) {
		if (!parser_eat(p, ')') || group == 0 || group >= p->total_groups)
			return parser_fail(p, "bad condition"), 0;
		return group;
	}
	if (!parse_name(p, close, &name))
		return 0;
	if (close != ')' && !parser_eat(p, ')'))
		return parser_fail(p, "bad condition"), 0;
	for (size_t i = 0; i < p->n_names; i++)
		if (same_name(&p->names[i], &name))
			return p->names[i].group;
	return parser_unsupported(p, "condition other than on a group or a look-around"), 0;
}

static struct node *parse_condition(struct parser *p, uint32_t start)
{
	struct node *body, *yes, *no, *n;
	uint32_t group;

	if (p->engine == REGEX_PCRE2 && parser_peek(p, 0) == '?') {
		p->pos--;
		n = parse_group(p);
		if (n && n->kind != NODE_LOOK)
			return parser_fail(p, "bad condition");
		return n ? look_condition(p, n, start) : NULL;
	}
	group = parse_condition_group(p);
	if (!group)
		return NULL;
	body = parse_body(p);
	if (!body || !split_arms(p, body, &yes, &no))
		return NULL;
	n = parser_node(p, NODE_CONDITION, start);
	n->part.body = yes;
	n->part.otherwise = no;
	n->part.group = group;
	return n;
}

/* "(*": verbs are refused, spelled-out groups are those with a mark. */
static struct node *parse_star_group(struct parser *p, uint32_t start)
{
	static const struct {
		const char *name;
		bool behind, negative;
	} looks[] = {
		/* clang-format off */
		{ "pla:", false, false }, { "positive_lookahead:", false, false },
		{ "nla:", false, true },  { "negative_lookahead:", false, true },
		{ "plb:", true, false },  { "positive_lookbehind:", true, false },
		{ "nlb:", true, true },   { "negative_lookbehind:", true, true },
		/* clang-format on */
	};

	if (parser_eat_text(p, "atomic:"))
		return parse_atomic(p, start);
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		if (parser_eat_text(p, looks[i].name))
			return parse_look(p, looks[i].behind, looks[i].negative, start);
	return parser_unsupported(p, "backtracking verbs are not understood");
}

/* "(?" in PCRE2 and Python beyond what all three share; NULL and no error: none of these. */
static struct node *parse_perl_group(struct parser *p, uint32_t start)
{
	uint32_t c = parser_peek(p, 0);

	if (parser_eat(p, '>'))
		return parse_atomic(p, start);
	if (parser_eat_text(p, "P<"))
		return parse_named_capture(p, '>', start);
	if (parser_eat_text(p, "P="))
		return parse_named_reference(p, ')', start);
	if (parser_eat(p, '('))
		return parse_condition(p, start);
	if (p->engine == REGEX_PYTHON)
		return NULL;
	if (parser_eat(p, '\''))
		return parse_named_capture(p, '\'', start);
	if (parser_eat(p, '|')) {
		p->branch_reset = true;
		return parse_plain(p, start);
	}
	if (c == 'R' || c == '&' || c == '+' || (c >= '0' && c <= '9') ||
	    (c == '-' && parser_peek(p, 1) - '0' < 10u) || parser_eat_text(p, "P>"))
		return parser_unsupported(p, "recursion is not understood");
	if (c == 'C')
		return parser_unsupported(p, "callouts are not understood");
	return NULL;
}

struct node *parse_group(struct parser *p)
{
	uint32_t start = p->pos++;
	struct node *n;

	if (p->engine == REGEX_PCRE2 && parser_eat(p, '*'))
		return parse_star_group(p, start);
	if (!parser_eat(p, '?'))
		return p->mode & MODE_NO_CAPTURE ? parse_plain(p, start) : parse_capture(p, start);
	if (parser_eat(p, ':'))
		return parse_plain(p, start);
	if (parser_eat(p, '='))
		return parse_look(p, false, false, start);
	if (parser_eat(p, '!'))
		return parse_look(p, false, true, start);
	if (parser_eat_text(p, "<="))
		return parse_look(p, true, false, start);
	if (parser_eat_text(p, "<!"))
		return parse_look(p, true, true, start);
	if (p->engine != REGEX_PYTHON && parser_eat(p, '<'))
		return parse_named_capture(p, '>', start);
	n = p->engine == REGEX_V8 ? NULL : parse_perl_group(p, start);
	return n || p->error ? n : parse_flags_group(p, start);
}
