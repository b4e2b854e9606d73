#include "analyzers/regex/graph.h"

#include <stdlib.h>

#include "core/arena.h"

void graph_init(struct graph *g, uint32_t n_labels)
{
	*g = (struct graph){ .n_labels = n_labels };
	ARRAY_GROW(g->first, 0, g->cap_first);
	g->first[0] = 0;
}

void graph_add_arc(struct graph *g, uint32_t label, uint32_t target)
{
	ARRAY_GROW(g->arcs, g->n_arcs, g->cap_arcs);
	g->arcs[g->n_arcs++] = (struct arc){ label, target };
}

void graph_end_node(struct graph *g)
{
	g->n++;
	ARRAY_GROW(g->first, g->n, g->cap_first);
	g->first[g->n] = (uint32_t)g->n_arcs;
}

/* Tarjan's algorithm with its recursion on an array. */
struct tarjan {
	struct graph *g;
	uint32_t *index; /* order of discovery from 1; 0: not seen */
	uint32_t *low;   /* lowest index on the stack that is reached */
	uint32_t *next;  /* arc to follow next */
	uint32_t *stack, *path;
	uint32_t n_stack, n_path, n_seen;
};

static void enter(struct tarjan *t, uint32_t node)
{
	t->index[node] = t->low[node] = ++t->n_seen;
	t->next[node] = t->g->first[node];
	t->stack[t->n_stack++] = node;
	t->path[t->n_path++] = node;
}

/* All that is above node on the stack is its component. */
static void leave(struct tarjan *t, uint32_t node)
{
	struct graph *g = t->g;
	uint32_t member;

	t->n_path--;
	if (t->n_path && t->low[node] < t->low[t->path[t->n_path - 1]])
		t->low[t->path[t->n_path - 1]] = t->low[node];
	if (t->low[node] != t->index[node])
		return;
	do {
		member = t->stack[--t->n_stack];
		g->component[member] = g->n_components;
		t->index[member] = UINT32_MAX;
	} while (member != node);
	g->n_components++;
}

static void explore(struct tarjan *t, uint32_t root)
{
	struct graph *g = t->g;

	enter(t, root);
	while (t->n_path) {
		uint32_t node = t->path[t->n_path - 1], to;

		if (t->next[node] == g->first[node + 1]) {
			leave(t, node);
			continue;
		}
		to = g->arcs[t->next[node]++].target;
		if (!t->index[to])
			enter(t, to);
		else if (t->index[to] < t->low[node])
			t->low[node] = t->index[to];
	}
}

static void list_members(struct graph *g)
{
	g->first_member = xcalloc((size_t)g->n_components + 1, sizeof(*g->first_member));
	g->members = xcalloc(g->n, sizeof(*g->members));
	g->cyclic = xcalloc(g->n_components, sizeof(*g->cyclic));
	for (uint32_t i = 0; i < g->n; i++)
		g->first_member[g->component[i] + 1]++;
	for (uint32_t c = 0; c < g->n_components; c++)
		g->first_member[c + 1] += g->first_member[c];
	for (uint32_t i = g->n; i > 0; i--) {
		uint32_t node = i - 1, c = g->component[node];

		/* Filled from the back; first_member[c + 1] ends up where c begins. */
		g->members[--g->first_member[c + 1]] = node;
		for (uint32_t a = g->first[node]; a < g->first[node + 1]; a++)
			g->cyclic[c] |= g->component[g->arcs[a].target] == c;
	}
	for (uint32_t c = 0; c < g->n_components; c++)
		g->first_member[c] = g->first_member[c + 1];
	g->first_member[g->n_components] = g->n;
}

void graph_components(struct graph *g)
{
	uint32_t *room = xcalloc(5 * (size_t)g->n, sizeof(*room));
	struct tarjan t = {
		.g = g,
		.index = room,
		.low = room + g->n,
		.next = room + 2 * (size_t)g->n,
		.stack = room + 3 * (size_t)g->n,
		.path = room + 4 * (size_t)g->n,
	};

	g->component = xcalloc(g->n, sizeof(*g->component));
	for (uint32_t i = 0; i < g->n; i++)
		if (!t.index[i])
			explore(&t, i);
	free(room);
	list_members(g);
}

void graph_free(struct graph *g)
{
	free(g->first);
	free(g->arcs);
	free(g->component);
	free(g->members);
	free(g->first_member);
	free(g->cyclic);
	*g = (struct graph){ 0 };
}
