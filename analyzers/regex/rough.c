#include "analyzers/regex/rough.h"

/* Does the edge surely lead to a match, whatever comes? */
static bool wins(const struct automaton *m, const bool *winning, const struct edge *e)
{
	const struct entry *entry = &m->entries[e->entry];

	return entry->scope == 0 && !entry->conditions && !entry->unsure &&
	       (e->target == STATE_ACCEPT || winning[e->target]);
}

/* Does it match whatever the next symbol is, given the states known to? */
static bool always_wins(const struct automaton *m, const bool *winning, const struct state *s)
{
	uint32_t symbol = 0;

	for (uint32_t i = s->first; i < s->first + s->n && m->edges[i].symbol <= symbol; i++)
		if (m->edges[i].symbol == symbol && wins(m, winning, &m->edges[i]))
			symbol++;
	return symbol == m->alphabet.n;
}

static bool *find_winning(const struct automaton *m, struct arena *a)
{
	bool *winning = arena_alloc(a, m->n_states), changed;

	do {
		changed = false;
		for (size_t s = 0; s < m->n_states; s++) {
			if (!winning[s] && always_wins(m, winning, &m->states[s]))
				changed = winning[s] = true;
		}
	} while (changed);
	return winning;
}

/* The arcs of a state: what may be tried before something surely matches. */
static void add_arcs(struct rough *r, const struct automaton *m, const struct state *s)
{
	uint32_t won = UINT32_MAX; /* symbol for which all is said */

	for (uint32_t i = s->first; i < s->first + s->n; i++) {
		const struct edge *e = &m->edges[i];

		if (e->symbol == won)
			continue;
		if (e->target != STATE_ACCEPT)
			graph_add_arc(&r->graph, e->symbol, e->target);
		if (wins(m, r->winning, e))
			won = e->symbol;
	}
	graph_end_node(&r->graph);
}

void rough_build(struct rough *r, const struct automaton *m, struct arena *a)
{
	r->searches = arena_alloc(a, m->n_states);
	r->winning = find_winning(m, a);
	graph_init(&r->graph, m->alphabet.n);
	for (uint32_t s = 0; s < m->n_states; s++) {
		r->searches[s] = automaton_searches(m, s);
		add_arcs(r, m, &m->states[s]);
	}
	graph_components(&r->graph);
	/* When a look-ahead matches, what follows it can still fail. */
	for (uint32_t s = 0; s < m->n_states; s++)
		r->winning[s] &= m->states[s].height == m->height;
}
