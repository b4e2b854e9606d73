#include "analyzers/regex/refine.h"

#include <stdlib.h>
#include <string.h>

#include "core/strings.h"

/* An edge with where it starts, sorted by symbol, then height. */
struct back_edge {
	uint32_t source, target;
	const struct entry *entry;
};

struct refiner {
	struct refined *r;
	const struct automaton *m;
	uint32_t symbols;
	struct back_edge *edges;
	uint32_t *first; /* by symbol, symbols + 1 */
	uint32_t *slots; /* hash table of set + 1 */
	uint32_t n_slots;
	uint64_t work;
	/* for each set and symbol, the sets that are before by that symbol, ascending */
	uint32_t *inverse, *first_inverse;
	uint32_t *ids;                 /* node + 1 by set and state */
	uint32_t closed[64], n_closed; /* scopes done with at one node and symbol */
};

static const uint64_t *set_at(const struct refined *r, uint32_t set)
{
	return r->sets + (size_t)set * r->words;
}

static bool conditions_hold(const struct condition *c, const uint64_t *set)
{
	for (; c; c = c->next)
		if (!c->unsure && bits_has(set, c->state) == c->negative)
			return false;
	return true;
}

/* Can what the edge leads to make the state match?  A look-ahead tried from it cannot. */
static bool decides(const struct automaton *m, const struct edge *e)
{
	const struct entry *entry = &m->entries[e->entry];

	return !entry->unsure && entry->scope == 0;
}

/* Puts the deciding edges of states of one height at the end of their symbols' lists. */
static void sort_height(struct refiner *f, uint32_t height, uint32_t *at)
{
	const struct automaton *m = f->m;

	for (uint32_t s = 0; s < m->n_states; s++) {
		const struct state *state = &m->states[s];

		if (state->height != height)
			continue;
		for (uint32_t i = state->first; i < state->first + state->n; i++) {
			const struct edge *e = &m->edges[i];

			if (decides(m, e))
				f->edges[at[e->symbol]++] =
					(struct back_edge){ s, e->target, &m->entries[e->entry] };
		}
	}
}

static void sort_edges(struct refiner *f)
{
	const struct automaton *m = f->m;
	uint32_t *at = xcalloc(f->symbols, sizeof(*at));

	f->edges = xcalloc(m->n_edges, sizeof(*f->edges));
	f->first = xcalloc((size_t)f->symbols + 1, sizeof(*f->first));
	for (size_t i = 0; i < m->n_edges; i++)
		if (decides(m, &m->edges[i]))
			f->first[m->edges[i].symbol + 1]++;
	for (uint32_t s = 0; s < f->symbols; s++) {
		f->first[s + 1] += f->first[s];
		at[s] = f->first[s];
	}
	for (uint32_t height = 0; height <= m->height; height++)
		sort_height(f, height, at);
	free(at);
}

static void grow_slots(struct refiner *f)
{
	struct refined *r = f->r;
	uint32_t n = f->n_slots ? 2 * f->n_slots : 64;

	free(f->slots);
	f->slots = xcalloc(n, sizeof(*f->slots));
	f->n_slots = n;
	for (uint32_t i = 0; i < r->n_sets; i++) {
		uint32_t slot = (uint32_t)hash_bytes(0, set_at(r, i), r->words * 8) & (n - 1);

		while (f->slots[slot])
			slot = (slot + 1) & (n - 1);
		f->slots[slot] = i + 1;
	}
}

/* The number of the set that was just written after the last one, new or known. */
static uint32_t intern_set(struct refiner *f, struct future how)
{
	struct refined *r = f->r;
	const uint64_t *set = set_at(r, r->n_sets);
	uint32_t slot;

	if (2 * (r->n_sets + 1) > f->n_slots)
		grow_slots(f);
	slot = (uint32_t)hash_bytes(0, set, r->words * 8) & (f->n_slots - 1);
	for (; f->slots[slot]; slot = (slot + 1) & (f->n_slots - 1))
		if (memcmp(set_at(r, f->slots[slot] - 1), set, r->words * 8) == 0)
			return f->slots[slot] - 1;
	ARRAY_GROW(r->futures, r->n_sets, r->cap_futures);
	r->futures[r->n_sets] = how;
	f->slots[slot] = ++r->n_sets;
	return r->n_sets - 1;
}

/* The states that surely match when `symbol` comes next and then what makes set `after`. */
static uint32_t set_before(struct refiner *f, uint32_t after, uint32_t symbol)
{
	struct refined *r = f->r;
	const uint64_t *then;
	uint64_t *set;

	while ((r->n_sets + 1ull) * r->words > r->cap_sets)
		r->sets = array_grow(r->sets, &r->cap_sets, sizeof(*r->sets));
	set = r->sets + (size_t)r->n_sets * r->words;
	then = set_at(r, after);
	memset(set, 0, r->words * sizeof(*set));
	for (uint32_t i = f->first[symbol]; i < f->first[symbol + 1]; i++) {
		const struct back_edge *e = &f->edges[i];

		if (e->target != STATE_ACCEPT && !bits_has(then, e->target))
			continue;
		if (!bits_has(set, e->source) && conditions_hold(e->entry->conditions, set))
			bits_set(set, e->source);
	}
	f->work += f->first[symbol + 1] - f->first[symbol] + r->words + 4;
	return intern_set(f, (struct future){ after, symbol });
}

static bool find_sets(struct refiner *f)
{
	struct refined *r = f->r;
	uint32_t end = f->m->alphabet.end;
	size_t cap = 0;

	/* After the end nothing can match any more: only what accepts there does. */
	set_before(f, 0, end);
	for (uint32_t set = 0; set < r->n_sets; set++) {
		while (((size_t)set + 1) * f->symbols > cap)
			r->before = array_grow(r->before, &cap, sizeof(*r->before));
		for (uint32_t s = 0; s < end; s++)
			r->before[(size_t)set * f->symbols + s] = set_before(f, set, s);
		if (f->work > REFINED_WORK_MAX || r->n_sets > REFINED_SETS_MAX)
			return false;
	}
	return true;
}

static void invert(struct refiner *f)
{
	struct refined *r = f->r;
	uint32_t end = f->m->alphabet.end;
	size_t slots = (size_t)r->n_sets * f->symbols;
	uint32_t *at = xcalloc(slots, sizeof(*at));

	f->first_inverse = xcalloc(slots + 1, sizeof(*f->first_inverse));
	f->inverse = xcalloc(slots, sizeof(*f->inverse));
	for (uint32_t set = 0; set < r->n_sets; set++)
		for (uint32_t s = 0; s < end; s++)
			f->first_inverse[r->before[set * f->symbols + s] * f->symbols + s + 1]++;
	for (size_t i = 0; i < slots; i++) {
		f->first_inverse[i + 1] += f->first_inverse[i];
		at[i] = f->first_inverse[i];
	}
	for (uint32_t set = 0; set < r->n_sets; set++)
		for (uint32_t s = 0; s < end; s++)
			f->inverse[at[r->before[set * f->symbols + s] * f->symbols + s]++] = set;
	free(at);
}

static bool is_closed(const struct refiner *f, uint32_t scope)
{
	for (uint32_t i = 0; i < f->n_closed; i++)
		if (f->closed[i] == scope)
			return true;
	return false;
}

static void close_scope(struct refiner *f, uint32_t scope)
{
	if (f->n_closed < 64)
		f->closed[f->n_closed++] = scope;
}

static uint32_t node_id(struct refiner *f, struct refined_node node)
{
	struct refined *r = f->r;
	uint32_t *id = &f->ids[(size_t)node.set * f->m->n_states + node.state];

	if (!*id) {
		ARRAY_GROW(r->nodes, r->n_nodes, r->cap_nodes);
		r->nodes[r->n_nodes] = node;
		*id = (uint32_t)++r->n_nodes;
	}
	return *id - 1;
}

/* What is tried on one symbol, edges[i] first, before the rest of set `next`: until it succeeds. */
static void add_arcs(struct refiner *f, uint32_t node, uint32_t i, uint32_t next)
{
	struct refined *r = f->r;
	const struct automaton *m = f->m;
	const struct state *state = &m->states[r->nodes[node].state];
	const uint64_t *here = set_at(r, r->nodes[node].set);
	uint32_t symbol = m->edges[i].symbol, label = symbol * r->n_sets + next;

	f->n_closed = 0;
	for (; i < state->first + state->n && m->edges[i].symbol == symbol; i++) {
		const struct edge *e = &m->edges[i];
		const struct entry *entry = &m->entries[e->entry];
		bool succeeds = e->target == STATE_ACCEPT;

		if (is_closed(f, entry->scope) || !conditions_hold(entry->conditions, here))
			continue;
		if (!succeeds) {
			struct refined_node to = { e->target, next, node, label };

			graph_add_arc(&r->graph, label, node_id(f, to));
			succeeds = bits_has(set_at(r, next), e->target);
		}
		if (succeeds && !entry->unsure) {
			if (entry->scope == 0)
				return;
			close_scope(f, entry->scope);
		}
	}
}

static void explore_node(struct refiner *f, uint32_t node)
{
	const struct automaton *m = f->m;
	struct refined_node at = f->r->nodes[node];
	const struct state *s = &m->states[at.state];
	uint32_t i = s->first;

	while (i < s->first + s->n) {
		uint32_t symbol = m->edges[i].symbol, slot = at.set * f->symbols + symbol;

		for (uint32_t k = f->first_inverse[slot]; k < f->first_inverse[slot + 1]; k++)
			add_arcs(f, node, i, f->inverse[k]);
		while (i < s->first + s->n && m->edges[i].symbol == symbol)
			i++;
		f->work++;
	}
	graph_end_node(&f->r->graph);
}

static bool explore(struct refiner *f)
{
	struct refined *r = f->r;

	if ((uint64_t)r->n_sets * f->m->n_states > REFINED_NODES_MAX)
		return false;
	f->ids = xcalloc((size_t)r->n_sets * f->m->n_states, sizeof(*f->ids));
	graph_init(&r->graph, r->n_sets * f->symbols);
	for (uint32_t set = 0; set < r->n_sets; set++)
		node_id(f, (struct refined_node){ f->m->start, set, UINT32_MAX, 0 });
	for (uint32_t node = 0; node < r->n_nodes; node++) {
		explore_node(f, node);
		if (r->graph.n_arcs > REFINED_ARCS_MAX || f->work > 2 * REFINED_WORK_MAX)
			return false;
	}
	graph_components(&r->graph);
	return true;
}

void refined_build(struct refined *r, const struct automaton *m)
{
	struct refiner f = { .r = r, .m = m, .symbols = m->alphabet.n };

	*r = (struct refined){ .automaton = m, .words = bits_words((uint32_t)m->n_states) };
	sort_edges(&f);
	r->exhausted = !find_sets(&f);
	if (!r->exhausted) {
		invert(&f);
		r->exhausted = !explore(&f);
	}
	r->work = f.work + 40 * r->graph.n_arcs;
	free(f.edges);
	free(f.first);
	free(f.slots);
	free(f.inverse);
	free(f.first_inverse);
	free(f.ids);
}

struct word refined_way(const struct refined *r, uint32_t node, struct arena *a)
{
	struct word word = { 0 };
	uint32_t *labels;

	for (uint32_t n = node; r->nodes[n].parent != UINT32_MAX; n = r->nodes[n].parent)
		word.n++;
	labels = arena_alloc(a, ((size_t)word.n + 1) * sizeof(*labels));
	word.labels = labels;
	for (uint32_t at = word.n; at > 0; node = r->nodes[node].parent)
		labels[--at] = r->nodes[node].label;
	return word;
}

void refined_free(struct refined *r)
{
	graph_free(&r->graph);
	free(r->nodes);
	free(r->futures);
	free(r->sets);
	free(r->before);
	*r = (struct refined){ 0 };
}
