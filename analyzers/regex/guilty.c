#include "analyzers/regex/guilty.h"

#include "analyzers/regex/rough.h"

enum { REPEATS_MAX = 64, AMBIGUITY_BUDGET = 100 * 1000 };

/* The repeats around a node, innermost first. */
struct repeats {
	const struct node *v[REPEATS_MAX];
	uint32_t n;
};

static bool find(const struct node *at, const struct node *wanted, struct repeats *r);

static bool find_in_list(const struct node *at, const struct node *wanted, struct repeats *r)
{
	for (uint32_t i = 0; i < at->list.n; i++)
		if (find(at->list.items[i], wanted, r))
			return true;
	return false;
}

/* Fills r on the way back from wanted. */
static bool find(const struct node *at, const struct node *wanted, struct repeats *r)
{
	if (at == wanted)
		return true;
	switch (at->kind) {
	case NODE_SEQUENCE:
	case NODE_CHOICE:
		return find_in_list(at, wanted, r);
	case NODE_CAPTURE:
	case NODE_ATOMIC:
		return find(at->part.body, wanted, r);
	case NODE_CONDITION:
		return find(at->part.body, wanted, r) || find(at->part.otherwise, wanted, r);
	case NODE_LOOK:
		return find(at->look.body, wanted, r);
	case NODE_REPEAT:
		if (!find(at->repeat.body, wanted, r))
			return false;
		if (at->repeat.max > 1 && r->n < REPEATS_MAX)
			r->v[r->n++] = at;
		return true;
	default:
		return false;
	}
}

static struct repeats repeats_around(const struct node *tree, const struct node *n)
{
	struct repeats r = { 0 };

	if (n)
		find(tree, n, &r);
	return r;
}

/* Is the repeat exponential all by itself, when nothing after it can match? */
static bool is_exponential(const struct node *repeat, const struct syntax *syntax, struct arena *a)
{
	static const struct charset nothing;
	struct prefilter filter = { .anchored = true, .from_end = UINT32_MAX };
	struct node fail = { .kind = NODE_SET, .set = &nothing, .width = { 1, 1 } };
	struct node *items[] = { (struct node *)repeat, &fail };
	struct node both = { .kind = NODE_SEQUENCE, .list = { items, 2 } };
	struct syntax alone = *syntax;
	struct ambiguity found = { 0 };
	struct automaton m;
	struct rough rough;

	alone.root = &both;
	automaton_build(&m, &alone, &filter, 1, a);
	if (!m.too_large) {
		struct ambiguity_input in = { .loops_only = true, .budget = AMBIGUITY_BUDGET };

		rough_build(&rough, &m, a);
		in.graph = &rough.graph;
		ambiguity_find(&in, &found, a);
		graph_free(&rough.graph);
	}
	automaton_free(&m);
	return found.n_loops > 0;
}

static struct span span_of(const struct node *n)
{
	return n ? (struct span){ n->start, n->end } : (struct span){ 0, 0 };
}

static bool holds(const struct node *at, const struct node *wanted)
{
	struct repeats r = { 0 };

	return find(at, wanted, &r);
}

/* The items of a sequence from the one with x to the one with y, as deep in the tree as can be. */
static struct span span_from_to(const struct node *at, const struct node *x, const struct node *y)
{
	uint32_t first = 0, last = 0;

	switch (at->kind) {
	case NODE_CAPTURE:
	case NODE_ATOMIC:
		return span_from_to(at->part.body, x, y);
	case NODE_LOOK:
		return span_from_to(at->look.body, x, y);
	case NODE_REPEAT:
		return span_from_to(at->repeat.body, x, y);
	case NODE_SEQUENCE:
	case NODE_CHOICE:
		while (first < at->list.n && !holds(at->list.items[first], x))
			first++;
		while (last < at->list.n && !holds(at->list.items[last], y))
			last++;
		if (first == at->list.n || last == at->list.n)
			break;
		if (first == last)
			return span_from_to(at->list.items[first], x, y);
		if (at->kind == NODE_SEQUENCE && first < last)
			return (struct span){ at->list.items[first]->start,
					      at->list.items[last]->end };
		break;
	default:
		break;
	}
	return span_of(at);
}

struct span guilty_find(const struct decision *d, const struct syntax *syntax, struct arena *a)
{
	struct repeats from = repeats_around(d->tree, d->from), to = repeats_around(d->tree, d->to);

	if (d->verdict == REGEX_EXPONENTIAL) {
		for (uint32_t i = 0; i < to.n; i++)
			if (is_exponential(to.v[i], syntax, a))
				return span_of(to.v[i]);
	}
	if (to.n == 0)
		return span_of(d->to);
	if (!d->inner || from.n == 0)
		return span_of(to.v[0]);
	/* Two copies of one repeat: the count around them makes the copies. */
	if (from.v[0] == to.v[0] && to.n > 1)
		return span_of(to.v[1]);
	return span_from_to(d->tree, from.v[0], to.v[0]);
}
