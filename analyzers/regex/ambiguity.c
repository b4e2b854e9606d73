#include "analyzers/regex/ambiguity.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/regex/bits.h"
#include "analyzers/regex/walk.h"

/* A pump between two components, or within one (from == to). */
struct link {
	uint32_t from, to; /* components */
	struct pump pump;
};

struct finder {
	const struct ambiguity_input *in;
	const struct graph *g;
	struct graph inner; /* the same nodes with the arcs that stay in their component */
	struct arena *arena;
	struct walk walk;
	uint64_t left; /* of the budget */
	struct link *links;
	size_t n_links, cap_links;
	uint32_t *stamp; /* by label: the component whose inner arcs it was last seen on, plus 1 */
	uint32_t *seen;  /* by node: likewise */
	uint32_t *queue;
};

static bool spend(struct finder *f, uint64_t cost)
{
	if (f->left < cost) {
		f->left = 0;
		return false;
	}
	f->left -= cost;
	return true;
}

/* What it costs to look at the arcs of a node. */
static uint64_t scanned(const struct graph *g, uint32_t node)
{
	return 1 + g->first[node + 1] - g->first[node];
}

static int compare_hints(const void *a, const void *b)
{
	const struct hint *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

void hints_sort(struct hint *hints, size_t n)
{
	qsort(hints, n, sizeof(*hints), compare_hints);
}

static bool is_winning(const struct finder *f, uint32_t node)
{
	return f->in->winning && f->in->winning[node];
}

/* Does some path around the component surely match? */
static bool wins(const struct finder *f, uint32_t component)
{
	const struct graph *g = f->g;

	for (uint32_t m = g->first_member[component]; m < g->first_member[component + 1]; m++)
		if (is_winning(f, g->members[m]))
			return true;
	return false;
}

/* May there be a pump from component c to d, as far as the coarser graph knows? */
static bool is_hinted(const struct finder *f, uint32_t c, uint32_t d)
{
	struct hint hint;

	if (!f->in->coarse)
		return true;
	hint.from = f->in->coarse[f->g->members[f->g->first_member[c]]];
	hint.to = f->in->coarse[f->g->members[f->g->first_member[d]]];
	return f->in->n_hints &&
	       bsearch(&hint, f->in->hints, f->in->n_hints, sizeof(hint), compare_hints);
}

static void add_link(struct finder *f, uint32_t from, uint32_t to, struct pump pump)
{
	ARRAY_GROW(f->links, f->n_links, f->cap_links);
	f->links[f->n_links++] = (struct link){ from, to, pump };
}

bool graph_path(const struct graph *g, uint32_t from, uint32_t to, struct word *word,
		struct arena *a)
{
	struct walk w = { 0 };
	bool found = from == to;

	walk_add(&w, (struct walk_step){ .a = from, .parent = UINT32_MAX });
	for (size_t i = 0; i < w.n && !found; i++) {
		uint32_t node = w.steps[i].a;

		for (uint32_t k = g->first[node]; k < g->first[node + 1] && !found; k++) {
			struct walk_step next = { .a = g->arcs[k].target,
						  .parent = (uint32_t)i,
						  .label = g->arcs[k].label };

			found = walk_add(&w, next) && next.a == to;
		}
	}
	if (found)
		*word = walk_word(&w, from == to ? 0 : w.n - 1, a);
	walk_free(&w);
	return found;
}

static struct word join(struct word x, struct word y, struct arena *a)
{
	uint32_t *labels = arena_alloc(a, ((size_t)x.n + y.n + 1) * sizeof(*labels));

	if (x.n)
		memcpy(labels, x.labels, x.n * sizeof(*labels));
	if (y.n)
		memcpy(labels + x.n, y.labels, y.n * sizeof(*labels));
	return (struct word){ labels, x.n + y.n };
}

/* Adds all pairs that a and b reach by one label without leaving the component. */
static void step_pair(struct finder *f, size_t index)
{
	const struct graph *g = &f->inner;
	struct walk_step s = f->walk.steps[index];
	uint32_t i = g->first[s.a], k = g->first[s.b];

	while (i < g->first[s.a + 1] && k < g->first[s.b + 1]) {
		uint32_t label = g->arcs[i].label;

		if (label < g->arcs[k].label) {
			i++;
			continue;
		}
		if (label > g->arcs[k].label) {
			k++;
			continue;
		}
		for (uint32_t m = k; m < g->first[s.b + 1] && g->arcs[m].label == label; m++) {
			uint32_t x = g->arcs[i].target, y = g->arcs[m].target;

			if (!is_winning(f, x) && !is_winning(f, y))
				walk_add(&f->walk, (struct walk_step){ .a = x < y ? x : y,
								       .b = x < y ? y : x,
								       .parent = (uint32_t)index,
								       .label = label });
		}
		i++;
	}
}

/*
 * Two arcs of one label from a node to different nodes of its component (or
 * twice to one): the starts of all pairs of paths that may meet again.
 */
static void add_forks(struct finder *f, uint32_t component)
{
	const struct graph *g = f->g, *inner = &f->inner;

	for (uint32_t m = g->first_member[component]; m < g->first_member[component + 1]; m++) {
		uint32_t node = g->members[m], end = inner->first[node + 1];
		size_t root = f->walk.n;

		for (uint32_t i = inner->first[node]; i < end; i++) {
			uint32_t x = inner->arcs[i].target, label = inner->arcs[i].label;

			for (uint32_t k = i + 1; k < end && inner->arcs[k].label == label; k++) {
				uint32_t y = inner->arcs[k].target;

				if (is_winning(f, x) || is_winning(f, y))
					continue;
				/* c tells these roots from the pairs of the walk. */
				if (root == f->walk.n)
					walk_add(&f->walk,
						 (struct walk_step){ .a = node,
								     .b = node,
								     .c = 1,
								     .parent = UINT32_MAX });
				walk_add(&f->walk, (struct walk_step){ .a = x < y ? x : y,
								       .b = x < y ? y : x,
								       .parent = (uint32_t)root,
								       .label = label });
			}
		}
	}
}

/* Are there two paths by one word from a node of the component back to itself? */
static void find_exponential(struct finder *f, uint32_t component)
{
	struct pump pump;

	walk_clear(&f->walk);
	add_forks(f, component);
	for (size_t i = 0; i < f->walk.n; i++) {
		const struct walk_step *s = &f->walk.steps[i];
		size_t root = i;
		struct word back;

		if (s->c)
			continue;
		if (s->a != s->b) {
			if (!spend(f, scanned(&f->inner, s->a) + scanned(&f->inner, s->b)))
				return;
			step_pair(f, i);
			continue;
		}
		while (f->walk.steps[root].parent != UINT32_MAX)
			root = f->walk.steps[root].parent;
		pump.from = pump.to = f->walk.steps[root].a;
		graph_path(f->g, s->a, pump.from, &back, f->arena);
		pump.word = join(walk_word(&f->walk, i, f->arena), back, f->arena);
		add_link(f, component, component, pump);
		return;
	}
}

/* The part of a product of two components where each side stays in its own. */
struct product {
	struct graph graph; /* node: position of a in its component * |D| + that of b */
	uint32_t c, d, width;
};

static uint32_t place_in(const struct graph *g, const uint32_t *places, uint32_t node)
{
	return places[node] - g->first_member[g->component[node]];
}

/* Adds the arcs of the pair (x, y): by each label that both have. */
static void add_product_arcs(const struct finder *f, const uint32_t *places, struct product *p,
			     uint32_t x, uint32_t y)
{
	const struct graph *g = &f->inner;
	uint32_t k = g->first[y];

	for (uint32_t i = g->first[x]; i < g->first[x + 1]; i++) {
		struct arc arc = g->arcs[i];
		uint32_t row = place_in(f->g, places, arc.target) * p->width;

		while (k < g->first[y + 1] && g->arcs[k].label < arc.label)
			k++;
		for (uint32_t m = k; m < g->first[y + 1] && g->arcs[m].label == arc.label; m++)
			if (!is_winning(f, g->arcs[m].target))
				graph_add_arc(&p->graph, arc.label,
					      row + place_in(f->g, places, g->arcs[m].target));
	}
}

static bool build_product(struct finder *f, const uint32_t *places, uint32_t c, uint32_t d,
			  struct product *p)
{
	const struct graph *g = f->g;
	uint32_t height = g->first_member[c + 1] - g->first_member[c];

	*p = (struct product){ .c = c, .d = d };
	p->width = g->first_member[d + 1] - g->first_member[d];
	graph_init(&p->graph, g->n_labels);
	for (uint32_t n = 0; n < height * p->width; n++) {
		uint32_t a = g->members[g->first_member[c] + n / p->width];
		uint32_t b = g->members[g->first_member[d] + n % p->width];
		size_t arcs = p->graph.n_arcs;

		add_product_arcs(f, places, p, a, b);
		graph_end_node(&p->graph);
		if (!spend(f,
			   scanned(&f->inner, a) + scanned(&f->inner, b) + p->graph.n_arcs - arcs))
			return false;
	}
	graph_components(&p->graph);
	return true;
}

/*
 * From (p, p, q) to (p, q, q) with the outer two kept on cycle `cycle` of the
 * product.  One p and q of the cycle stand for all of them.
 */
static bool find_pump(struct finder *f, const struct product *p, uint32_t cycle, struct pump *pump)
{
	const struct graph *g = f->g, *outer = &p->graph;
	uint32_t start = outer->members[outer->first_member[cycle]];

	pump->from = g->members[g->first_member[p->c] + start / p->width];
	pump->to = g->members[g->first_member[p->d] + start % p->width];
	walk_clear(&f->walk);
	walk_add(&f->walk, (struct walk_step){ .a = start, .b = pump->from, .parent = UINT32_MAX });
	for (size_t n = 0; n < f->walk.n; n++) {
		struct walk_step s = f->walk.steps[n];
		uint32_t k = g->first[s.b];

		if (s.a == start && s.b == pump->to) {
			pump->word = walk_word(&f->walk, n, f->arena);
			return true;
		}
		if (!spend(f, scanned(outer, s.a) + scanned(g, s.b)))
			return false;
		for (uint32_t i = outer->first[s.a]; i < outer->first[s.a + 1]; i++) {
			struct arc x = outer->arcs[i];

			if (outer->component[x.target] != cycle)
				continue;
			while (k < g->first[s.b + 1] && g->arcs[k].label < x.label)
				k++;
			for (uint32_t m = k; m < g->first[s.b + 1] && g->arcs[m].label == x.label;
			     m++)
				if (g->component[g->arcs[m].target] >= p->d)
					walk_add(&f->walk,
						 (struct walk_step){ .a = x.target,
								     .b = g->arcs[m].target,
								     .parent = (uint32_t)n,
								     .label = x.label });
		}
	}
	return false;
}

static void find_polynomial(struct finder *f, const uint32_t *places, uint32_t c, uint32_t d)
{
	struct product p;
	struct pump pump;

	if (!build_product(f, places, c, d, &p)) {
		graph_free(&p.graph);
		return;
	}
	for (uint32_t cycle = 0; cycle < p.graph.n_components; cycle++) {
		if (p.graph.cyclic[cycle] && find_pump(f, &p, cycle, &pump)) {
			add_link(f, c, d, pump);
			break;
		}
	}
	graph_free(&p.graph);
}

/* Does the component have an inner arc with a label stamped for c? */
static bool shares_label(const struct finder *f, uint32_t component, uint32_t c)
{
	const struct graph *g = f->g, *inner = &f->inner;

	for (uint32_t m = g->first_member[component]; m < g->first_member[component + 1]; m++) {
		uint32_t node = g->members[m];

		for (uint32_t i = inner->first[node]; i < inner->first[node + 1]; i++)
			if (f->stamp[inner->arcs[i].label] == c + 1)
				return true;
	}
	return false;
}

static void stamp_labels(struct finder *f, uint32_t c)
{
	const struct graph *g = f->g, *inner = &f->inner;

	for (uint32_t m = g->first_member[c]; m < g->first_member[c + 1]; m++)
		for (uint32_t i = inner->first[g->members[m]]; i < inner->first[g->members[m] + 1];
		     i++)
			f->stamp[inner->arcs[i].label] = c + 1;
}

/* Tests every component that c reaches by labels of its own cycles. */
static void find_pumps_from(struct finder *f, const uint32_t *places, uint32_t c, uint8_t *tested)
{
	const struct graph *g = f->g;
	uint32_t n = 0;

	stamp_labels(f, c);
	for (uint32_t m = g->first_member[c]; m < g->first_member[c + 1]; m++) {
		f->seen[g->members[m]] = c + 1;
		f->queue[n++] = g->members[m];
	}
	memset(tested, 0, g->n_components);
	for (uint32_t q = 0; q < n && spend(f, scanned(g, f->queue[q])); q++) {
		uint32_t node = f->queue[q], d = g->component[node];

		if (d != c && g->cyclic[d] && !tested[d]) {
			tested[d] = 1;
			if (is_hinted(f, c, d) && shares_label(f, d, c))
				find_polynomial(f, places, c, d);
		}
		for (uint32_t i = g->first[node]; i < g->first[node + 1]; i++) {
			struct arc arc = g->arcs[i];

			if (f->stamp[arc.label] != c + 1 || f->seen[arc.target] == c + 1)
				continue;
			f->seen[arc.target] = c + 1;
			f->queue[n++] = arc.target;
		}
	}
}

static bool searches(const struct finder *f, uint32_t component)
{
	return f->in->searches && f->in->searches[f->g->members[f->g->first_member[component]]];
}

/* How a component was best reached: by a link, or from another component. */
struct best {
	uint32_t pumps;
	uint32_t link; /* index, or UINT32_MAX */
	uint32_t from; /* component; UINT32_MAX: nothing before */
};

static int by_source(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	/* Components that come first on a word have the higher numbers. */
	if (x->from != y->from)
		return x->from > y->from ? -1 : 1;
	return x->to > y->to ? -1 : x->to < y->to;
}

/* A chain that ends in c, and may go on in d by an arc or by a link. */
static void extend(struct best *best, uint32_t c, uint32_t d, uint32_t link, bool begins)
{
	uint32_t pumps = (begins ? 0 : best[c].pumps) + (link != UINT32_MAX);

	if (pumps > best[d].pumps)
		best[d] = (struct best){ pumps, link, begins ? UINT32_MAX : c };
}

/* Fills best with the longest chains of pumps; returns the component where the longest ends. */
static uint32_t longest_chain(const struct finder *f, struct best *best, bool with_search)
{
	const struct graph *g = f->g;
	uint32_t top = 0;
	size_t k = 0;

	for (uint32_t c = 0; c < g->n_components; c++)
		best[c] = (struct best){ 0, UINT32_MAX, UINT32_MAX };
	for (uint32_t c = g->n_components; c-- > 0;) {
		/* What fails after a pump does not pass here: a chain can only begin. */
		bool begins = wins(f, c);

		if (best[c].pumps > best[top].pumps)
			top = c;
		for (uint32_t m = g->first_member[c]; m < g->first_member[c + 1] && !begins; m++)
			for (uint32_t i = g->first[g->members[m]]; i < g->first[g->members[m] + 1];
			     i++)
				if (g->component[g->arcs[i].target] != c)
					extend(best, c, g->component[g->arcs[i].target], UINT32_MAX,
					       false);
		for (; k < f->n_links && f->links[k].from == c; k++)
			if (f->links[k].to != c && (with_search || !searches(f, c)))
				extend(best, c, f->links[k].to, (uint32_t)k, begins);
	}
	return top;
}

static void store_chain(struct finder *f, const struct best *best, uint32_t end,
			struct ambiguity *out)
{
	uint32_t n = best[end].pumps;

	out->chain = arena_alloc(f->arena, (n + 1) * sizeof(*out->chain));
	out->n_chain = n;
	for (uint32_t c = end; c != UINT32_MAX && n > 0; c = best[c].from)
		if (best[c].link != UINT32_MAX)
			out->chain[--n] = f->links[best[c].link].pump;
}

static void summarize(struct finder *f, struct ambiguity *out)
{
	const struct graph *g = f->g;
	struct best *best = xcalloc(g->n_components, sizeof(*best));
	uint32_t end;

	if (f->n_links)
		qsort(f->links, f->n_links, sizeof(*f->links), by_source);
	end = longest_chain(f, best, false);
	out->inner_degree = best[end].pumps + 1;
	if (!f->in->idle_search)
		end = longest_chain(f, best, true);
	out->degree = best[end].pumps + 1;
	store_chain(f, best, end, out);
	free(best);
	out->loops = arena_alloc(f->arena, (f->n_links + 1) * sizeof(*out->loops));
	out->links = arena_alloc(f->arena, (f->n_links + 1) * sizeof(*out->links));
	for (size_t i = 0; i < f->n_links; i++) {
		const struct link *link = &f->links[i];

		if (link->from == link->to)
			out->loops[out->n_loops++] = link->pump;
		else if (!f->in->idle_search || !searches(f, link->from))
			out->links[out->n_links++] = link->pump;
	}
}

static void find_inner(struct finder *f)
{
	const struct graph *g = f->g;

	graph_init(&f->inner, g->n_labels);
	for (uint32_t node = 0; node < g->n; node++) {
		for (uint32_t i = g->first[node]; i < g->first[node + 1]; i++)
			if (g->component[g->arcs[i].target] == g->component[node])
				graph_add_arc(&f->inner, g->arcs[i].label, g->arcs[i].target);
		graph_end_node(&f->inner);
	}
}

static void find_all(struct finder *f)
{
	const struct graph *g = f->g;
	uint32_t *places = xcalloc(g->n, sizeof(*places));
	uint8_t *tested = xcalloc(g->n_components, 1);

	for (uint32_t i = 0; i < g->n; i++)
		places[g->members[i]] = i;
	for (uint32_t c = 0; c < g->n_components; c++)
		if (g->cyclic[c] && is_hinted(f, c, c))
			find_exponential(f, c);
	for (uint32_t c = 0; c < g->n_components && f->left && !f->in->loops_only; c++)
		if (g->cyclic[c] && !(f->in->idle_search && searches(f, c)))
			find_pumps_from(f, places, c, tested);
	free(places);
	free(tested);
}

void ambiguity_find(const struct ambiguity_input *in, struct ambiguity *out, struct arena *a)
{
	const struct graph *g = in->graph;
	struct finder f = { .in = in, .g = g, .arena = a, .left = in->budget };

	*out = (struct ambiguity){ 0 };
	f.stamp = xcalloc((size_t)g->n_labels + 1, sizeof(*f.stamp));
	f.seen = xcalloc((size_t)g->n + 1, sizeof(*f.seen));
	f.queue = xcalloc((size_t)g->n + 1, sizeof(*f.queue));
	find_inner(&f);
	find_all(&f);
	summarize(&f, out);
	out->exhausted = f.left == 0;
	out->work = in->budget - f.left;
	walk_free(&f.walk);
	graph_free(&f.inner);
	free(f.links);
	free(f.stamp);
	free(f.seen);
	free(f.queue);
}
