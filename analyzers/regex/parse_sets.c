#include "analyzers/regex/parser.h"

#include <stdlib.h>
#include <string.h>

/* Classes under JavaScript's v flag: characters, and strings of other lengths than one. */

struct string {
	const uint32_t *s;
	uint32_t len;
};

struct operand {
	const struct charset *set; /* closed under case folding where case is ignored */
	struct string *strings;    /* malloc'ed */
	size_t n, cap;
};

static const struct charset empty_set;

static bool parse_contents(struct parser *p, struct operand *out);

static void operand_free(struct operand *o)
{
	free(o->strings);
	*o = (struct operand){ .set = &empty_set };
}

static void add_string(struct operand *o, struct string s)
{
	ARRAY_GROW(o->strings, o->n, o->cap);
	o->strings[o->n++] = s;
}

static bool same_string(const struct parser *p, struct string x, struct string y)
{
	if (x.len != y.len)
		return false;
	for (uint32_t i = 0; i < x.len; i++)
		if (x.s[i] != y.s[i] &&
		    !((p->mode & MODE_IGNORE_CASE) && unicode_same(x.s[i], y.s[i], p->case_rule)))
			return false;
	return true;
}

static bool has_string(const struct parser *p, const struct operand *o, struct string s)
{
	for (size_t i = 0; i < o->n; i++)
		if (same_string(p, o->strings[i], s))
			return true;
	return false;
}

/* Keeps the strings of x that other has (or, if keep is false, has not). */
static void filter_strings(const struct parser *p, struct operand *x, const struct operand *other,
			   bool keep)
{
	size_t kept = 0;

	for (size_t i = 0; i < x->n; i++)
		if (has_string(p, other, x->strings[i]) == keep)
			x->strings[kept++] = x->strings[i];
	x->n = kept;
}

static void unite(struct parser *p, struct operand *x, const struct operand *y)
{
	x->set = charset_union(x->set, y->set, p->arena);
	p->ranges += x->set->n;
	for (size_t i = 0; i < y->n; i++)
		if (!has_string(p, x, y->strings[i]))
			add_string(x, y->strings[i]);
	if (p->ranges > RANGES_MAX)
		parser_unsupported(p, "too large: too many character ranges");
}

static bool is_double_punctuator(const struct parser *p)
{
	uint32_t c = parser_peek(p, 0);

	return c < 0x80 && c == parser_peek(p, 1) && strchr("&!#$%*+,.:;<=>?@^`~", (int)c) && c;
}

/* A literal character of a v class; the backslash was not taken yet. */
static bool parse_character(struct parser *p, uint32_t *c)
{
	const struct charset *set;

	*c = parser_peek(p, 0);
	if (*c == UNIT_END)
		return parser_fail(p, "missing ]"), false;
	if (*c == '\\') {
		uint32_t next = parser_peek(p, 1);

		p->pos++;
		if (next < 0x80 && next && strchr("&-!#%,:;<=>@`~", (int)next)) {
			*c = next;
			p->pos++;
			return true;
		}
		return parse_class_escape(p, true, c, &set) &&
		       (!set || parser_fail(p, "a set cannot end a range"));
	}
	if (is_double_punctuator(p) || strchr("()[]{}/-|", *c < 0x80 && *c ? (int)*c : 'a'))
		return parser_fail(p, "invalid character in class"), false;
	p->pos++;
	return true;
}

static const struct charset *folded_range(struct parser *p, uint32_t low, uint32_t high)
{
	charset_add(&p->set, low, high);
	return parser_fold(p, parser_finish_set(p));
}

/* After "\q{": alternatives up to '}'. */
static bool parse_strings(struct parser *p, struct operand *out)
{
	do {
		uint32_t room = 16, len = 0, *s = arena_alloc(p->arena, room * sizeof(*s));

		while (parser_peek(p, 0) != '|' && parser_peek(p, 0) != '}') {
			if (len == room) {
				uint32_t *more = arena_alloc(p->arena, 2 * room * sizeof(*s));

				memcpy(more, s, room * sizeof(*s));
				s = more;
				room *= 2;
			}
			if (!parse_character(p, &s[len++]))
				return false;
		}
		if (len == 1)
			out->set = charset_union(out->set, folded_range(p, s[0], s[0]), p->arena);
		else if (!has_string(p, out, (struct string){ s, len }))
			add_string(out, (struct string){ s, len });
	} while (parser_eat(p, '|'));
	return parser_eat(p, '}') || parser_fail(p, "missing }");
}

/* A nested class; the '[' was taken. */
static bool parse_nested(struct parser *p, struct operand *out)
{
	bool negative = parser_eat(p, '^'), done;

	if (++p->depth > DEPTH_MAX)
		return parser_unsupported(p, "too large: nested too deeply"), false;
	done = parse_contents(p, out);
	p->depth--;
	if (!done)
		return false;
	if (negative && out->n)
		return parser_fail(p, "a negated class may not hold strings"), false;
	if (negative)
		out->set = charset_invert(out->set, p->max_char, p->arena);
	return !p->error;
}

/* One operand of an operator, or one member of a union (then ranges are taken too). */
static bool parse_operand(struct parser *p, struct operand *out, bool ranges)
{
	const struct charset *set;
	uint32_t low, high, next = parser_peek(p, 1);

	*out = (struct operand){ .set = &empty_set };
	if (parser_eat(p, '['))
		return parse_nested(p, out);
	if (parser_eat_text(p, "\\q{"))
		return parse_strings(p, out);
	if (parser_peek(p, 0) == '\\' && next < 0x80 && next && strchr("dDsSwWpP", (int)next)) {
		p->pos++;
		if (!parse_class_escape(p, true, &low, &set))
			return false;
		out->set = set;
		return true;
	}
	if (!parse_character(p, &low))
		return false;
	high = low;
	if (ranges && parser_peek(p, 0) == '-' && parser_peek(p, 1) != '-') {
		p->pos++;
		if (!parse_character(p, &high))
			return false;
	}
	if (low > high)
		return parser_fail(p, "range out of order"), false;
	out->set = folded_range(p, low, high);
	return true;
}

/* "x&&y&&z" or "x--y--z", after x. */
static bool parse_operator(struct parser *p, struct operand *out, const char *operator)
{
	bool intersect = operator[0] == '&';

	while (parser_eat_text(p, operator)) {
		struct operand y;
		bool done = parse_operand(p, &y, false);

		if (done && intersect)
			out->set = charset_intersect(out->set, y.set, p->arena);
		else if (done)
			out->set = charset_subtract(out->set, y.set, p->arena);
		if (done)
			filter_strings(p, out, &y, intersect);
		operand_free(&y);
		if (!done)
			return false;
	}
	return parser_eat(p, ']') || parser_fail(p, "invalid set operation");
}

/* Up to and with the closing ']'. */
static bool parse_contents(struct parser *p, struct operand *out)
{
	*out = (struct operand){ .set = &empty_set };
	if (parser_eat(p, ']'))
		return true;
	if (!parse_operand(p, out, true))
		return false;
	if (parser_peek(p, 0) == '&' && parser_peek(p, 1) == '&')
		return parse_operator(p, out, "&&");
	if (parser_peek(p, 0) == '-' && parser_peek(p, 1) == '-')
		return parse_operator(p, out, "--");
	while (!parser_eat(p, ']')) {
		struct operand y;
		bool done = parse_operand(p, &y, true);

		if (done)
			unite(p, out, &y);
		operand_free(&y);
		if (!done || p->error)
			return false;
	}
	return true;
}

static int longest_first(const void *a, const void *b)
{
	const struct string *x = a, *y = b;

	if (x->len != y->len)
		return x->len > y->len ? -1 : 1;
	return x->len ? memcmp(x->s, y->s, x->len * sizeof(*x->s)) : 0;
}

static void push_string(struct parser *p, struct string s, uint32_t start)
{
	size_t mark = p->n_stack;

	for (uint32_t i = 0; i < s.len; i++)
		parser_push(p, parser_set_node(p, charset_single(s.s[i], p->arena), start));
	parser_push(p, parser_gather(p, NODE_SEQUENCE, mark, start));
}

/* Longer strings first, the single characters where length one comes, then the empty string. */
static struct node *as_choice(struct parser *p, struct operand *o, uint32_t start)
{
	size_t mark = p->n_stack;
	struct node *set = parser_node(p, NODE_SET, start);

	set->set = o->set;
	if (o->n == 0)
		return set;
	qsort(o->strings, o->n, sizeof(*o->strings), longest_first);
	for (size_t i = 0; i < o->n && o->strings[i].len; i++)
		push_string(p, o->strings[i], start);
	if (o->set->n)
		parser_push(p, set);
	if (o->strings[o->n - 1].len == 0)
		parser_push(p, parser_node(p, NODE_EMPTY, start));
	return parser_gather(p, NODE_CHOICE, mark, start);
}

struct node *parse_sets(struct parser *p, uint32_t start)
{
	struct operand o;
	struct node *n = NULL;

	p->set.n = 0;
	if (parse_nested(p, &o))
		n = as_choice(p, &o, start);
	operand_free(&o);
	return p->error ? NULL : n;
}
