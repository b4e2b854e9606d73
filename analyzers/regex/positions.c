#include "analyzers/regex/positions.h"

#include <stdlib.h>
#include <string.h>

#include "core/strings.h"

enum {
	BEHIND_COUNT_MAX = 32, /* copies in a look-behind */
	HIDDEN_WIDTH = 16,     /* of a look-behind whose cost is not worth a look */
	NEAR_END_MAX = 40,     /* characters from the end that are worth states of their own */
};

struct builder {
	struct positions *p;
	const struct syntax *syntax;
	struct arena *arena;
	uint32_t relax;
	const struct node **groups; /* bodies by number */
	uint32_t *inside;           /* by number: how often what is compiled is in it */
	uint32_t copies;            /* back references around what is compiled */
	uint32_t height;            /* of the highest look-ahead compiled so far at this level */
	uint32_t next_mark;
	bool unsure; /* something unsure was compiled */
};

static uint32_t compile(struct builder *b, const struct node *n, uint32_t next);

static uint32_t add(struct builder *b, enum position_kind kind, uint32_t next)
{
	struct positions *p = b->p;

	if (p->n >= 4 * POSITIONS_MAX || p->n_sets_taken >= POSITIONS_MAX) {
		p->too_large = true;
		p->n = p->n ? p->n - 1 : 0;
	}
	ARRAY_GROW(p->v, p->n, p->cap);
	p->v[p->n] = (struct position){ .kind = kind, .next = next };
	return (uint32_t)p->n++;
}

static uint64_t hash_set(const struct charset *set)
{
	return hash_bytes(0, set->ranges, set->n * sizeof(*set->ranges));
}

static void grow_slots(struct positions *p)
{
	uint32_t cap = p->set_cap ? 2 * p->set_cap : 32;

	free(p->set_slots);
	p->set_slots = xcalloc(cap, sizeof(*p->set_slots));
	p->set_cap = cap;
	for (size_t i = 0; i < p->n_sets; i++) {
		uint32_t slot = (uint32_t)hash_set(p->sets[i]) & (cap - 1);

		while (p->set_slots[slot])
			slot = (slot + 1) & (cap - 1);
		p->set_slots[slot] = (uint32_t)i + 1;
	}
}

static uint32_t set_index(struct builder *b, const struct charset *set)
{
	struct positions *p = b->p;
	uint32_t slot;

	if (2 * (p->n_sets + 1) > p->set_cap)
		grow_slots(p);
	slot = (uint32_t)hash_set(set) & (p->set_cap - 1);
	for (; p->set_slots[slot]; slot = (slot + 1) & (p->set_cap - 1))
		if (charset_equal(p->sets[p->set_slots[slot] - 1], set))
			return p->set_slots[slot] - 1;
	ARRAY_GROW(p->sets, p->n_sets, p->cap_sets);
	p->sets[p->n_sets] = set;
	p->set_slots[slot] = (uint32_t)++p->n_sets;
	return (uint32_t)p->n_sets - 1;
}

static uint32_t add_set(struct builder *b, const struct charset *set, uint32_t next)
{
	uint32_t at = add(b, POSITION_SET, next);

	b->p->v[at].set = set_index(b, set);
	b->p->n_sets_taken++;
	return at;
}

/* A SPLIT of n alternatives to be filled in. */
static uint32_t add_split(struct builder *b, uint32_t n)
{
	struct positions *p = b->p;
	uint32_t at = add(b, POSITION_SPLIT, POSITION_NONE);

	p->v[at].list = (uint32_t)p->n_lists;
	p->v[at].n = n;
	for (uint32_t i = 0; i < n; i++) {
		ARRAY_GROW(p->lists, p->n_lists, p->cap_lists);
		p->lists[p->n_lists++] = POSITION_NONE;
	}
	return at;
}

static void set_alternative(struct builder *b, uint32_t split, uint32_t i, uint32_t to)
{
	b->p->lists[b->p->v[split].list + i] = to;
}

static uint32_t unsure(struct builder *b, uint32_t next)
{
	b->unsure = true;
	return add(b, POSITION_UNSURE, next);
}

static uint32_t compile_choice(struct builder *b, const struct node *n, uint32_t next)
{
	uint32_t split = add_split(b, n->list.n);

	for (uint32_t i = 0; i < n->list.n && !b->p->too_large; i++)
		set_alternative(b, split, i, compile(b, n->list.items[i], next));
	return split;
}

/* In the order of the repeat: one more iteration, or on. */
static void set_repeat(struct builder *b, uint32_t split, const struct node *n, uint32_t body,
		       uint32_t leave)
{
	bool lazy = n->repeat.mode == REPEAT_LAZY;

	set_alternative(b, split, lazy, body);
	set_alternative(b, split, !lazy, leave);
}

/* One optional iteration, which must not be empty: then `again`, or `next`. */
static uint32_t compile_iteration(struct builder *b, const struct node *n, uint32_t again,
				  uint32_t next, bool marked)
{
	const struct node *body = n->repeat.body;
	uint32_t end, begin, first, mark = b->next_mark++;

	if (body->width.min > 0)
		return compile(b, body, again);
	end = add(b, POSITION_END, again);
	b->p->v[end].list = mark;
	/* ECMAScript refuses it, the others go on after the loop. */
	b->p->v[end].leave = b->syntax->engine == REGEX_V8 ? POSITION_NONE : next;
	first = compile(b, body, end);
	if (!marked)
		return first;
	begin = add(b, POSITION_BEGIN, first);
	b->p->v[begin].list = mark;
	return begin;
}

/* x{0,} and x{1,} */
static uint32_t compile_forever(struct builder *b, const struct node *n, uint32_t next, bool once)
{
	uint32_t split = add_split(b, 2);
	uint32_t body = compile_iteration(b, n, split, next, true);

	set_repeat(b, split, n, body, next);
	if (!once)
		return split;
	/* The first iteration may be empty. */
	return b->p->v[body].kind == POSITION_BEGIN && n->repeat.body->width.min == 0
		       ? b->p->v[body].next
		       : body;
}

/* The next character must not continue a possessive repeat of one set. */
static uint32_t possessive_guard(struct builder *b, const struct node *n, uint32_t next)
{
	uint32_t guard = add(b, POSITION_NEXT, next);

	b->p->v[guard].set = set_index(b, n->repeat.body->set);
	b->p->v[guard].negative = true;
	return guard;
}

static uint32_t compile_counted(struct builder *b, const struct node *n, uint32_t next)
{
	uint32_t min = n->repeat.min, max = n->repeat.max, guarded = next, at;

	if (n->repeat.mode == REPEAT_POSSESSIVE && n->repeat.body->kind == NODE_SET)
		guarded = possessive_guard(b, n, next);
	else if (n->repeat.mode == REPEAT_POSSESSIVE)
		guarded = next = unsure(b, next);
	if (max == REPEAT_FOREVER) {
		at = compile_forever(b, n, guarded, min > 0);
		min -= min > 0;
	} else {
		at = next;
		for (uint32_t i = min; i < max && !b->p->too_large; i++) {
			uint32_t split = add_split(b, 2);

			set_repeat(b, split, n, compile_iteration(b, n, at, next, true), guarded);
			at = split;
		}
	}
	for (uint32_t i = 0; i < min && !b->p->too_large; i++) {
		uint32_t before = at;

		at = compile(b, n->repeat.body, at);
		if (at == before)
			break; /* an empty body, however often */
	}
	return at;
}

/*
 * A count taken as unlimited.  When the body may be empty, which of the copies
 * are is a choice too: two ways into the body stand for that.
 */
static uint32_t compile_relaxed(struct builder *b, const struct node *n, uint32_t next)
{
	struct node unlimited = *n;
	uint32_t split, body;

	b->p->relaxed = true;
	unlimited.repeat.min = n->repeat.min > 0;
	unlimited.repeat.max = REPEAT_FOREVER;
	if (n->repeat.body->width.min > 0)
		return compile_counted(b, &unlimited, next);
	split = add_split(b, 3);
	body = compile_iteration(b, n, split, next, true);
	set_alternative(b, split, 0, body);
	set_alternative(b, split, 1, body);
	set_alternative(b, split, 2, next);
	return split;
}

static uint32_t compile_repeat(struct builder *b, const struct node *n, uint32_t next)
{
	uint32_t copies = n->repeat.max == REPEAT_FOREVER ? n->repeat.min : n->repeat.max;

	if (n->repeat.max == 0)
		return next;
	if (copies > b->p->copies)
		b->p->copies = copies;
	return copies > b->relax && copies > 1 ? compile_relaxed(b, n, next)
					       : compile_counted(b, n, next);
}

/* A look-ahead as an automaton of its own. */
static uint32_t compile_look_ahead(struct builder *b, const struct node *n, uint32_t next)
{
	struct positions *p = b->p;
	uint32_t index = (uint32_t)p->n_looks, outer_height = b->height, first, at, accept;
	bool outer_unsure = b->unsure;

	ARRAY_GROW(p->looks, p->n_looks, p->cap_looks);
	p->looks[p->n_looks++] = (struct look){ 0 };
	b->height = 0;
	b->unsure = false;
	first = (uint32_t)p->n;
	accept = add(b, POSITION_ACCEPT, POSITION_NONE);
	at = compile(b, n->look.body, accept);
	for (size_t i = first; i < p->n; i++)
		if (p->v[i].height == 0)
			p->v[i].height = b->height + 1;
	p->looks[index].entry = at;
	p->looks[index].unsure = b->unsure;
	b->height = b->height + 1 > outer_height ? b->height + 1 : outer_height;
	b->unsure |= outer_unsure;
	at = add(b, POSITION_LOOK, next);
	p->v[at].list = index;
	p->v[at].negative = n->look.negative;
	return at;
}

static uint32_t compile_look_behind(struct builder *b, const struct node *n, uint32_t next)
{
	struct positions *p = b->p;
	uint32_t relax = b->relax, accept = add(b, POSITION_ACCEPT, POSITION_NONE), at;

	p->v[accept].list = (uint32_t)p->n_behinds;
	b->relax = UINT32_MAX;
	at = compile(b, n->look.body, accept);
	b->relax = relax;
	p->behinds[p->n_behinds] = at;
	at = add(b, POSITION_BEHIND, next);
	p->v[at].list = (uint32_t)p->n_behinds++;
	p->v[at].negative = n->look.negative;
	return at;
}

/* Makes the alphabet tell the characters of a look-behind apart, for those who search in it. */
static void note_sets(struct builder *b, const struct node *n)
{
	switch (n->kind) {
	case NODE_SET:
		set_index(b, n->set);
		break;
	case NODE_SEQUENCE:
	case NODE_CHOICE:
		for (uint32_t i = 0; i < n->list.n; i++)
			note_sets(b, n->list.items[i]);
		break;
	case NODE_CAPTURE:
	case NODE_ATOMIC:
		note_sets(b, n->part.body);
		break;
	case NODE_REPEAT:
		note_sets(b, n->repeat.body);
		break;
	case NODE_LOOK:
		note_sets(b, n->look.body);
		break;
	default:
		break;
	}
}

static uint32_t compile_look(struct builder *b, const struct node *n, uint32_t next)
{
	const struct charset *set = node_single_set(n->look.body, b->arena);
	uint32_t at;

	if (set) {
		at = add(b, n->look.behind ? POSITION_PREVIOUS : POSITION_NEXT, next);
		b->p->v[at].set = set_index(b, set);
		b->p->v[at].negative = n->look.negative;
		return at;
	}
	if (!n->look.behind)
		return compile_look_ahead(b, n, next);
	b->p->hidden |= n->look.body->width.max > HIDDEN_WIDTH;
	if (node_reads_forwards(n->look.body, BEHIND_COUNT_MAX) && b->p->n_behinds < 64)
		return compile_look_behind(b, n, next);
	note_sets(b, n->look.body);
	return unsure(b, next);
}

/* In JavaScript a group is not set while inside it, and a reference to it takes nothing. */
static bool is_unset(const struct builder *b, const struct node *n)
{
	if (b->syntax->engine != REGEX_V8)
		return false;
	for (uint32_t i = 0; i < n->backreference.n; i++)
		if (!b->inside[n->backreference.groups[i]])
			return false;
	return true;
}

/*
 * A copy of the group's body, or nothing.  References inside that copy are
 * nothing, which keeps the copies from growing without end.
 */
static uint32_t compile_reference(struct builder *b, const struct node *n, uint32_t next)
{
	uint32_t split, at;

	if (is_unset(b, n))
		return next;
	at = unsure(b, next);
	if (b->copies)
		return at;
	b->copies++;
	split = add_split(b, n->backreference.n + 1);
	set_alternative(b, split, n->backreference.n, at);
	for (uint32_t i = 0; i < n->backreference.n; i++) {
		const struct node *body = b->groups[n->backreference.groups[i]];

		set_alternative(b, split, i, body ? unsure(b, compile(b, body, at)) : at);
	}
	b->copies--;
	return split;
}

/* A look-ahead that costs nothing, built by hand: its body begins at first. */
static uint32_t add_free_look(struct builder *b, uint32_t entry, uint32_t first, uint32_t next)
{
	struct positions *p = b->p;
	uint32_t at;

	for (size_t i = first; i < p->n; i++)
		p->v[i].height = 1;
	ARRAY_GROW(p->looks, p->n_looks, p->cap_looks);
	p->looks[p->n_looks] = (struct look){ .entry = entry, .free = true };
	at = add(b, POSITION_LOOK, next);
	p->v[at].list = (uint32_t)p->n_looks++;
	b->height = b->height ? b->height : 1;
	return at;
}

/* The $ of PCRE2 and Python is (?=\n?\z). */
static uint32_t compile_end_newline(struct builder *b, const struct charset *newline, uint32_t next)
{
	uint32_t accept = add(b, POSITION_ACCEPT, POSITION_NONE), end, split;

	end = add(b, POSITION_ASSERT, accept);
	b->p->v[end].assertion = ASSERT_END;
	b->p->v[end].set = set_index(b, newline);
	split = add_split(b, 2);
	set_alternative(b, split, 0, add_set(b, newline, end));
	set_alternative(b, split, 1, end);
	return add_free_look(b, split, accept, next);
}

static uint32_t compile_assertion(struct builder *b, const struct node *n, uint32_t next)
{
	uint32_t at;

	if (n->assertion.kind == ASSERT_END_NEWLINE)
		return compile_end_newline(b, n->assertion.set, next);
	at = add(b, POSITION_ASSERT, next);
	b->p->v[at].assertion = n->assertion.kind;
	b->p->v[at].set = set_index(b, n->assertion.set);
	return at;
}

static uint32_t compile_condition(struct builder *b, const struct node *n, uint32_t next)
{
	uint32_t split = add_split(b, 2), at = unsure(b, next);

	set_alternative(b, split, 0, compile(b, n->part.body, at));
	set_alternative(b, split, 1, compile(b, n->part.otherwise, at));
	return split;
}

static uint32_t compile(struct builder *b, const struct node *n, uint32_t next)
{
	uint32_t at = next;

	if (b->p->too_large)
		return next;
	switch (n->kind) {
	case NODE_EMPTY:
		return next;
	case NODE_SET:
		at = add_set(b, n->set, next);
		b->p->v[at].from = n;
		return at;
	case NODE_SEQUENCE:
		for (uint32_t i = n->list.n; i > 0; i--)
			at = compile(b, n->list.items[i - 1], at);
		return at;
	case NODE_CHOICE:
		return compile_choice(b, n, next);
	case NODE_CAPTURE:
		b->inside[n->part.group]++;
		at = compile(b, n->part.body, next);
		b->inside[n->part.group]--;
		return at;
	case NODE_ATOMIC:
		return compile(b, n->part.body, unsure(b, next));
	case NODE_REPEAT:
		return compile_repeat(b, n, next);
	case NODE_BACKREFERENCE:
		return compile_reference(b, n, next);
	case NODE_ASSERTION:
		return compile_assertion(b, n, next);
	case NODE_LOOK:
		return compile_look(b, n, next);
	case NODE_CONDITION:
		return compile_condition(b, n, next);
	}
	return next;
}

/* "A required character is ahead", as PCRE2 checks before it tries a position. */
static uint32_t require(struct builder *b, const struct charset *required,
			const struct charset *any, uint32_t next)
{
	uint32_t accept = add(b, POSITION_ACCEPT, POSITION_NONE), split = add_split(b, 2);

	set_alternative(b, split, 0, add_set(b, required, accept));
	set_alternative(b, split, 1, add_set(b, any, split));
	return add_free_look(b, split, accept, next);
}

/* "No more than so many characters are left". */
static uint32_t near_end(struct builder *b, uint32_t characters, const struct charset *any,
			 uint32_t next)
{
	uint32_t accept = add(b, POSITION_ACCEPT, POSITION_NONE);
	uint32_t end = add(b, POSITION_ASSERT, accept), at = end;

	b->p->v[end].assertion = ASSERT_END;
	b->p->v[end].set = set_index(b, any);
	for (uint32_t i = 0; i < characters; i++) {
		uint32_t split = add_split(b, 2);

		set_alternative(b, split, 0, add_set(b, any, at));
		set_alternative(b, split, 1, end);
		at = split;
	}
	return add_free_look(b, at, accept, next);
}

/* Puts what the engine does before a match around its entry. */
static void add_search(struct builder *b, const struct prefilter *filter)
{
	struct positions *p = b->p;
	static const struct charset none;
	const struct charset *any = charset_invert(&none, b->syntax->max_char, b->arena);
	uint32_t at = p->entry;

	if (filter->required)
		at = require(b, filter->required, any, at);
	if (filter->from_end <= NEAR_END_MAX)
		at = near_end(b, filter->from_end, any, at);
	if (filter->line_starts) {
		at = add(b, POSITION_ASSERT, at);
		p->v[at].assertion = ASSERT_LINE_START;
		p->v[at].set = set_index(b, charset_single('\n', b->arena));
	}
	p->entry = at;
	p->search = POSITION_NONE;
	if (filter->anchored)
		return;
	p->search = add_split(b, 2);
	set_alternative(b, p->search, 0, at);
	set_alternative(b, p->search, 1, add_set(b, any, p->search));
}

void positions_build(struct positions *p, const struct syntax *syntax,
		     const struct prefilter *filter, uint32_t relax, struct arena *a)
{
	struct builder b = { .p = p, .syntax = syntax, .arena = a, .relax = relax };
	uint32_t accept;

	*p = (struct positions){ 0 };
	b.groups = arena_alloc(a, syntax->groups * sizeof(*b.groups));
	b.inside = arena_alloc(a, syntax->groups * sizeof(*b.inside));
	node_groups(syntax->root, b.groups);
	accept = add(&b, POSITION_ACCEPT, POSITION_NONE);
	p->entry = compile(&b, syntax->root, accept);
	add_search(&b, filter);
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].height == 0)
			p->v[i].height = b.height + 1;
}

void positions_free(struct positions *p)
{
	free(p->v);
	free(p->lists);
	free(p->looks);
	free(p->sets);
	free(p->set_slots);
	*p = (struct positions){ 0 };
}
