#include <string.h>

#include "analyzers/regex/parser.h"

/*
 * Before V8 enters an alternative it checks the next few characters against
 * what the alternative must take, looking past negative look-around but not
 * past positive one (NegativeLookaroundChoiceNode::GetQuickCheckDetails).  So
 * a negative look-around is only run where what follows it can match, and
 * (?<!a*)b is linear.  We say the same with a look-ahead for that character,
 * which changes nothing else.
 */

enum { CHECKED_CHARACTERS = 3 }; /* taken from the alternative's start to the look-around */

static bool is_negative_look(const struct node *n)
{
	return n->kind == NODE_LOOK && n->look.negative;
}

/* What came first may be empty: more characters may come first. */
enum first { FIRST_UNKNOWN, FIRST_OPEN, FIRST_CLOSED };

static enum first add_first(struct charset_builder *b, const struct node *n);

static enum first add_first_of(struct charset_builder *b, struct node *const *items, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		enum first how = add_first(b, items[i]);

		if (how != FIRST_OPEN)
			return how;
	}
	return FIRST_OPEN;
}

static enum first add_first_choice(struct charset_builder *b, const struct node *n)
{
	enum first all = FIRST_CLOSED;

	for (uint32_t i = 0; i < n->list.n; i++) {
		enum first how = add_first(b, n->list.items[i]);

		if (how == FIRST_UNKNOWN)
			return how;
		if (how == FIRST_OPEN)
			all = how;
	}
	return all;
}

/* Adds the characters that n can begin with. */
static enum first add_first(struct charset_builder *b, const struct node *n)
{
	enum first how;

	switch (n->kind) {
	case NODE_SET:
		charset_add_set(b, n->set);
		return FIRST_CLOSED;
	case NODE_SEQUENCE:
		return add_first_of(b, n->list.items, n->list.n);
	case NODE_CHOICE:
		return add_first_choice(b, n);
	case NODE_CAPTURE:
		return add_first(b, n->part.body);
	case NODE_REPEAT:
		if (n->repeat.max == 0)
			return FIRST_OPEN;
		how = add_first(b, n->repeat.body);
		return how == FIRST_CLOSED && n->repeat.min == 0 ? FIRST_OPEN : how;
	case NODE_EMPTY:
		return FIRST_OPEN;
	case NODE_LOOK:
		return n->look.negative ? FIRST_OPEN : FIRST_UNKNOWN;
	default:
		return FIRST_UNKNOWN;
	}
}

static struct node *make_check(struct parser *p, const struct charset *set, const struct node *at)
{
	struct node *check = arena_alloc(p->arena, sizeof(*check));
	struct node *body = arena_alloc(p->arena, sizeof(*body));

	*body = (struct node){ .kind = NODE_SET, .start = at->start, .end = at->end, .set = set };
	*check = (struct node){ .kind = NODE_LOOK, .start = at->start, .end = at->end };
	check->look.body = body;
	node_measure(check);
	return check;
}

/* The check to put before item i; NULL: none. */
static struct node *check_before(struct parser *p, const struct node *n, uint32_t i)
{
	const struct charset *set;

	if (!is_negative_look(n->list.items[i]) ||
	    add_first_of(&p->set, n->list.items + i + 1, n->list.n - i - 1) != FIRST_CLOSED) {
		p->set.n = 0;
		return NULL;
	}
	set = parser_finish_set(p);
	if (set->n == 1 && set->ranges[0].lo == 0 && set->ranges[0].hi >= p->max_char)
		return NULL;
	return make_check(p, set, n->list.items[i]);
}

static void check_sequence(struct parser *p, struct node *n)
{
	struct node **items = arena_alloc(p->arena, 2 * (size_t)n->list.n * sizeof(*items));
	uint32_t count = 0, taken = 0;

	for (uint32_t i = 0; i < n->list.n; i++) {
		struct width w = node_measure(n->list.items[i]);
		struct node *check = taken <= CHECKED_CHARACTERS ? check_before(p, n, i) : NULL;

		if (check)
			items[count++] = check;
		items[count++] = n->list.items[i];
		taken = w.max > CHECKED_CHARACTERS ? CHECKED_CHARACTERS + 1 : taken + w.max;
		/* To leave a loop is an alternative of its own. */
		if (n->list.items[i]->kind == NODE_REPEAT)
			taken = 0;
	}
	n->list.items = items;
	n->list.n = count;
}

static bool has_negative_look(const struct node *n)
{
	for (uint32_t i = 0; i < n->list.n; i++)
		if (is_negative_look(n->list.items[i]))
			return true;
	return false;
}

void parse_check_looks(struct parser *p, struct node *n)
{
	switch (n->kind) {
	case NODE_SEQUENCE:
	case NODE_CHOICE:
		for (uint32_t i = 0; i < n->list.n; i++)
			parse_check_looks(p, n->list.items[i]);
		if (n->kind == NODE_SEQUENCE && has_negative_look(n))
			check_sequence(p, n);
		break;
	case NODE_CAPTURE:
		parse_check_looks(p, n->part.body);
		break;
	case NODE_REPEAT:
		parse_check_looks(p, n->repeat.body);
		break;
	case NODE_LOOK:
		parse_check_looks(p, n->look.body);
		break;
	default:
		break;
	}
}
