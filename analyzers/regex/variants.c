#include "analyzers/regex/variants.h"

#include <string.h>

enum {
	PATTERN_MAX = 20000, /* bytes: each variant is a copy */
	GROUPS_MAX = 8,      /* that are referred to */
	WORDS_MAX = 4,       /* for one group */
	WORD_MAX = 12
};

struct word {
	uint32_t v[WORD_MAX];
	uint32_t n;
};

struct words {
	struct word v[WORDS_MAX];
	uint32_t n;
};

/* One group that is referred to, and words that it may hold. */
struct group {
	uint32_t number;
	struct words words;
};

struct maker {
	const struct syntax *syntax;
	struct arena *arena;
	struct group groups[GROUPS_MAX];
	uint32_t n_groups;
	uint32_t variant;
};

static struct group *find_group(struct maker *m, uint32_t number)
{
	for (uint32_t i = 0; i < m->n_groups; i++)
		if (m->groups[i].number == number)
			return &m->groups[i];
	return NULL;
}

static void add_word(struct words *to, const struct word *word)
{
	for (uint32_t i = 0; i < to->n; i++)
		if (to->v[i].n == word->n &&
		    memcmp(to->v[i].v, word->v, word->n * sizeof(*word->v)) == 0)
			return;
	if (to->n < WORDS_MAX)
		to->v[to->n++] = *word;
}

/* The first characters of the set's ranges; letters before what else there is. */
static struct words words_of_set(const struct charset *set)
{
	static const uint32_t liked[] = { 'a', 'A', '1', ' ' };
	struct words words = { 0 };

	for (uint32_t i = 0; i < 4 && set->n > 2; i++)
		if (charset_has(set, liked[i]))
			add_word(&words, &(struct word){ .v = { liked[i] }, .n = 1 });
	for (uint32_t i = 0; i < set->n && i < WORDS_MAX; i++)
		add_word(&words, &(struct word){ .v = { set->ranges[i].lo }, .n = 1 });
	return words;
}

static struct words words_of(const struct node *n);

/* The i-th words of all items one after the other. */
static struct words words_of_sequence(const struct node *n)
{
	struct words words = { .v = { { .n = 0 } }, .n = 1 };

	for (uint32_t i = 0; i < n->list.n; i++) {
		struct words item = words_of(n->list.items[i]);

		while (words.n < item.n) {
			words.v[words.n] = words.v[words.n - 1];
			words.n++;
		}
		for (uint32_t w = 0; w < words.n; w++) {
			struct word *to = &words.v[w];
			const struct word *more = &item.v[w < item.n ? w : item.n - 1];

			for (uint32_t k = 0; k < more->n && to->n < WORD_MAX; k++)
				to->v[to->n++] = more->v[k];
		}
	}
	return words;
}

/* At least one. */
static struct words words_of(const struct node *n)
{
	struct words words = { 0 };
	struct words body;

	switch (n->kind) {
	case NODE_SET:
		words = words_of_set(n->set);
		break;
	case NODE_SEQUENCE:
		return words_of_sequence(n);
	case NODE_CHOICE:
		for (uint32_t i = 0; i < n->list.n; i++) {
			body = words_of(n->list.items[i]);
			add_word(&words, &body.v[0]);
		}
		break;
	case NODE_CAPTURE:
	case NODE_ATOMIC:
		return words_of(n->part.body);
	case NODE_REPEAT:
		if (n->repeat.min == 0)
			add_word(&words, &(struct word){ .n = 0 });
		body = words_of(n->repeat.body);
		for (uint32_t i = 0; i < body.n && n->repeat.max; i++)
			add_word(&words, &body.v[i]);
		break;
	default:
		break;
	}
	if (!words.n)
		words.n = 1;
	return words;
}

static void note_group(struct maker *m, const struct node *n)
{
	struct group *g = find_group(m, n->part.group);

	if (g)
		g->words = words_of(n->part.body);
}

static void note_reference(struct maker *m, const struct node *n)
{
	for (uint32_t i = 0; i < n->backreference.n; i++)
		if (m->n_groups < GROUPS_MAX && !find_group(m, n->backreference.groups[i]))
			m->groups[m->n_groups++].number = n->backreference.groups[i];
}

/* What refers to groups, and the words of groups that are known to be referred to. */
static void note(struct maker *m, const struct node *n)
{
	switch (n->kind) {
	case NODE_SEQUENCE:
	case NODE_CHOICE:
		for (uint32_t i = 0; i < n->list.n; i++)
			note(m, n->list.items[i]);
		break;
	case NODE_CAPTURE:
		note_group(m, n);
		note(m, n->part.body);
		break;
	case NODE_ATOMIC:
		note(m, n->part.body);
		break;
	case NODE_CONDITION:
		note(m, n->part.body);
		note(m, n->part.otherwise);
		break;
	case NODE_REPEAT:
		note(m, n->repeat.body);
		break;
	case NODE_LOOK:
		note(m, n->look.body);
		break;
	case NODE_BACKREFERENCE:
		note_reference(m, n);
		break;
	default:
		break;
	}
}

/* A copy of the node with nothing below it yet, not measured. */
static struct node *copy_node(struct maker *m, const struct node *n)
{
	struct node *copy = arena_alloc(m->arena, sizeof(*copy));

	*copy = *n;
	copy->measured = false;
	return copy;
}

static const struct charset *character(struct maker *m, uint32_t c, bool fold)
{
	const struct charset *set = charset_single(c, m->arena);

	return fold ? unicode_fold_set(set, m->syntax->case_rule, m->arena) : set;
}

/* The word in the place of a node. */
static struct node *spell(struct maker *m, const struct node *at, const struct word *word,
			  bool fold)
{
	struct node *all = copy_node(m, at);

	all->kind = word->n ? NODE_SEQUENCE : NODE_EMPTY;
	all->list.n = word->n;
	all->list.items = arena_alloc(m->arena, (word->n + 1) * sizeof(*all->list.items));
	for (uint32_t i = 0; i < word->n; i++) {
		struct node *c = copy_node(m, at);

		c->kind = NODE_SET;
		c->literal = true;
		c->negated = false;
		c->set = character(m, word->v[i], fold);
		all->list.items[i] = c;
	}
	return all;
}

/* Groups of several words take turns at different speeds, so that they are combined. */
static const struct word *chosen_word(const struct maker *m, const struct group *g)
{
	uint32_t turn = m->variant + (uint32_t)(g - m->groups) * (m->variant / WORDS_MAX);

	return &g->words.v[turn % g->words.n];
}

static struct node *copy(struct maker *m, const struct node *n);

static struct node *copy_list(struct maker *m, const struct node *n)
{
	struct node *all = copy_node(m, n);

	all->list.items = arena_alloc(m->arena, n->list.n * sizeof(*all->list.items));
	for (uint32_t i = 0; i < n->list.n; i++)
		all->list.items[i] = copy(m, n->list.items[i]);
	return all;
}

static struct node *copy_part(struct maker *m, const struct node *n)
{
	struct group *g = n->kind == NODE_CAPTURE ? find_group(m, n->part.group) : NULL;
	struct node *part = copy_node(m, n);

	if (g)
		part->part.body = spell(m, n->part.body, chosen_word(m, g), false);
	else
		part->part.body = copy(m, n->part.body);
	if (n->kind == NODE_CONDITION)
		part->part.otherwise = copy(m, n->part.otherwise);
	return part;
}

static struct node *copy_reference(struct maker *m, const struct node *n)
{
	const struct group *g = find_group(m, n->backreference.groups[0]);

	return g ? spell(m, n, chosen_word(m, g), n->backreference.fold) : copy_node(m, n);
}

static struct node *copy(struct maker *m, const struct node *n)
{
	struct node *other;

	switch (n->kind) {
	case NODE_SEQUENCE:
	case NODE_CHOICE:
		return copy_list(m, n);
	case NODE_CAPTURE:
	case NODE_ATOMIC:
	case NODE_CONDITION:
		return copy_part(m, n);
	case NODE_REPEAT:
		other = copy_node(m, n);
		other->repeat.body = copy(m, n->repeat.body);
		return other;
	case NODE_LOOK:
		other = copy_node(m, n);
		other->look.body = copy(m, n->look.body);
		return other;
	case NODE_BACKREFERENCE:
		return copy_reference(m, n);
	default:
		return copy_node(m, n);
	}
}

uint32_t variants_make(const struct syntax *s, struct syntax variants[VARIANTS_MAX],
		       struct arena *a)
{
	struct maker m = { .syntax = s, .arena = a };
	uint32_t n = 0, most = 0;

	if (s->root->end > PATTERN_MAX)
		return 0;
	note(&m, s->root);
	note(&m, s->root); /* now with the groups that come before what refers to them */
	for (uint32_t i = 0; i < m.n_groups; i++) {
		if (!m.groups[i].words.n)
			m.groups[i].words.n = 1; /* the empty word */
		most = m.groups[i].words.n > most ? m.groups[i].words.n : most;
	}
	if (m.n_groups > 1)
		most = VARIANTS_MAX;
	for (; n < most && n < VARIANTS_MAX; n++) {
		m.variant = n;
		variants[n] = *s;
		variants[n].root = copy(&m, s->root);
		node_measure(variants[n].root);
	}
	return n;
}
