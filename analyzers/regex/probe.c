#include "analyzers/regex/probe.h"

#include <math.h>
#include <string.h>

enum {
	LOOPS_MAX = 48,   /* nodes pumped */
	SYMBOLS_MAX = 6,  /* tried at one of them */
	LEADS_MAX = 6,    /* characters tried before the way to a loop */
	GENERIC_MAX = 12, /* suffixes tried besides those that surely fail */
	SAMPLE_MAX = 16,
	BEGINNING_MAX = 4,
	GLANCE_MAX = 30 * 1000,
};

/* Steps at 16 and 64 pumps: is there reason to look closer? */
static bool looks_steep(struct probe *p, const struct attack *attack)
{
	bool capped;
	uint64_t small = prover_run(p->prover, attack, 16, GLANCE_MAX, &capped), large;

	if (capped)
		return true;
	large = prover_run(p->prover, attack, 64, GLANCE_MAX, &capped);
	return capped || log2((double)large / (double)small) / 2 > 1.15;
}

static void consider(struct probe *p, const struct attack *attack, const struct pump *pump)
{
	struct measure m;

	if (!looks_steep(p, attack))
		return;
	m = prover_measure(p->prover, attack, EXPECT_EXPONENTIAL);
	if (m.growth < p->best.growth ||
	    (m.growth == p->best.growth && m.exponent <= p->best.exponent + 0.3))
		return;
	p->best = m;
	p->attack = *attack;
	p->pump = pump ? *pump : (struct pump){ 0 };
}

/* The attack with each suffix that fails for sure, then with some single characters. */
static void try_suffixes(struct probe *p, struct attack *attack, const struct pump *pump,
			 const struct units *suffixes, uint32_t n)
{
	const struct alphabet *alphabet = &p->automaton->alphabet;

	for (uint32_t i = 0; i < n && p->prover->left; i++) {
		attack->suffix = suffixes[i];
		consider(p, attack, pump);
	}
	attack->suffix.n = 0;
	consider(p, attack, pump);
	for (uint32_t s = 0; s < alphabet->end && s < GENERIC_MAX && p->prover->left; s++) {
		attack->suffix = (struct units){ &alphabet->sample[s], 1 };
		consider(p, attack, pump);
	}
}

static void try_after(struct probe *p, struct attack *attack, struct units before,
		      const struct pump *pump)
{
	struct units way = attack->pumps[0].prefix;
	uint32_t *v = arena_alloc(p->arena, ((size_t)before.n + way.n + 1) * sizeof(*v));

	memcpy(v, before.v, before.n * sizeof(*v));
	if (way.n)
		memcpy(v + before.n, way.v, way.n * sizeof(*v));
	attack->pumps[0].prefix = (struct units){ v, before.n + way.n };
	try_suffixes(p, attack, pump, NULL, 0);
	attack->pumps[0].prefix = way;
}

/*
 * The attack as it is, without the way to its pump, and after what may have to
 * come before: a character that no match begins with, or what a look-behind wants.
 */
static void try_prefixes(struct probe *p, struct attack *attack, const struct pump *pump,
			 const struct units *suffixes, uint32_t n)
{
	const struct alphabet *alphabet = &p->automaton->alphabet;
	struct units way = attack->pumps[0].prefix;

	try_suffixes(p, attack, pump, suffixes, n);
	if (p->best.growth != GROWTH_LINEAR)
		return;
	if (way.n) {
		attack->pumps[0].prefix.n = 0;
		try_suffixes(p, attack, pump, NULL, 0);
		attack->pumps[0].prefix = way;
	}
	for (uint32_t i = 0; i < p->n_behind && p->prover->left; i++)
		try_after(p, attack, p->behind[i], pump);
	if (p->automaton->search == UINT32_MAX)
		return;
	for (uint32_t s = 0; s < alphabet->end && s < LEADS_MAX && p->prover->left; s++)
		try_after(p, attack, (struct units){ &alphabet->sample[s], 1 }, pump);
}

/* Pumps the node by each symbol that leads back to it. */
static void pump_node(struct probe *p, uint32_t node)
{
	const struct graph *g = &p->rough->graph;
	uint32_t component = g->component[node], tried = 0, last = UINT32_MAX;

	for (uint32_t i = g->first[node]; i < g->first[node + 1] && tried < SYMBOLS_MAX; i++) {
		struct units suffixes[SUFFIXES_MAX];
		struct attack attack;
		struct pump pump = { node, node, { 0 } };
		uint32_t *labels, n;
		struct word back;

		if (g->component[g->arcs[i].target] != component || g->arcs[i].label == last)
			continue;
		last = g->arcs[i].label;
		tried++;
		graph_path(g, g->arcs[i].target, node, &back, p->arena);
		labels = arena_alloc(p->arena, ((size_t)back.n + 1) * sizeof(*labels));
		labels[0] = last;
		if (back.n)
			memcpy(labels + 1, back.labels, back.n * sizeof(*labels));
		pump.word = (struct word){ labels, back.n + 1 };
		n = witness_rough(p->automaton, (struct pumping){ g, &pump, 1, 1 }, &attack,
				  suffixes, p->arena);
		try_prefixes(p, &attack, &pump, suffixes, n);
	}
}

static void pump_loops(struct probe *p)
{
	const struct graph *g = &p->rough->graph;
	uint32_t tried = 0;

	for (uint32_t node = 0; node < g->n && tried < LOOPS_MAX; node++) {
		if (!g->cyclic[g->component[node]] || p->rough->searches[node])
			continue;
		tried++;
		pump_node(p, node);
	}
}

/* A short word that n takes; false: too long. */
static bool sample(struct probe *p, const struct node *n, uint32_t *v, uint32_t *len)
{
	const struct alphabet *alphabet = &p->automaton->alphabet;
	uint32_t s = 0;

	switch (n->kind) {
	case NODE_SET:
		while (s < alphabet->end && !charset_has(n->set, alphabet->sample[s]))
			s++;
		if (s == alphabet->end || *len == SAMPLE_MAX)
			return false;
		v[(*len)++] = alphabet->sample[s];
		return true;
	case NODE_SEQUENCE:
		for (uint32_t i = 0; i < n->list.n; i++)
			if (!sample(p, n->list.items[i], v, len))
				return false;
		return true;
	case NODE_CHOICE:
		return sample(p, n->list.items[0], v, len);
	case NODE_CAPTURE:
	case NODE_ATOMIC:
	case NODE_CONDITION:
		return sample(p, n->part.body, v, len);
	case NODE_REPEAT:
		for (uint32_t i = 0; i < n->repeat.min; i++)
			if (!sample(p, n->repeat.body, v, len))
				return false;
		return true;
	default:
		return true;
	}
}

/* Notes what the look-behinds of the tree want before them. */
static void note_look_behinds(struct probe *p, const struct node *n)
{
	switch (n->kind) {
	case NODE_SEQUENCE:
	case NODE_CHOICE:
		for (uint32_t i = 0; i < n->list.n; i++)
			note_look_behinds(p, n->list.items[i]);
		break;
	case NODE_CAPTURE:
	case NODE_ATOMIC:
		note_look_behinds(p, n->part.body);
		break;
	case NODE_CONDITION:
		note_look_behinds(p, n->part.body);
		note_look_behinds(p, n->part.otherwise);
		break;
	case NODE_REPEAT:
		note_look_behinds(p, n->repeat.body);
		break;
	case NODE_LOOK:
		if (n->look.behind && p->n_behind < BEHIND_MAX) {
			uint32_t *v = arena_alloc(p->arena, SAMPLE_MAX * sizeof(*v)), len = 0;

			if (sample(p, n->look.body, v, &len) && len)
				p->behind[p->n_behind++] = (struct units){ v, len };
		}
		note_look_behinds(p, n->look.body);
		break;
	default:
		break;
	}
}

static void note_read(struct probe *p, uint32_t c)
{
	for (uint32_t i = 0; i < p->n_read; i++)
		if (p->read[i] == c)
			return;
	if (p->n_read < READ_MAX)
		p->read[p->n_read++] = c;
}

/* Notes a character of each set that is repeated inside a look-behind. */
static void note_repeated(struct probe *p, const struct node *n, bool behind, bool repeated)
{
	const struct alphabet *alphabet = &p->automaton->alphabet;

	switch (n->kind) {
	case NODE_SET:
		for (uint32_t s = 0; s < alphabet->end && behind && repeated; s++)
			if (charset_has(n->set, alphabet->sample[s])) {
				note_read(p, alphabet->sample[s]);
				break;
			}
		break;
	case NODE_SEQUENCE:
	case NODE_CHOICE:
		for (uint32_t i = 0; i < n->list.n; i++)
			note_repeated(p, n->list.items[i], behind, repeated);
		break;
	case NODE_CAPTURE:
	case NODE_ATOMIC:
		note_repeated(p, n->part.body, behind, repeated);
		break;
	case NODE_REPEAT:
		note_repeated(p, n->repeat.body, behind, repeated || n->repeat.max > 1);
		break;
	case NODE_LOOK:
		note_repeated(p, n->look.body, behind || n->look.behind, repeated && behind);
		break;
	default:
		break;
	}
}

/*
 * What a look-behind reads is not in the automaton: pumps short words of what
 * it repeats and of other characters, after each beginning of what it wants.
 */
static void pump_anything(struct probe *p, struct units before)
{
	for (uint32_t i = 0; i < p->n_read * p->n_read && p->prover->left; i++) {
		uint32_t *pair = arena_alloc(p->arena, 2 * sizeof(*pair));
		struct attack attack = { .n = 1 };

		pair[0] = p->read[i / p->n_read];
		pair[1] = p->read[i % p->n_read];
		attack.pumps[0].prefix = before;
		attack.pumps[0].pump = (struct units){ pair, pair[0] == pair[1] ? 1 : 2 };
		try_suffixes(p, &attack, NULL, NULL, 0);
	}
}

static void pump_behind(struct probe *p)
{
	const struct alphabet *alphabet = &p->automaton->alphabet;

	note_repeated(p, p->syntax->root, false, false);
	for (uint32_t s = 0; s < alphabet->end && s < SYMBOLS_MAX; s++)
		note_read(p, alphabet->sample[s]);
	pump_anything(p, (struct units){ 0 });
	for (uint32_t i = 0; i < p->n_behind; i++)
		for (uint32_t n = 1; n <= p->behind[i].n && n <= BEGINNING_MAX; n++)
			pump_anything(p, (struct units){ p->behind[i].v, n });
}

void probe_run(struct probe *p)
{
	note_look_behinds(p, p->syntax->root);
	pump_loops(p);
	if (p->automaton->hidden)
		pump_behind(p);
}
