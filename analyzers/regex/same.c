#include <string.h>

#include "analyzers/regex/alphabet.h"
#include "analyzers/regex/program.h"
#include "analyzers/regex/rewrite.h"

enum {
	STRINGS = 240,
	LENGTH_MAX = 96,
	SETS_MAX = 400,
	STEPS_MAX = 20 * 1000,
};

/* Makes strings: some that match, most that nearly do. */
struct generator {
	const struct syntax *syntax;
	struct alphabet alphabet;
	const struct charset *sets[SETS_MAX];
	uint32_t n_sets;
	uint32_t state; /* of the random numbers: always the same ones */
	uint32_t v[LENGTH_MAX], n;
};

static uint32_t random_below(struct generator *g, uint32_t n)
{
	g->state = g->state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)g->state * n >> 32);
}

static void note_sets(struct generator *g, const struct node *n)
{
	switch (n->kind) {
	case NODE_SET:
		if (g->n_sets < SETS_MAX)
			g->sets[g->n_sets++] = n->set;
		break;
	case NODE_ASSERTION:
		if (g->n_sets < SETS_MAX)
			g->sets[g->n_sets++] = n->assertion.set;
		break;
	case NODE_SEQUENCE:
	case NODE_CHOICE:
		for (uint32_t i = 0; i < n->list.n; i++)
			note_sets(g, n->list.items[i]);
		break;
	case NODE_CAPTURE:
	case NODE_ATOMIC:
		note_sets(g, n->part.body);
		break;
	case NODE_CONDITION:
		note_sets(g, n->part.body);
		note_sets(g, n->part.otherwise);
		break;
	case NODE_REPEAT:
		note_sets(g, n->repeat.body);
		break;
	case NODE_LOOK:
		note_sets(g, n->look.body);
		break;
	default:
		break;
	}
}

static void put(struct generator *g, uint32_t c)
{
	if (g->n < LENGTH_MAX)
		g->v[g->n++] = c;
}

static uint32_t any_character(struct generator *g)
{
	return g->alphabet.sample[random_below(g, g->alphabet.end)];
}

static void put_member(struct generator *g, const struct charset *set)
{
	for (uint32_t i = 0, s = random_below(g, g->alphabet.end); i < g->alphabet.end; i++) {
		uint32_t c = g->alphabet.sample[(s + i) % g->alphabet.end];

		if (charset_has(set, c)) {
			put(g, c);
			return;
		}
	}
}

/* A string that n may take. */
static void put_sample(struct generator *g, const struct node *n)
{
	uint32_t turns;

	if (g->n == LENGTH_MAX)
		return;
	switch (n->kind) {
	case NODE_SET:
		put_member(g, n->set);
		break;
	case NODE_SEQUENCE:
		for (uint32_t i = 0; i < n->list.n; i++)
			put_sample(g, n->list.items[i]);
		break;
	case NODE_CHOICE:
		put_sample(g, n->list.items[random_below(g, n->list.n)]);
		break;
	case NODE_CAPTURE:
	case NODE_ATOMIC:
	case NODE_CONDITION:
		put_sample(g, n->part.body);
		break;
	case NODE_REPEAT:
		turns = n->repeat.max - n->repeat.min;
		turns = n->repeat.min + random_below(g, turns < 3 ? turns + 1 : 4);
		for (uint32_t i = 0; i < turns && g->n < LENGTH_MAX; i++)
			put_sample(g, n->repeat.body);
		break;
	default:
		break;
	}
}

/* Takes out, puts in or changes a character or two. */
static void disturb(struct generator *g)
{
	uint32_t at;

	for (uint32_t times = random_below(g, 3); times > 0 && g->n; times--) {
		at = random_below(g, g->n);
		switch (random_below(g, 3)) {
		case 0:
			g->v[at] = any_character(g);
			break;
		case 1:
			memmove(g->v + at, g->v + at + 1, (g->n - at - 1) * sizeof(*g->v));
			g->n--;
			break;
		default:
			put(g, g->v[at]);
			g->v[at] = any_character(g);
		}
	}
}

static void generate(struct generator *g, uint32_t i)
{
	g->n = 0;
	if (i % 8 == 0) {
		for (uint32_t n = random_below(g, 12); n > 0; n--)
			put(g, any_character(g));
		return;
	}
	if (i % 3 == 0)
		put(g, any_character(g));
	put_sample(g, g->syntax->root);
	/* A second match shows what the first one leaves behind it. */
	if (i % 5 == 2)
		put_sample(g, g->syntax->root);
	if (i % 4 == 1)
		put(g, any_character(g));
	if (i % 2)
		disturb(g);
}

/* One side of the comparison. */
struct side {
	struct syntax syntax;
	struct program program;
	struct matcher matcher;
};

static bool side_init(struct side *s, const struct regex_pattern *pattern, struct arena *a)
{
	*s = (struct side){ 0 };
	syntax_parse(&s->syntax, pattern, a);
	if (s->syntax.root)
		program_compile(&s->program, &s->syntax);
	return s->syntax.root;
}

static void side_free(struct side *s)
{
	program_free(&s->program);
	matcher_free(&s->matcher);
}

/* One search on both sides; *from moves to where the next one begins, or past the end. */
static enum sameness compare_from(struct side *x, struct side *y, struct match_input in,
				  uint32_t *from)
{
	enum match_end how = match_search(&x->matcher, &x->program, in, STEPS_MAX), other;
	const uint32_t *left = x->matcher.registers, *right;

	*from = in.len + 1;
	if (how == MATCH_CAPPED)
		return SAME_CAPTURES;
	other = match_search(&y->matcher, &y->program, in, STEPS_MAX);
	right = y->matcher.registers;
	if (other != how)
		return other == MATCH_CAPPED ? SAME_CAPTURES : SAME_NOT;
	if (how == MATCH_NO)
		return SAME_CAPTURES;
	if (left[0] != right[0] || left[1] != right[1])
		return SAME_NOT;
	*from = left[1] + (left[0] == left[1]);
	if (x->syntax.groups != y->syntax.groups)
		return SAME_MATCHES;
	return memcmp(left, right, 2 * x->syntax.groups * sizeof(*left)) ? SAME_MATCHES
									 : SAME_CAPTURES;
}

/* All matches one after the other, as a replacement would find them. */
static enum sameness compare_on(struct side *x, struct side *y, const struct generator *g)
{
	enum sameness same = SAME_CAPTURES;

	for (uint32_t from = 0; from <= g->n && same != SAME_NOT;) {
		struct match_input in = { g->v, g->n, from };
		enum sameness here = compare_from(x, y, in, &from);

		same = here < same ? here : same;
	}
	return same;
}

enum sameness rewrite_compare(const struct regex_pattern *x, const struct regex_pattern *y)
{
	struct arena a = { 0 };
	struct generator g = { .state = 1 };
	struct side left, right = { 0 };
	enum sameness same = SAME_NOT;

	if (side_init(&left, x, &a) && side_init(&right, y, &a)) {
		g.syntax = &left.syntax;
		note_sets(&g, left.syntax.root);
		note_sets(&g, right.syntax.root);
		if (alphabet_init(&g.alphabet, g.sets, g.n_sets, left.syntax.max_char, &a))
			same = SAME_CAPTURES;
	}
	for (uint32_t i = 0; i < STRINGS && same != SAME_NOT; i++) {
		enum sameness here;

		generate(&g, i);
		here = compare_on(&left, &right, &g);
		same = here < same ? here : same;
	}
	side_free(&left);
	side_free(&right);
	arena_free(&a);
	return same;
}
