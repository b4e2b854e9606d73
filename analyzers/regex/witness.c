#include "analyzers/regex/witness.h"

#include <stdlib.h>
#include <string.h>

enum {
	ESCAPES_MAX = 120,   /* sets of states looked at for suffixes */
	ESCAPES_ENOUGH = 24, /* once there is one suffix */
	SETTLE = 3,          /* pumps after which the set of states no longer changes, mostly */
};

static struct units spell(struct units symbols, const struct alphabet *alphabet, struct arena *a)
{
	uint32_t *v = arena_alloc(a, ((size_t)symbols.n + 1) * sizeof(*v));

	for (uint32_t i = 0; i < symbols.n; i++)
		v[i] = alphabet->sample[symbols.v[i]];
	return (struct units){ v, symbols.n };
}

/* Until here an attack was made of symbols. */
static void spell_attack(struct attack *attack, const struct alphabet *alphabet, struct arena *a)
{
	for (uint32_t i = 0; i < attack->n; i++) {
		attack->pumps[i].prefix = spell(attack->pumps[i].prefix, alphabet, a);
		attack->pumps[i].pump = spell(attack->pumps[i].pump, alphabet, a);
	}
	attack->suffix = spell(attack->suffix, alphabet, a);
}

/* A label is a symbol times `unit`, and something less. */
static struct units symbols_of(const struct word *word, uint32_t unit, struct arena *a)
{
	uint32_t *v = arena_alloc(a, ((size_t)word->n + 1) * sizeof(*v));

	for (uint32_t i = 0; i < word->n; i++)
		v[i] = word->labels[i] / unit;
	return (struct units){ v, word->n };
}

/* All but the suffix; way leads to the first pump. */
static void follow_pumps(struct pumping along, struct word way, struct attack *out, struct arena *a)
{
	const struct pump *pumps = along.pumps;

	out->n = along.n < ATTACK_PUMPS_MAX ? along.n : ATTACK_PUMPS_MAX;
	for (uint32_t i = 0; i < out->n; i++) {
		if (i > 0)
			graph_path(along.graph, pumps[i - 1].to, pumps[i].from, &way, a);
		out->pumps[i].prefix = symbols_of(&way, along.unit, a);
		out->pumps[i].pump = symbols_of(&pumps[i].word, along.unit, a);
	}
}

/* A search through sets of states for a way to fail. */
struct escape {
	const struct automaton *m;
	struct arena *arena;
	uint32_t words, n;
	struct {
		uint64_t *states;
		uint32_t parent, symbol;
	} sets[ESCAPES_MAX];
};

/* Is it the match that succeeds here, and not a look-ahead? */
static bool is_match(const struct automaton *m, const struct state *s, const struct edge *edge)
{
	return edge->target == STATE_ACCEPT && s->height == m->height &&
	       m->entries[edge->entry].scope == 0;
}

/* The states after one more symbol; NULL: something matches before it. */
static uint64_t *after(const struct escape *e, const uint64_t *states, uint32_t symbol)
{
	const struct automaton *m = e->m;
	uint64_t *next = arena_alloc(e->arena, e->words * sizeof(*next));

	for (uint32_t s = bits_next(states, e->words, 0); s != UINT32_MAX;
	     s = bits_next(states, e->words, s + 1)) {
		const struct state *state = &m->states[s];
		uint32_t i = automaton_first_edge(m, state, symbol);

		for (; i < state->first + state->n && m->edges[i].symbol == symbol; i++) {
			if (is_match(m, state, &m->edges[i]))
				return NULL;
			if (m->edges[i].target != STATE_ACCEPT)
				bits_set(next, m->edges[i].target);
		}
	}
	return next;
}

static const uint64_t *after_word(const struct escape *e, const uint64_t *states, struct units word)
{
	for (uint32_t i = 0; i < word.n && states; i++)
		states = after(e, states, word.v[i]);
	return states;
}

/* The states that the pumps may lead to; NULL: there is a match on the way. */
static const uint64_t *after_pumps(const struct escape *e, const struct attack *attack)
{
	uint64_t *start = arena_alloc(e->arena, e->words * sizeof(*start));
	const uint64_t *states = start;

	bits_set(start, e->m->start);
	for (uint32_t i = 0; i < attack->n && states; i++) {
		states = after_word(e, states, attack->pumps[i].prefix);
		for (int k = 0; k < SETTLE && states; k++)
			states = after_word(e, states, attack->pumps[i].pump);
	}
	return states;
}

static void note_set(struct escape *e, uint64_t *states, uint32_t parent, uint32_t symbol)
{
	for (uint32_t i = 0; i < e->n; i++)
		if (memcmp(e->sets[i].states, states, e->words * sizeof(*states)) == 0)
			return;
	if (e->n == ESCAPES_MAX)
		return;
	e->sets[e->n].states = states;
	e->sets[e->n].parent = parent;
	e->sets[e->n++].symbol = symbol;
}

static struct units way_to(const struct escape *e, uint32_t set)
{
	uint32_t n = 0, *v;

	for (uint32_t i = set; i; i = e->sets[i].parent)
		n++;
	v = arena_alloc(e->arena, ((size_t)n + 1) * sizeof(*v));
	for (uint32_t i = set, at = n; i; i = e->sets[i].parent)
		v[--at] = e->sets[i].symbol;
	return (struct units){ v, n };
}

/* The shortest suffixes after which nothing can match, one for each set of states. */
static uint32_t find_suffixes(struct escape *e, const struct attack *attack,
			      struct units suffixes[SUFFIXES_MAX])
{
	const uint64_t *states = after_pumps(e, attack);
	uint32_t end = e->m->alphabet.end, found = 0;

	if (!states)
		return 0;
	note_set(e, (uint64_t *)states, 0, 0);
	for (uint32_t i = 0; i < e->n && found < SUFFIXES_MAX; i++) {
		if (found && i > ESCAPES_ENOUGH)
			break;
		if (after(e, e->sets[i].states, end))
			suffixes[found++] = way_to(e, i);
		for (uint32_t s = 0; s < end && e->n < ESCAPES_MAX; s++) {
			uint64_t *next = after(e, e->sets[i].states, s);

			if (next)
				note_set(e, next, i, s);
		}
	}
	return found;
}

uint32_t witness_rough(const struct automaton *m, struct pumping along, struct attack *out,
		       struct units suffixes[SUFFIXES_MAX], struct arena *a)
{
	struct escape *e = arena_alloc(a, sizeof(*e));
	struct word way;
	uint32_t found;

	*out = (struct attack){ 0 };
	if (!graph_path(along.graph, m->start, along.pumps[0].from, &way, a))
		return 0;
	follow_pumps(along, way, out, a);
	e->m = m;
	e->arena = a;
	e->words = bits_words((uint32_t)m->n_states);
	found = find_suffixes(e, out, suffixes);
	for (uint32_t i = 0; i < found; i++)
		suffixes[i] = spell(suffixes[i], &m->alphabet, a);
	spell_attack(out, &m->alphabet, a);
	return found;
}

/* The shortest rest after which exactly the states of the set match. */
static struct units future_of(const struct refined *r, uint32_t set, struct arena *a)
{
	uint32_t end = r->automaton->alphabet.end, n = 0, *v;

	for (uint32_t s = set; r->futures[s].symbol != end; s = r->futures[s].next)
		n++;
	v = arena_alloc(a, ((size_t)n + 1) * sizeof(*v));
	for (uint32_t i = 0; i < n; i++, set = r->futures[set].next)
		v[i] = r->futures[set].symbol;
	return (struct units){ v, n };
}

void witness_exact(const struct refined *r, const struct pump *pumps, uint32_t n,
		   struct attack *out, struct arena *a)
{
	const struct alphabet *alphabet = &r->automaton->alphabet;
	struct pumping along = { &r->graph, pumps, n, r->n_sets };
	struct word way = refined_way(r, pumps[0].from, a);

	*out = (struct attack){ 0 };
	follow_pumps(along, way, out, a);
	out->suffix = future_of(r, r->nodes[pumps[out->n - 1].to].set, a);
	spell_attack(out, alphabet, a);
}
