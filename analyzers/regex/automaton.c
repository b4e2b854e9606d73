#include "analyzers/regex/automaton.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/regex/context.h"

enum { VISITS_MAX = 8 }; /* of one position in one closure: more ways there than two are as two */

/* Iterations that began and have taken nothing yet. */
struct mark {
	const struct mark *outer;
	uint32_t repeat;
};

/* A place that a closure still has to look at. */
struct place {
	uint32_t position, scope;
	const uint64_t *mask; /* what the next symbol may be; NULL: anything */
	const struct condition *conditions;
	const struct mark *marks;
	bool unsure;
};

struct closer {
	struct automaton *m;
	struct positions *p;
	struct arena *arena;
	struct contexts contexts;
	bool *sensitive; /* by position: contexts matter there */
	uint32_t *ids;   /* state + 1 by position and context */

	struct place *stack;
	size_t n_stack, cap_stack;
	uint8_t *visits;   /* by position, in this closure */
	uint32_t *visited; /* positions with visits */
	size_t n_visited, cap_visited;
	uint32_t *counts;   /* by symbol */
	struct edge *found; /* of this closure, in order */
	size_t n_found, cap_found;
	uint32_t scopes, work;
};

static const uint64_t *mask_of(const struct closer *c, uint32_t set)
{
	return c->m->alphabet.masks[set];
}

/* The alternatives of a split, or the one place that follows. */
static uint32_t n_followers(const struct position *at)
{
	return at->kind == POSITION_SPLIT ? at->n : at->kind == POSITION_END ? 2 : 1;
}

static uint32_t follower(const struct positions *p, const struct position *at, uint32_t i)
{
	if (at->kind == POSITION_SPLIT)
		return p->lists[at->list + i];
	return i ? at->leave : at->next;
}

static bool asks_context(const struct position *at)
{
	return at->kind == POSITION_PREVIOUS || at->kind == POSITION_BEHIND ||
	       (at->kind == POSITION_ASSERT &&
		(at->assertion == ASSERT_START || at->assertion == ASSERT_LINE_START ||
		 at->assertion == ASSERT_WORD || at->assertion == ASSERT_NOT_WORD));
}

/* A look-behind may ask for more than the last character: then contexts are carried along. */
static bool is_sensitive(const struct closer *c, const struct position *at)
{
	if (asks_context(at))
		return true;
	if (at->kind == POSITION_LOOK && c->sensitive[c->p->looks[at->list].entry])
		return true;
	if (at->kind == POSITION_ACCEPT || (at->kind == POSITION_SET && !c->p->n_behinds))
		return false;
	for (uint32_t i = 0; i < n_followers(at); i++) {
		uint32_t to = follower(c->p, at, i);

		if (to != POSITION_NONE && c->sensitive[to])
			return true;
	}
	return false;
}

/* Finds the positions for which it matters what came before. */
static void find_sensitive(struct closer *c)
{
	bool changed;

	c->sensitive = arena_alloc(c->arena, c->p->n);
	do {
		changed = false;
		for (size_t i = 0; i < c->p->n; i++) {
			if (!c->sensitive[i] && is_sensitive(c, &c->p->v[i])) {
				c->sensitive[i] = true;
				changed = true;
			}
		}
	} while (changed);
}

static uint32_t state_id(struct closer *c, uint32_t position, uint32_t context)
{
	struct automaton *m = c->m;
	uint32_t *id;

	if (!c->sensitive[position])
		context = 0;
	id = &c->ids[position * c->contexts.n + context];

	if (!*id) {
		ARRAY_GROW(m->states, m->n_states, m->cap_states);
		m->states[m->n_states] = (struct state){
			.position = position,
			.context = context,
			.height = c->p->v[position].height,
		};
		*id = (uint32_t)++m->n_states;
	}
	return *id - 1;
}

static void push_place(struct closer *c, const struct place *f, uint32_t position)
{
	if (position == POSITION_NONE)
		return;
	ARRAY_GROW(c->stack, c->n_stack, c->cap_stack);
	c->stack[c->n_stack] = *f;
	c->stack[c->n_stack++].position = position;
}

/* Narrows what the next symbol may be; false: nothing is left. */
static bool narrow(struct closer *c, struct place *f, const uint64_t *mask, bool negative)
{
	uint32_t words = c->m->alphabet.words;
	uint64_t *to = arena_alloc(c->arena, words * sizeof(*to));

	for (uint32_t i = 0; i < words; i++)
		to[i] = (negative ? ~mask[i] : mask[i]) & (f->mask ? f->mask[i] : ~0ull);
	f->mask = to;
	return bits_next(to, words, 0) <= c->m->alphabet.end;
}

static bool narrow_to_end(struct closer *c, struct place *f, const uint64_t *or_mask)
{
	uint64_t *end = arena_alloc(c->arena, c->m->alphabet.words * sizeof(*end));

	if (or_mask)
		memcpy(end, or_mask, c->m->alphabet.words * sizeof(*end));
	bits_set(end, c->m->alphabet.end);
	return narrow(c, f, end, false);
}

static bool assertion_holds(struct closer *c, struct place *f, const struct position *at,
			    uint32_t context)
{
	const uint64_t *mask = mask_of(c, at->set);
	bool before;

	switch (at->assertion) {
	case ASSERT_START:
		return context == 0;
	case ASSERT_LINE_START:
		return context == 0 || contexts_was_in(&c->contexts, context, at->set);
	case ASSERT_END:
		return narrow_to_end(c, f, NULL);
	case ASSERT_END_NEWLINE: /* was taken apart */
	case ASSERT_LINE_END:
		return narrow_to_end(c, f, mask);
	case ASSERT_WORD:
	case ASSERT_NOT_WORD:
		before = contexts_was_in(&c->contexts, context, at->set);
		return narrow(c, f, mask, before == (at->assertion == ASSERT_WORD));
	}
	return false;
}

/* The look-ahead's own ways are tried first, then what follows it, if it allows. */
static void enter_look(struct closer *c, struct place *f, const struct position *at,
		       uint32_t context)
{
	const struct look *look = &c->p->looks[at->list];
	struct condition *condition = arena_alloc(c->arena, sizeof(*condition));
	struct place body = *f;

	*condition = (struct condition){
		.next = f->conditions,
		.state = state_id(c, look->entry, context),
		.negative = at->negative,
		.unsure = look->unsure,
	};
	body.scope = ++c->scopes;
	f->conditions = condition;
	f->unsure |= look->unsure;
	push_place(c, f, at->next);
	if (!look->free)
		push_place(c, &body, look->entry);
}

static bool is_marked(const struct mark *marks, uint32_t repeat)
{
	for (; marks; marks = marks->outer)
		if (marks->repeat == repeat)
			return true;
	return false;
}

static void enter_repeat(struct closer *c, struct place *f, const struct position *at)
{
	struct mark *mark = arena_alloc(c->arena, sizeof(*mark));

	*mark = (struct mark){ f->marks, at->list };
	f->marks = mark;
	push_place(c, f, at->next);
}

static uint32_t add_entry(struct closer *c, const struct place *f, const struct position *at)
{
	struct automaton *m = c->m;

	ARRAY_GROW(m->entries, m->n_entries, m->cap_entries);
	m->entries[m->n_entries] = (struct entry){
		.conditions = f->conditions,
		.from = at->from,
		.scope = f->scope,
		.unsure = f->unsure,
	};
	m->unsure |= f->unsure;
	return (uint32_t)m->n_entries++;
}

static void add_edge(struct closer *c, uint32_t symbol, uint32_t target, uint32_t entry)
{
	ARRAY_GROW(c->found, c->n_found, c->cap_found);
	c->found[c->n_found++] = (struct edge){ symbol, target, entry };
	c->counts[symbol]++;
}

static void accept(struct closer *c, const struct place *f, const struct position *at)
{
	uint32_t entry = add_entry(c, f, at);

	for (uint32_t s = 0; s <= c->m->alphabet.end; s++)
		if (!f->mask || bits_has(f->mask, s))
			add_edge(c, s, STATE_ACCEPT, entry);
}

static void take(struct closer *c, const struct place *f, const struct position *at,
		 uint32_t context)
{
	const uint64_t *mask = mask_of(c, at->set);
	uint32_t words = c->m->alphabet.words, entry = add_entry(c, f, at);
	const uint32_t *after = c->contexts.next + (size_t)context * c->contexts.symbols;

	for (uint32_t s = bits_next(mask, words, 0); s != UINT32_MAX;
	     s = bits_next(mask, words, s + 1))
		if (!f->mask || bits_has(f->mask, s))
			add_edge(c, s, state_id(c, at->next, after[s]), entry);
}

/* Looks at one position. */
static void visit(struct closer *c, struct place *f, uint32_t context)
{
	const struct position *at = &c->p->v[f->position];
	bool holds;

	switch (at->kind) {
	case POSITION_SET:
		take(c, f, at, context);
		break;
	case POSITION_ACCEPT:
		accept(c, f, at);
		break;
	case POSITION_SPLIT:
		for (uint32_t i = at->n; i > 0; i--)
			push_place(c, f, c->p->lists[at->list + i - 1]);
		break;
	case POSITION_ASSERT:
		if (assertion_holds(c, f, at, context))
			push_place(c, f, at->next);
		break;
	case POSITION_NEXT:
		if (narrow(c, f, mask_of(c, at->set), at->negative))
			push_place(c, f, at->next);
		break;
	case POSITION_PREVIOUS:
		holds = contexts_was_in(&c->contexts, context, at->set);
		if (holds != at->negative)
			push_place(c, f, at->next);
		break;
	case POSITION_BEHIND:
		holds = c->contexts.behind[context] >> at->list & 1;
		if (holds != at->negative)
			push_place(c, f, at->next);
		break;
	case POSITION_LOOK:
		enter_look(c, f, at, context);
		break;
	case POSITION_UNSURE:
		f->unsure = true;
		push_place(c, f, at->next);
		break;
	case POSITION_BEGIN:
		enter_repeat(c, f, at);
		break;
	case POSITION_END:
		push_place(c, f, is_marked(f->marks, at->list) ? at->leave : at->next);
		break;
	}
}

/* Sorts what was found by symbol, keeping the order, into the automaton. */
static void store_edges(struct closer *c, struct state *s)
{
	struct automaton *m = c->m;
	uint32_t at = 0, symbols = m->alphabet.n;

	s->first = (uint32_t)m->n_edges;
	s->n = (uint32_t)c->n_found;
	while (m->n_edges + c->n_found > m->cap_edges)
		m->edges = array_grow(m->edges, &m->cap_edges, sizeof(*m->edges));
	for (uint32_t i = 0; i < symbols; i++) {
		uint32_t n = c->counts[i];

		c->counts[i] = at;
		at += n;
	}
	for (size_t i = 0; i < c->n_found; i++)
		m->edges[s->first + c->counts[c->found[i].symbol]++] = c->found[i];
	memset(c->counts, 0, symbols * sizeof(*c->counts));
	m->n_edges += c->n_found;
	c->n_found = 0;
}

static void close_state(struct closer *c, uint32_t state)
{
	uint32_t position = c->m->states[state].position, context = c->m->states[state].context;
	struct place first = { 0 };

	c->scopes = 0;
	push_place(c, &first, position);
	while (c->n_stack) {
		struct place f = c->stack[--c->n_stack];

		if (c->visits[f.position] == VISITS_MAX)
			continue;
		if (c->visits[f.position]++ == 0) {
			ARRAY_GROW(c->visited, c->n_visited, c->cap_visited);
			c->visited[c->n_visited++] = f.position;
		}
		c->work++;
		visit(c, &f, context);
	}
	while (c->n_visited)
		c->visits[c->visited[--c->n_visited]] = 0;
	store_edges(c, &c->m->states[state]);
}

static const char *close_all(struct closer *c)
{
	struct automaton *m = c->m;
	struct positions *p = c->p;

	m->search = p->search;
	m->height = p->v[p->entry].height;
	c->ids = xcalloc(p->n * c->contexts.n, sizeof(*c->ids));
	c->visits = xcalloc(p->n, 1);
	c->counts = xcalloc(m->alphabet.n, sizeof(*c->counts));
	m->start = state_id(c, p->search != POSITION_NONE ? p->search : p->entry, 0);
	for (uint32_t s = 0; s < m->n_states; s++) {
		close_state(c, s);
		if (m->n_states > STATES_MAX)
			return "too large: too many states";
		if (m->n_edges > EDGES_MAX || c->work > CLOSURE_MAX)
			return "too large: too many transitions";
	}
	return NULL;
}

static const char *build(struct automaton *m, struct positions *p, const struct syntax *syntax,
			 struct arena *a)
{
	struct closer c = { .m = m, .p = p, .arena = a };
	const char *too_large;

	if (p->too_large)
		return "too large: too many positions";
	if (!alphabet_init(&m->alphabet, p->sets, (uint32_t)p->n_sets, syntax->max_char, a))
		return "too large: too many kinds of characters";
	if (!contexts_build(&c.contexts, p, &m->alphabet, a))
		return "too large: too many assertions";
	find_sensitive(&c);
	too_large = close_all(&c);
	free(c.ids);
	free(c.stack);
	free(c.visits);
	free(c.visited);
	free(c.counts);
	free(c.found);
	return too_large;
}

void automaton_build(struct automaton *m, const struct syntax *syntax,
		     const struct prefilter *filter, uint32_t relax, struct arena *a)
{
	struct positions p;

	*m = (struct automaton){ 0 };
	positions_build(&p, syntax, filter, relax, a);
	m->relaxed = p.relaxed;
	m->hidden = p.hidden;
	m->copies = p.copies;
	m->too_large = build(m, &p, syntax, a);
	positions_free(&p);
}

uint32_t automaton_first_edge(const struct automaton *m, const struct state *s, uint32_t symbol)
{
	uint32_t lo = s->first, hi = s->first + s->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (m->edges[mid].symbol < symbol)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void automaton_free(struct automaton *m)
{
	free(m->states);
	free(m->edges);
	free(m->entries);
	*m = (struct automaton){ 0 };
}
