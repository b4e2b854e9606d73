#include "analyzers/regex/parser.h"

#include <string.h>

/* [:alpha:] of PCRE2. */
static const struct {
	const char *name;
	struct range ranges[4];
} posix_rows[] = {
	/* clang-format off */
	{ "alnum",  { { '0', '9' }, { 'A', 'Z' }, { 'a', 'z' } } },
	{ "alpha",  { { 'A', 'Z' }, { 'a', 'z' } } },
	{ "ascii",  { { 0, 127 } } },
	{ "blank",  { { '\t', '\t' }, { ' ', ' ' } } },
	{ "cntrl",  { { 0, 31 }, { 127, 127 } } },
	{ "digit",  { { '0', '9' } } },
	{ "graph",  { { 33, 126 } } },
	{ "lower",  { { 'a', 'z' } } },
	{ "print",  { { 32, 126 } } },
	{ "punct",  { { 33, 47 }, { 58, 64 }, { 91, 96 }, { 123, 126 } } },
	{ "space",  { { '\t', '\r' }, { ' ', ' ' } } },
	{ "upper",  { { 'A', 'Z' } } },
	{ "word",   { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } } },
	{ "xdigit", { { '0', '9' }, { 'A', 'F' }, { 'a', 'f' } } },
	/* clang-format on */
};

/* At "[:name:]": its set; NULL: it is not one. */
static const struct charset *parse_posix(struct parser *p)
{
	uint32_t begin = p->pos;
	bool negative;

	if (p->engine != REGEX_PCRE2 || !parser_eat_text(p, "[:"))
		return NULL;
	negative = parser_eat(p, '^');
	for (size_t i = 0; i < sizeof(posix_rows) / sizeof(posix_rows[0]); i++) {
		struct charset_builder b = { 0 };
		const struct charset *set;
		uint32_t at = p->pos;

		if (!parser_eat_text(p, posix_rows[i].name) || !parser_eat_text(p, ":]")) {
			p->pos = at;
			continue;
		}
		for (size_t j = 0; j < 4 && (posix_rows[i].ranges[j].hi || j == 0); j++)
			charset_add(&b, posix_rows[i].ranges[j].lo, posix_rows[i].ranges[j].hi);
		set = charset_finish(&b, p->arena);
		charset_builder_free(&b);
		return negative ? charset_invert(set, p->max_char, p->arena) : set;
	}
	p->pos = begin;
	return NULL;
}

/* One character (*set is NULL) or set inside the brackets. */
static bool parse_member(struct parser *p, uint32_t *c, const struct charset **set)
{
	*set = parse_posix(p);
	if (*set)
		return true;
	*c = parser_peek(p, 0);
	if (*c == UNIT_END)
		return parser_fail(p, "missing ]"), false;
	p->pos++;
	return *c != '\\' || parse_class_escape(p, true, c, set);
}

/* Is the '-' here one that makes a range? */
static bool at_range(const struct parser *p)
{
	uint32_t next = parser_peek(p, 1);

	return parser_peek(p, 0) == '-' && next != ']' && next != UNIT_END;
}

/* "a", "a-z", "\d", "\d-z". */
static bool parse_range(struct parser *p)
{
	const struct charset *low_set, *high_set;
	uint32_t low, high;
	bool strict = p->engine == REGEX_V8 ? p->mode & MODE_UNICODE : true;

	if (!parse_member(p, &low, &low_set))
		return false;
	if (!at_range(p)) {
		if (low_set)
			charset_add_set(&p->set, low_set);
		else
			charset_add(&p->set, low, low);
		return true;
	}
	p->pos++;
	if (!parse_member(p, &high, &high_set))
		return false;
	if (low_set || high_set) {
		if (strict)
			return parser_fail(p, "a set cannot end a range"), false;
		charset_add(&p->set, '-', '-');
		for (int i = 0; i < 2; i++) {
			const struct charset *set = i ? high_set : low_set;
			uint32_t c = i ? high : low;

			if (set)
				charset_add_set(&p->set, set);
			else
				charset_add(&p->set, c, c);
		}
		return true;
	}
	if (low > high)
		return parser_fail(p, "range out of order"), false;
	charset_add(&p->set, low, high);
	return true;
}

/* Blanks in a class under PCRE2's xx. */
static void skip_blanks(struct parser *p)
{
	if (p->mode & MODE_EXTENDED_MORE)
		while (parser_peek(p, 0) == ' ' || parser_peek(p, 0) == '\t')
			p->pos++;
}

struct node *parse_class(struct parser *p, uint32_t start)
{
	const struct charset *set;
	struct node *n;
	bool negative = parser_eat(p, '^');
	/* In JavaScript [] is empty; elsewhere a ] that comes first is a member. */
	bool first = p->engine != REGEX_V8;

	p->set.n = 0;
	for (skip_blanks(p); first || parser_peek(p, 0) != ']'; skip_blanks(p)) {
		if (!parse_range(p))
			return NULL;
		first = false;
	}
	p->pos++;
	set = parser_fold(p, parser_finish_set(p));
	n = parser_node(p, NODE_SET, start);
	n->negated = negative;
	n->set = negative ? charset_invert(set, p->max_char, p->arena) : set;
	return p->error ? NULL : n;
}
