#include "analyzers/findings.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/evidence.h"
#include "analyzers/fingerprint.h"
#include "analyzers/redos.h"
#include "analyzers/title.h"

/* The findings under construction. */
struct group {
	const struct judgement *judgements;
	uint32_t *members; /* stall ids, those of one finding side by side, in order of time */
	struct support_list support; /* of the finding in hand */
};

static int compare_values(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Orders what belongs to one finding together.  The order of findings is settled later. */
static int compare_judgements(const struct judgement *a, const struct judgement *b)
{
	int order = compare_values(a->cause, b->cause);

	if (!order)
		order = compare_values(a->function, b->function);
	/* Calls are interned, except that the kind of a collection does not make a finding. */
	if (!order && a->cause != CAUSE_GC)
		order = compare_values((uintptr_t)a->call, (uintptr_t)b->call);
	if (!order)
		order = compare_values((uintptr_t)a->why, (uintptr_t)b->why);
	return order;
}

static int by_finding(const void *a, const void *b, void *arg)
{
	const struct judgement *judgements = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = compare_judgements(&judgements[x], &judgements[y]);

	return order ? order : compare_values(x, y);
}

/* Counts, lengths and the split, over the finding's stalls. */
static void sum_stalls(const struct recording *rec, const struct diagnosis *d,
		       const uint32_t *members, size_t n, struct finding *f)
{
	nsec running = 0, runnable = 0, throttled = 0, held_up = 0;
	nsec worst_serving = 0, first = UINT64_MAX, last = 0;

	for (size_t i = 0; i < n; i++) {
		const struct stall *stall = &rec->stalls[members[i]];

		f->total += stall->duration;
		f->max = stall->duration > f->max ? stall->duration : f->max;
		running += stall->running;
		/* What watches the clock blocks for as long on a free machine. */
		runnable += d->stalls[members[i]].clocked ? 0 : stall->runnable;
		throttled += stall->throttled;
		held_up += stall->held_up;
		first = stall->start < first ? stall->start : first;
		last = stall->start > last ? stall->start : last;
		if (stall->phase != PHASE_SERVING)
			continue;
		f->serving_stalls++;
		f->serving_total += stall->duration;
		if (stall->duration > worst_serving)
			worst_serving = stall->duration;
	}
	f->stalls = (uint32_t)n;
	f->mean = f->total / n;
	f->period = n >= 3 ? (last - first) / (n - 1) : 0;
	f->on_cpu = f->total ? (double)running / (double)f->total : 0;
	f->throttled = f->total ? (double)throttled / (double)f->total : 0;
	f->held_up = f->total ? (double)held_up / (double)f->total : 0;
	f->starved = f->total ? (double)runnable / (double)f->total : 0;
	f->severity = severity_of(worst_serving);
}

static struct finding_part *part_of(struct finding_part *parts, size_t *n, int32_t pid)
{
	for (size_t i = 0; i < *n; i++)
		if (parts[i].pid == pid)
			return &parts[i];
	parts[*n] = (struct finding_part){ .pid = pid };
	return &parts[(*n)++];
}

static int by_total(const void *a, const void *b)
{
	const struct finding_part *x = a, *y = b;
	int order = compare_values(y->total, x->total);

	return order ? order : compare_values((uint32_t)x->pid, (uint32_t)y->pid);
}

/* Which process had how much of it. */
static void split_stalls(struct diagnosis *d, const struct recording *rec, const uint32_t *members,
			 size_t n, struct finding *f)
{
	size_t most = rec->n_processes + 1;
	struct finding_part *parts = xcalloc(most, sizeof(*parts));

	for (size_t i = 0; i < n; i++) {
		const struct stall *stall = &rec->stalls[members[i]];
		const struct loop *loop =
			stall->loop < rec->n_loops ? rec->loops[stall->loop] : NULL;
		struct finding_part *part;

		/* Of a damaged recording: loops of more processes than there are. */
		if (!loop || f->n_parts == most)
			continue;
		part = part_of(parts, &f->n_parts, loop->pid);
		part->tid = part->stalls == 0 || part->tid == loop->tid ? loop->tid : 0;
		part->stalls++;
		part->total += stall->duration;
		part->max = stall->duration > part->max ? stall->duration : part->max;
	}
	qsort(parts, f->n_parts, sizeof(*parts), by_total);
	f->parts = memcpy(arena_alloc(&d->arena, f->n_parts * sizeof(*parts)), parts,
			  f->n_parts * sizeof(*parts));
	free(parts);
}

/* The longest of the finding's stalls speaks for it where they differ. */
static struct judgement speaker(const struct recording *rec, const struct group *g,
				const uint32_t *members, size_t n)
{
	uint32_t best = members[0];

	for (size_t i = 1; i < n; i++)
		if (rec->stalls[members[i]].duration > rec->stalls[best].duration)
			best = members[i];
	return g->judgements[best];
}

/* Takes in the samples of a stall and says where it hung. */
static void add_stall(struct diagnosis *d, struct stalls *stalls, struct group *g, uint32_t id)
{
	struct classifier *c = &stalls->classifier;
	size_t n, from = g->support.n;
	const struct part *parts = stalls_parts(stalls, &c->rec->stalls[id], &n);

	support_add(&g->support, c, &g->judgements[id], parts, n);
	d->stalls[id].finding = (uint32_t)d->n_findings;
	d->stalls[id].culprit = support_culprit(c->rec, &g->support, from);
}

/* What it is called, rests on and is to be done about it. */
static void explain(struct diagnosis *d, const struct classifier *c, const struct judgement *j,
		    struct finding *f)
{
	bool quota = j->cause == CAUSE_CPU_STARVATION && f->throttled > f->starved / 2;
	const struct redos_proof *proof = NULL;

	if (j->cause == CAUSE_REGEX)
		proof = redos_judge(c->rec, f->stack, &f->evidence, &d->arena);
	f->evidence.redos = proof ? &proof->evidence : NULL;
	if (quota)
		f->title = "held back by a CPU quota (cgroup throttling)";
	else if (j->cause == CAUSE_CPU_STARVATION && f->held_up > f->starved)
		f->title = "waiting for a thread or child that had no CPU";
	else
		f->title = title_make(&d->arena, j, &f->evidence);
	f->advice = proof ? redos_advice(proof, &f->evidence, &d->arena) : NULL;
	if (!f->advice)
		f->advice = advice_find(j, &c->target, quota);
}

static void make_finding(struct diagnosis *d, struct stalls *stalls, struct group *g,
			 const uint32_t *members, size_t n)
{
	const struct recording *rec = stalls->classifier.rec;
	struct finding *f = &d->findings[d->n_findings];
	struct judgement j = speaker(rec, g, members, n);

	g->support.n = 0;
	for (size_t i = 0; i < n; i++)
		add_stall(d, stalls, g, members[i]);
	f->id = (uint32_t)d->n_findings++;
	f->cause = j.cause;
	sum_stalls(rec, d, members, n, f);
	split_stalls(d, rec, members, n, f);
	f->share = d->stalled ? (double)f->total / (double)d->stalled : 0;
	f->culprit = support_culprit(rec, &g->support, 0);
	f->stack = support_stack(rec, &g->support);
	evidence_collect(&j, &g->support, &f->evidence);
	explain(d, &stalls->classifier, &j, f);
	f->call = j.cause == CAUSE_GC ? NULL : j.call ? j.call : j.hot;
	fingerprint(f->fingerprint, rec, f, 0);
}

static int by_definition(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int order = strcmp(x->fingerprint, y->fingerprint);

	if (!order && x->culprit && y->culprit)
		order = compare_values(x->culprit->define_line, y->culprit->define_line);
	return order ? order : strcmp(x->title, y->title);
}

/* Functions of the same name in the same file: the order of definition tells them apart. */
static void separate_fingerprints(struct diagnosis *d, const struct recording *rec)
{
	uint32_t nth = 0;

	qsort(d->findings, d->n_findings, sizeof(*d->findings), by_definition);
	for (size_t i = 1; i < d->n_findings; i++) {
		char same[17];

		fingerprint(same, rec, &d->findings[i - 1], 0);
		nth = strcmp(d->findings[i].fingerprint, same) == 0 ? nth + 1 : 0;
		if (nth)
			fingerprint(d->findings[i].fingerprint, rec, &d->findings[i], nth);
	}
}

static int by_weight(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int order = compare_values(y->serving_total, x->serving_total);

	if (!order)
		order = compare_values(y->total, x->total);
	return order ? order : strcmp(x->fingerprint, y->fingerprint);
}

/* Sorts the findings, gives them their final ids and tells their stalls. */
static void settle(struct diagnosis *d)
{
	uint32_t *ids = xcalloc(d->n_findings + 1, sizeof(*ids));

	qsort(d->findings, d->n_findings, sizeof(*d->findings), by_weight);
	for (size_t i = 0; i < d->n_findings; i++) {
		ids[d->findings[i].id] = (uint32_t)i;
		d->findings[i].id = (uint32_t)i;
	}
	for (size_t i = 0; i < d->n_stalls; i++)
		d->stalls[i].finding = ids[d->stalls[i].finding];
	free(ids);
}

void findings_make(struct diagnosis *d, struct stalls *stalls, const struct judgement *judgements)
{
	struct group g = { .judgements = judgements };
	size_t end;

	g.members = xcalloc(d->n_stalls + 1, sizeof(*g.members));
	for (size_t i = 0; i < d->n_stalls; i++)
		g.members[i] = (uint32_t)i;
	qsort_r(g.members, d->n_stalls, sizeof(*g.members), by_finding, (void *)judgements);
	d->findings = xcalloc(d->n_stalls + 1, sizeof(*d->findings));
	for (size_t i = 0; i < d->n_stalls; i = end) {
		for (end = i + 1; end < d->n_stalls; end++)
			if (compare_judgements(&judgements[g.members[i]],
					       &judgements[g.members[end]]) != 0)
				break;
		make_finding(d, stalls, &g, g.members + i, end - i);
	}
	separate_fingerprints(d, stalls->classifier.rec);
	settle(d);
	free(g.members);
	support_destroy(&g.support);
}
