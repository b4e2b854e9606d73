#include "tests/tools/regex_words.h"

#include <string.h>

enum { LONG_REPEAT = 8 };

uint32_t words_random(struct words *w, uint32_t n)
{
	w->state ^= w->state << 13;
	w->state ^= w->state >> 7;
	w->state ^= w->state << 17;
	return (uint32_t)((w->state >> 20) % n);
}

void words_put(struct word_text *to, uint32_t c)
{
	if (to->n < WORD_MAX)
		to->v[to->n++] = c;
}

static void note_character(struct words *w, uint32_t c)
{
	for (uint32_t i = 0; i < w->n_characters; i++)
		if (w->characters[i] == c)
			return;
	if (w->n_characters < CHARACTERS_MAX)
		w->characters[w->n_characters++] = c;
}

static void look_around(struct words *w, const struct node *n)
{
	switch (n->kind) {
	case NODE_SET:
		if (n->set->n && n->set->ranges[0].lo == n->set->ranges[0].hi)
			note_character(w, n->set->ranges[0].lo);
		break;
	case NODE_SEQUENCE:
	case NODE_CHOICE:
		for (uint32_t i = 0; i < n->list.n; i++)
			look_around(w, n->list.items[i]);
		break;
	case NODE_CAPTURE:
	case NODE_ATOMIC:
		look_around(w, n->part.body);
		break;
	case NODE_CONDITION:
		look_around(w, n->part.body);
		look_around(w, n->part.otherwise);
		break;
	case NODE_REPEAT:
		if (n->repeat.max >= LONG_REPEAT && w->n_repeats < REPEATS_MAX)
			w->repeats[w->n_repeats++] = n;
		look_around(w, n->repeat.body);
		break;
	case NODE_LOOK:
		look_around(w, n->look.body);
		break;
	default:
		break;
	}
}

void words_init(struct words *w, const struct syntax *syntax, uint64_t seed)
{
	static const char common[] = "a1 \n-._A0/<\"'\\:";

	*w = (struct words){ .syntax = syntax, .state = seed * 0x9e3779b97f4a7c15 | 1 };
	for (size_t i = 0; i + 1 < sizeof(common) / 2; i++)
		note_character(w, (unsigned char)common[i]);
	look_around(w, syntax->root);
}

/* A preferred character most of the time. */
static void add_character(struct words *w, const struct charset *set, struct word_text *to)
{
	const struct range *r;
	uint32_t width;

	for (uint32_t tries = words_random(w, 5) ? 8 : 0; tries > 0; tries--) {
		uint32_t c = w->characters[words_random(w, w->n_characters)];

		if (charset_has(set, c)) {
			words_put(to, c);
			return;
		}
	}
	if (!set->n)
		return;
	r = &set->ranges[words_random(w, set->n < 4 ? set->n : 4)];
	width = r->hi - r->lo + 1;
	words_put(to, r->lo + words_random(w, width && width < 128 ? width : 128) %
				      (width ? width : 1));
}

static void add_group(struct words *w, const struct node *n, struct word_text *to)
{
	uint32_t from = to->n;
	struct word_text *group = &w->groups[n->part.group % GROUPS_MAX];

	words_add(w, n->part.body, to);
	group->n = to->n - from;
	memcpy(group->v, to->v + from, group->n * sizeof(*group->v));
}

static void add_repeat(struct words *w, const struct node *n, struct word_text *to)
{
	uint32_t more = n->repeat.max - n->repeat.min, times = n->repeat.min;

	times += words_random(w, (more < 2 ? more : 2) + 1);
	if (times > 40)
		times = 40;
	/* The way to a node inside leads through an iteration. */
	for (uint32_t i = 0; i < times || (w->stop && i < 1); i++) {
		words_add(w, n->repeat.body, to);
		if (w->stopped)
			return;
	}
}

static void add_reference(struct words *w, const struct node *n, struct word_text *to)
{
	const struct word_text *group = &w->groups[n->backreference.groups[0] % GROUPS_MAX];

	for (uint32_t i = 0; i < group->n; i++)
		words_put(to, group->v[i]);
}

static bool holds(const struct node *n, const struct node *wanted)
{
	return n->start <= wanted->start && wanted->end <= n->end;
}

static const struct node *choose(struct words *w, const struct node *n)
{
	for (uint32_t i = 0; w->stop && i < n->list.n; i++)
		if (holds(n->list.items[i], w->stop))
			return n->list.items[i];
	return n->list.items[words_random(w, n->list.n)];
}

void words_add(struct words *w, const struct node *n, struct word_text *to)
{
	if (n == w->stop)
		w->stopped = true;
	if (w->stopped || to->n == WORD_MAX)
		return;
	switch (n->kind) {
	case NODE_SET:
		add_character(w, n->set, to);
		break;
	case NODE_SEQUENCE:
		for (uint32_t i = 0; i < n->list.n && !w->stopped; i++)
			words_add(w, n->list.items[i], to);
		break;
	case NODE_CHOICE:
		words_add(w, choose(w, n), to);
		break;
	case NODE_CAPTURE:
		add_group(w, n, to);
		break;
	case NODE_ATOMIC:
	case NODE_CONDITION:
		words_add(w, n->part.body, to);
		break;
	case NODE_REPEAT:
		add_repeat(w, n, to);
		break;
	case NODE_BACKREFERENCE:
		add_reference(w, n, to);
		break;
	case NODE_LOOK:
		if (w->stop ? holds(n, w->stop) : n->look.behind && words_random(w, 2))
			words_add(w, n->look.body, to);
		break;
	default:
		break;
	}
}

void words_add_until(struct words *w, const struct node *stop, struct word_text *to)
{
	w->stop = stop;
	w->stopped = false;
	words_add(w, w->syntax->root, to);
	w->stop = NULL;
	w->stopped = false;
}
