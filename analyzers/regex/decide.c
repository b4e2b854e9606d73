#include "analyzers/regex/decide.h"

#include <math.h>

#include "analyzers/regex/probe.h"
#include "analyzers/regex/variants.h"

enum {
	ROUGH_BUDGET = 10 * 1000 * 1000,
	EXACT_BUDGET = 30 * 1000 * 1000,
	LOOPS_TRIED = 4,
	LINKS_TRIED = 12,
	VARIANT_RELAX = 20,
	COUNT_MATTERS = 5, /* copies that can add up to something */
	/* what a counted repeat must cost to be called dangerous */
	BOUNDED_STEPS = 400 * 1000,
	BOUNDED_STEPS_MAX = 4 * 1000 * 1000,
	BOUNDED_COST = 400,        /* steps for each character */
	BOUNDED_LENGTH = 8 * 1000, /* ... on a subject up to this length */
	BOUNDED_SHORT = 100,       /* ... and one of this length can only be exponential */
};

/* One automaton on its way to a decision. */
struct decider {
	struct decision *out;
	struct prover *prover;
	struct arena *arena;
	const struct syntax *syntax;
	struct automaton automaton;
	struct rough rough;
	struct ambiguity_input in;
	struct refined refined;
	bool exact;          /* the refined graph is in use */
	struct measure best; /* of the attack in out */
};

/* The automaton's state behind a node of the graph in use. */
static uint32_t state_of(const struct decider *d, uint32_t node)
{
	return d->exact ? d->refined.nodes[node].state : d->rough.states[node];
}

/* The entry by which a word begins at a node: if there is one, one that stays in its component. */
static const struct entry *entry_on(const struct decider *d, uint32_t node, const struct word *word)
{
	const struct automaton *m = &d->automaton;
	uint32_t state = state_of(d, node), unit = d->exact ? d->refined.n_sets : 1;
	const struct state *s = &m->states[state];
	uint32_t symbol = word->labels[0] / unit, i = automaton_first_edge(m, s, symbol);
	const struct entry *entry = NULL;

	for (; i < s->first + s->n && m->edges[i].symbol == symbol; i++) {
		const struct edge *e = &m->edges[i];

		if (e->target == STATE_ACCEPT)
			continue;
		if (d->rough.groups[e->target] == d->rough.groups[state])
			return &m->entries[e->entry];
		entry = entry ? entry : &m->entries[e->entry];
	}
	return entry;
}

static void note_guilty(struct decider *d, const struct pump *last)
{
	const struct entry *from = entry_on(d, last->from, &last->word);
	const struct entry *to = entry_on(d, last->to, &last->word);

	d->out->from = from ? from->from : NULL;
	d->out->to = to ? to->from : NULL;
}

/* Runs the attack along the pumps; keeps it if it grows faster than the best so far. */
static enum growth run_pumps(struct decider *d, const struct pump *pumps, uint32_t n,
			     uint32_t expected)
{
	struct units suffixes[SUFFIXES_MAX];
	struct attack attack;
	struct measure m;

	if (d->exact) {
		witness_exact(&d->refined, pumps, n, &attack, d->arena);
	} else {
		struct pumping along = { &d->rough.graph, pumps, n, 1 };
		uint32_t found = witness_rough(&d->automaton, along, &attack, suffixes, d->arena);

		if (!found)
			return GROWTH_LINEAR;
		prover_choose_suffix(d->prover, &attack, suffixes, found);
	}
	m = prover_measure(d->prover, &attack, expected);
	if (d->out->attack.n == 0 || m.growth > d->best.growth ||
	    (m.growth == d->best.growth && m.exponent > d->best.exponent + 0.3)) {
		d->best = m;
		d->out->attack = attack;
		note_guilty(d, &pumps[attack.n - 1]);
	}
	return m.growth;
}

/*
 * The longest chain of pumps, and if that does not grow, others: it may cost so
 * much at the smallest size that its growth cannot be seen, or lead where only
 * the automaton goes.
 */
static enum growth run_chain(struct decider *d, const struct ambiguity *found)
{
	enum growth growth = GROWTH_LINEAR;

	if (found->n_chain)
		growth = run_pumps(d, found->chain, found->n_chain, found->degree);
	if (growth == GROWTH_LINEAR && found->n_chain > 4)
		growth = run_pumps(d, found->chain + found->n_chain - 4, 4, 5);
	for (uint32_t i = 0; growth == GROWTH_LINEAR && i < found->n_links && i < LINKS_TRIED; i++)
		growth = run_pumps(d, &found->links[i], 1, 2);
	return growth;
}

static enum growth run_loops(struct decider *d, const struct ambiguity *found)
{
	enum growth best = GROWTH_LINEAR;

	for (uint32_t i = 0; i < found->n_loops && i < LOOPS_TRIED; i++) {
		enum growth growth = run_pumps(d, &found->loops[i], 1, EXPECT_EXPONENTIAL);

		if (growth > best)
			best = growth;
		if (best == GROWTH_EXPONENTIAL)
			break;
	}
	return best;
}

static void settle(struct decider *d, enum regex_class verdict, const struct ambiguity *found)
{
	d->out->verdict = verdict;
	if (verdict == REGEX_SAFE) {
		d->out->attack.n = 0;
		return;
	}
	d->out->inner = verdict == REGEX_EXPONENTIAL || found->inner_degree > 1;
}

/* The degree as the automaton has it, if that has exactly what the matcher does. */
static void settle_polynomial(struct decider *d, const struct ambiguity *found)
{
	bool sure = d->exact && !d->automaton.unsure && !d->automaton.relaxed;
	uint32_t seen = (uint32_t)lround(d->best.exponent);

	settle(d, REGEX_POLYNOMIAL, found);
	if (sure && found->degree > 1 && (!found->exhausted || found->degree > seen))
		d->out->degree = found->degree;
	else
		d->out->degree = seen > 2 ? seen : 2;
}

/*
 * Without looking at what is to come: says too much, but is quick, and a
 * measured attack needs no further proof.  True: settled.
 */
static bool decide_roughly(struct decider *d, struct ambiguity *found)
{
	d->in.loops_only = true;
	ambiguity_find(&d->in, found, d->arena);
	if (run_loops(d, found) == GROWTH_EXPONENTIAL) {
		settle(d, REGEX_EXPONENTIAL, found);
		return true;
	}
	d->in.loops_only = false;
	ambiguity_find(&d->in, found, d->arena);
	if (found->n_loops)
		return false;
	if (found->degree <= 1) {
		settle(d, REGEX_SAFE, found);
		return !found->exhausted;
	}
	/* The one path that may succeed and those that fail can take one edge there. */
	if (d->rough.split)
		return false;
	if (run_chain(d, found) != GROWTH_POLYNOMIAL || found->exhausted)
		return false;
	if (d->best.exponent < found->degree - 0.5)
		return false;
	settle_polynomial(d, found);
	return true;
}

static struct hint hint_of(const struct rough *r, const struct pump *pump)
{
	return (struct hint){ r->groups[r->states[pump->from]], r->groups[r->states[pump->to]] };
}

/* Where the rough graph has pumps: the refined one has none elsewhere. */
static void note_hints(struct decider *d, const struct ambiguity *rough)
{
	size_t n = 0;
	struct hint *hints = arena_alloc(d->arena, ((size_t)rough->n_loops + rough->n_links + 1) *
							   sizeof(*hints));

	for (uint32_t i = 0; i < rough->n_loops; i++)
		hints[n++] = hint_of(&d->rough, &rough->loops[i]);
	for (uint32_t i = 0; i < rough->n_links; i++)
		hints[n++] = hint_of(&d->rough, &rough->links[i]);
	hints_sort(hints, n);
	d->in.hints = hints;
	d->in.n_hints = n;
}

static void prepare_exact(struct decider *d, const struct ambiguity *rough)
{
	const struct refined *r = &d->refined;
	uint32_t *coarse = arena_alloc(d->arena, r->graph.n * sizeof(*coarse));
	bool *searches = arena_alloc(d->arena, r->graph.n);

	for (uint32_t i = 0; i < r->graph.n; i++) {
		coarse[i] = d->rough.groups[r->nodes[i].state];
		searches[i] = d->rough.searches[r->nodes[i].state];
	}
	d->in.graph = &r->graph;
	d->in.searches = searches;
	d->in.winning = NULL;
	d->in.budget = EXACT_BUDGET;
	if (!rough->exhausted) {
		d->in.coarse = coarse;
		note_hints(d, rough);
	}
	d->exact = true;
}

/* With what is to come: true: settled. */
static bool decide_exactly(struct decider *d, const struct ambiguity *rough)
{
	struct ambiguity found;
	enum growth growth;

	refined_build(&d->refined, &d->automaton);
	/* In vain, perhaps: half is left for running attacks. */
	prover_charge(d->prover, d->refined.work < d->prover->left / 2 ? d->refined.work
								       : d->prover->left / 2);
	if (d->refined.exhausted)
		return false;
	prepare_exact(d, rough);
	ambiguity_find(&d->in, &found, d->arena);
	if (found.n_loops) {
		growth = run_loops(d, &found);
		if (growth == GROWTH_EXPONENTIAL ||
		    (growth && !d->automaton.unsure && !d->automaton.relaxed)) {
			settle(d, REGEX_EXPONENTIAL, &found);
			return true;
		}
		run_chain(d, &found);
		return false;
	}
	if (found.degree <= 1 && d->best.growth == GROWTH_LINEAR) {
		settle(d, REGEX_SAFE, &found);
		return !found.exhausted;
	}
	if (found.degree <= 1 || run_chain(d, &found) == GROWTH_LINEAR)
		return false;
	settle_polynomial(d, &found);
	return true;
}

/* What was seen to grow stands, whatever the automaton knows. */
static bool decide_by_growth(struct decider *d, const struct ambiguity *rough)
{
	/* Not tried yet, where loops came first. */
	if (d->best.growth == GROWTH_LINEAR && (rough->n_loops || d->rough.split)) {
		d->exact = false;
		run_chain(d, rough);
	}
	if (d->best.growth == GROWTH_EXPONENTIAL)
		settle(d, REGEX_EXPONENTIAL, rough);
	else if (d->best.growth == GROWTH_POLYNOMIAL)
		settle_polynomial(d, rough);
	return d->best.growth != GROWTH_LINEAR;
}

/* Where the automaton says too much or too little: by search.  True: an attack was found. */
static bool decide_by_search(struct decider *d, const struct ambiguity *rough)
{
	struct probe probe = {
		.automaton = &d->automaton,
		.rough = &d->rough,
		.syntax = d->syntax,
		.prover = d->prover,
		.arena = d->arena,
	};

	d->exact = false;
	probe_run(&probe);
	if (probe.best.growth == GROWTH_LINEAR)
		return false;
	d->best = probe.best;
	d->out->attack = probe.attack;
	if (probe.pump.word.n)
		note_guilty(d, &probe.pump);
	return decide_by_growth(d, rough);
}

/* The last word when nothing was seen to grow. */
static void decide_by_silence(struct decider *d)
{
	bool spent = !d->prover->left;

	if (d->automaton.unsure && !spent) {
		settle(d, REGEX_SAFE, NULL);
		d->out->reason = "by search: no automaton decides this pattern";
		return;
	}
	d->out->verdict = spent || d->refined.exhausted ? REGEX_UNKNOWN : REGEX_SUSPECT;
	d->out->reason = d->out->verdict == REGEX_UNKNOWN ? "too large to decide"
							  : "no attack could be confirmed";
	if (d->out->verdict == REGEX_UNKNOWN)
		d->out->attack.n = 0;
}

static void decide_with(struct decider *d);
static void decider_free(struct decider *d);

/* As if the groups that are referred to were fixed words.  True: an attack was found. */
static bool decide_by_variants(struct decider *d)
{
	struct syntax variants[VARIANTS_MAX];
	uint32_t n = variants_make(d->syntax, variants, d->arena);

	for (uint32_t i = 0; i < n && d->out->verdict != REGEX_EXPONENTIAL; i++) {
		struct decision found = { .verdict = REGEX_UNKNOWN };
		struct decider v = { .out = &found,
				     .syntax = &variants[i],
				     .prover = d->prover,
				     .arena = d->arena };

		found.tree = variants[i].root;
		automaton_build(&v.automaton, v.syntax, &d->prover->program->prefilter,
				VARIANT_RELAX, d->arena);
		if (!v.automaton.too_large)
			decide_with(&v);
		if (v.best.growth > d->best.growth ||
		    (v.best.growth == d->best.growth && v.best.exponent > d->best.exponent + 0.3)) {
			d->best = v.best;
			*d->out = found;
		}
		decider_free(&v);
	}
	return d->best.growth != GROWTH_LINEAR;
}

static void decide_with(struct decider *d)
{
	struct ambiguity rough;
	bool settled;

	rough_build(&d->rough, &d->automaton, d->arena);
	d->in.graph = &d->rough.graph;
	d->in.searches = d->rough.searches;
	d->in.winning = d->rough.winning;
	d->in.idle_search = d->prover->program->prefilter.from_end != UINT32_MAX;
	d->in.budget = ROUGH_BUDGET;
	settled = decide_roughly(d, &rough) || decide_exactly(d, &rough) ||
		  decide_by_growth(d, &rough);
	if (settled && (d->out->verdict != REGEX_SAFE || !d->automaton.hidden))
		return;
	if (!settled && d->automaton.unsure && decide_by_variants(d))
		return;
	if (!decide_by_search(d, &rough) && !settled)
		decide_by_silence(d);
}

static void decider_free(struct decider *d)
{
	graph_free(&d->rough.graph);
	refined_free(&d->refined);
	automaton_free(&d->automaton);
}

/* The most that a character of the attack costs; *at_once: a short one costs too much. */
static uint64_t worst_cost(struct decider *d, const struct attack *attack, bool *at_once)
{
	uint64_t worst = 0;
	bool capped = false;

	*at_once = false;
	for (uint32_t size = 4; !capped; size *= 2) {
		uint64_t length = attack_length(attack, size), steps;

		if (length > BOUNDED_LENGTH)
			break;
		steps = prover_run(d->prover, attack, size, BOUNDED_STEPS_MAX, &capped);
		if (steps < BOUNDED_STEPS)
			continue;
		*at_once |= length <= BOUNDED_SHORT;
		worst = steps / length > worst ? steps / length : worst;
	}
	return worst;
}

/* What counted repeats cost before they end, found as if they never did. */
static void decide_counts(struct decider *exact)
{
	struct decision unlimited = { .verdict = REGEX_UNKNOWN, .tree = exact->syntax->root };
	struct decider d = { .out = &unlimited,
			     .syntax = exact->syntax,
			     .prover = exact->prover,
			     .arena = exact->arena };
	bool at_once;

	automaton_build(&d.automaton, d.syntax, &d.prover->program->prefilter, COUNT_MATTERS - 1,
			d.arena);
	if (!d.automaton.too_large)
		decide_with(&d);
	if (unlimited.attack.n && d.best.growth != GROWTH_LINEAR &&
	    worst_cost(&d, &unlimited.attack, &at_once) >= BOUNDED_COST) {
		unlimited.verdict = at_once ? REGEX_EXPONENTIAL : REGEX_BOUNDED;
		unlimited.reason = "until a counted repeat ends";
		unlimited.inner |= at_once;
		*exact->out = unlimited;
	}
	decider_free(&d);
}

void decide(struct decision *out, const struct syntax *syntax, struct prover *prover,
	    struct arena *a)
{
	static const uint32_t relax[] = { UINT32_MAX, 100, 20, 4, 1 };
	struct decider d = { .out = out, .syntax = syntax, .prover = prover, .arena = a };
	uint32_t copies;

	*out = (struct decision){ .verdict = REGEX_UNKNOWN, .tree = syntax->root };
	for (size_t i = 0; i < sizeof(relax) / sizeof(relax[0]); i++) {
		automaton_build(&d.automaton, syntax, &prover->program->prefilter, relax[i], a);
		if (!d.automaton.too_large)
			break;
		out->reason = d.automaton.too_large;
		copies = d.automaton.copies;
		automaton_free(&d.automaton);
		if (copies <= 1)
			break;
	}
	if (d.automaton.n_states) {
		out->reason = NULL;
		decide_with(&d);
		if (out->verdict == REGEX_SAFE && d.automaton.copies >= COUNT_MATTERS)
			decide_counts(&d);
	}
	decider_free(&d);
}
