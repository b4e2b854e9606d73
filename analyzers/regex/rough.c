#include "analyzers/regex/rough.h"

#include <string.h>

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

struct builder {
	struct rough *r;
	const struct automaton *m;
	const bool *sure; /* by state: it matches whatever comes */
	uint32_t *copy;   /* by state: its node among those that fail, or 0 */
	uint32_t n_nodes;
};

/* Is there another way on by the symbol of edge i, tried after it? */
static bool has_later(const struct automaton *m, const struct state *s, uint32_t i)
{
	uint32_t end = s->first + s->n;

	for (uint32_t k = i + 1; k < end && m->edges[k].symbol == m->edges[i].symbol; k++)
		if (m->edges[k].target != STATE_ACCEPT)
			return true;
	return false;
}

/* Can a path go on by edge i of the node to fail in a component that was split? */
static bool may_fail(const struct builder *b, uint32_t node, uint32_t i)
{
	const uint32_t *groups = b->r->groups, target = b->m->edges[i].target;

	/* On the one path inside, an edge either stays on it or fails before it. */
	if (node < b->m->n_states && groups[node] == groups[target])
		return b->copy[target] && has_later(b->m, &b->m->states[node], i);
	return b->copy[target];
}

/* The arcs of a node: what may be tried before something surely matches. */
static void add_arcs(struct builder *b, uint32_t node)
{
	const struct state *s = &b->m->states[b->r->states[node]];
	bool fails = node >= b->m->n_states;
	uint32_t won = UINT32_MAX; /* symbol for which all is said */

	for (uint32_t i = s->first; i < s->first + s->n; i++) {
		const struct edge *e = &b->m->edges[i];

		if (e->symbol == won)
			continue;
		if (e->target != STATE_ACCEPT) {
			if (!fails || !b->r->winning[e->target])
				graph_add_arc(&b->r->graph, e->symbol, e->target);
			if (may_fail(b, node, i))
				graph_add_arc(&b->r->graph, e->symbol, b->copy[e->target]);
		}
		if (wins(b->m, b->sure, e))
			won = e->symbol;
	}
	graph_end_node(&b->r->graph);
}

static void add_nodes(struct builder *b)
{
	graph_init(&b->r->graph, b->m->alphabet.n);
	for (uint32_t node = 0; node < b->n_nodes; node++)
		add_arcs(b, node);
	graph_components(&b->r->graph);
}

/* Is there an arc of the component between states that do not win? */
static bool fails_within(const struct rough *r, uint32_t component)
{
	const struct graph *g = &r->graph;

	for (uint32_t m = g->first_member[component]; m < g->first_member[component + 1]; m++) {
		uint32_t s = g->members[m];

		for (uint32_t i = g->first[s]; i < g->first[s + 1] && !r->winning[s]; i++)
			if (g->component[g->arcs[i].target] == component &&
			    !r->winning[g->arcs[i].target])
				return true;
	}
	return false;
}

/* Copies the states of the component that do not win; the rest of it is on the one path then. */
static void split_component(struct builder *b, uint32_t component)
{
	const struct graph *g = &b->r->graph;

	for (uint32_t m = g->first_member[component]; m < g->first_member[component + 1]; m++) {
		uint32_t s = g->members[m];

		if (!b->r->winning[s]) {
			b->r->states[b->n_nodes] = s;
			b->copy[s] = b->n_nodes++;
		}
		b->r->winning[s] = true;
	}
}

/* True: some component was split. */
static bool split_components(struct builder *b)
{
	const struct graph *g = &b->r->graph;

	for (uint32_t c = 0; c < g->n_components; c++) {
		bool some = false;

		for (uint32_t m = g->first_member[c]; m < g->first_member[c + 1]; m++)
			some |= b->r->winning[g->members[m]];
		if (some && fails_within(b->r, c))
			split_component(b, c);
	}
	return b->n_nodes > b->m->n_states;
}

void rough_build(struct rough *r, const struct automaton *m, struct arena *a)
{
	uint32_t n = (uint32_t)m->n_states;
	struct builder b = { .r = r, .m = m, .n_nodes = n };

	b.sure = find_winning(m, a);
	b.copy = arena_alloc(a, n * sizeof(*b.copy));
	r->groups = arena_alloc(a, n * sizeof(*r->groups));
	r->states = arena_alloc(a, 2 * (size_t)n * sizeof(*r->states));
	r->searches = arena_alloc(a, 2 * (size_t)n);
	r->winning = arena_alloc(a, 2 * (size_t)n);
	for (uint32_t s = 0; s < n; s++) {
		r->states[s] = s;
		r->searches[s] = automaton_searches(m, s);
		/* When a look-ahead matches, what follows it can still fail. */
		r->winning[s] = b.sure[s] && m->states[s].height == m->height;
	}
	add_nodes(&b);
	memcpy(r->groups, r->graph.component, n * sizeof(*r->groups));
	r->split = split_components(&b);
	if (r->split) {
		graph_free(&r->graph);
		add_nodes(&b);
	}
}
