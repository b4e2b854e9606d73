#include "report/tui/model.h"

#include <stdlib.h>
#include <string.h>

#include "report/place.h"

static uint32_t frame_id(const struct recording *rec, const struct frame *f)
{
	if (!f || f < rec->stacks.frames || f >= rec->stacks.frames + rec->stacks.n_frames)
		return NO_FRAME;
	return (uint32_t)(f - rec->stacks.frames);
}

static uint32_t stack_id(const struct recording *rec, const struct stack *s)
{
	if (!s || s < rec->stacks.stacks || s >= rec->stacks.stacks + rec->stacks.n_stacks)
		return NO_STACK;
	return (uint32_t)(s - rec->stacks.stacks);
}

static double ratio(nsec part, nsec whole)
{
	return whole ? (double)part / (double)whole : 0;
}

void model_tick(struct model *m, const struct recording *rec)
{
	const struct session *session = &rec->session;
	struct figures *f = &m->figures;
	nsec busy = 0, polled = 0;
	struct hist lag;

	hist_init(&lag);
	f->turns = 0;
	for (size_t i = 0; i < rec->n_loops; i++) {
		hist_merge(&lag, &rec->loops[i]->lag);
		busy += rec->loops[i]->busy;
		polled += rec->loops[i]->polled;
		f->turns += rec->loops[i]->turns;
	}
	f->duration = session->duration;
	f->threshold = session->threshold;
	f->p50 = lag.n ? hist_quantile(&lag, 0.5) : 0;
	f->p99 = lag.n ? hist_quantile(&lag, 0.99) : 0;
	f->max = lag.max;
	f->stalled = 0;
	f->stalls = f->shorter = 0;
	for (size_t i = 0; i < rec->n_stalls; i++) {
		const struct stall *stall = &rec->stalls[i];

		if (stall->duration > f->max)
			f->max = stall->duration;
		if (stall->phase != PHASE_SERVING)
			continue;
		f->stalled += stall->duration;
		f->stalls++;
		f->shorter += stall->duration < f->threshold;
	}
	f->busy = ratio(busy, busy + polled);
	f->blocked = ratio(f->stalled, session->duration);
	f->own = ratio(session->own_cpu, session->duration);
	f->lost_samples = session->lost_samples;
	f->lost_turns = session->lost_turns;
}

static const char *keep(struct model *m, const char *title)
{
	return strings_intern(&m->titles, &m->arena, title ? title : "");
}

static void set_stall(struct model *m, uint32_t id, const struct verdict_line *what)
{
	while (m->n_stalls <= id) {
		ARRAY_GROW(m->stalls, m->n_stalls, m->cap_stalls);
		m->stalls[m->n_stalls++] =
			(struct verdict_line){ .cause = CAUSE_UNKNOWN, .frame = NO_FRAME };
	}
	m->stalls[id] = *what;
}

static struct culprit *add_culprit(struct model *m)
{
	ARRAY_GROW(m->culprits, m->n_culprits, m->cap_culprits);
	m->culprits[m->n_culprits] = (struct culprit){ .frame = NO_FRAME, .stack = NO_STACK };
	return &m->culprits[m->n_culprits++];
}

static bool same_place(const struct recording *rec, uint32_t a, uint32_t b)
{
	const struct frame *x, *y;

	if (a == b || a == NO_FRAME || b == NO_FRAME)
		return a == b;
	x = recording_get_frame(rec, a);
	y = recording_get_frame(rec, b);
	return x->function == y->function && x->file == y->file && x->module == y->module &&
	       (x->line == y->line || x->kind == FRAME_NATIVE);
}

uint32_t model_find(const struct model *m, const struct recording *rec, enum cause cause,
		    uint32_t frame)
{
	for (size_t i = 0; i < m->n_culprits; i++)
		if (m->culprits[i].cause == cause && same_place(rec, m->culprits[i].frame, frame))
			return (uint32_t)i;
	return UINT32_MAX;
}

/* The table's line of a stall that ended after the last diagnosis. */
static struct culprit *culprit_of(struct model *m, const struct recording *rec,
				  const struct verdict_line *what)
{
	uint32_t known = model_find(m, rec, what->cause, what->frame);
	struct culprit *c;

	if (known != UINT32_MAX)
		return &m->culprits[known];
	c = add_culprit(m);
	c->cause = what->cause;
	c->title = what->title;
	c->frame = what->frame;
	return c;
}

/* The heaviest stack is a question for the diagnosis; until then the stall's last will do. */
static uint32_t last_stack(const struct recording *rec, uint32_t stall)
{
	enum { LOOK_BACK = 1000 };
	size_t from = rec->n_samples > LOOK_BACK ? rec->n_samples - LOOK_BACK : 0;

	for (size_t i = rec->n_samples; i-- > from;)
		if (rec->samples[i].stall == stall)
			return rec->samples[i].stack;
	return NO_STACK;
}

static void count_stall(struct model *m, struct culprit *c, const struct stall *stall)
{
	c->stalls++;
	c->total += stall->duration;
	if (stall->phase == PHASE_SERVING) {
		c->serving += stall->duration;
		m->serving += stall->duration;
	}
	if (stall->duration > c->max)
		c->max = stall->duration;
	c->severity = severity_of(c->max);
}

void model_stall(struct model *m, const struct recording *rec, const struct stall *stall,
		 const struct stall_diagnosis *d, const char *title)
{
	struct verdict_line what = { .cause = d->cause,
				     .title = keep(m, title),
				     .frame = frame_id(rec, d->culprit) };
	struct culprit *c;

	set_stall(m, stall->id, &what);
	history_stall(&m->history, stall->start, stall->duration);
	if (stall->open) {
		m->open =
			(struct open_stall){ true, stall->id, stall->start, stall->duration, what };
		return;
	}
	if (m->open.id == stall->id)
		m->open.is = false;
	c = culprit_of(m, rec, &what);
	count_stall(m, c, stall);
	if (c->stack == NO_STACK)
		c->stack = last_stack(rec, stall->id);
}

static void take_finding(struct model *m, const struct recording *rec, const struct finding *f)
{
	*add_culprit(m) = (struct culprit){
		.cause = f->cause,
		.severity = f->severity,
		.title = keep(m, f->title),
		.frame = frame_id(rec, f->culprit),
		.stack = stack_id(rec, f->stack),
		.finding = f,
		.stalls = f->stalls,
		.total = f->total,
		.serving = f->serving_total,
		.max = f->max,
	};
	m->serving += f->serving_total;
}

void model_diagnosis(struct model *m, const struct recording *rec, const struct diagnosis *d)
{
	m->n_culprits = 0;
	m->serving = 0;
	m->diagnosis = d;
	for (size_t i = 0; i < d->n_findings; i++)
		take_finding(m, rec, &d->findings[i]);
	for (size_t i = 0; i < d->n_stalls; i++) {
		const struct stall_diagnosis *s = &d->stalls[i];
		struct verdict_line what = { .cause = s->cause,
					     .title = s->finding < m->n_culprits
							      ? m->culprits[s->finding].title
							      : NULL,
					     .frame = frame_id(rec, s->culprit) };

		set_stall(m, (uint32_t)i, &what);
	}
}

void model_past(struct model *m, const struct recording *rec)
{
	for (size_t i = 0; i < rec->n_stalls; i++)
		history_stall(&m->history, rec->stalls[i].start, rec->stalls[i].duration);
	history_advance(&m->history, rec->session.duration);
}

void model_destroy(struct model *m)
{
	strings_destroy(&m->titles);
	arena_free(&m->arena);
	free(m->culprits);
	free(m->stalls);
	history_destroy(&m->history);
	*m = (struct model){ 0 };
}

bool model_matches(const struct recording *rec, const struct verdict_line *what, const char *filter)
{
	struct strbuf b = { 0 };
	bool fits;

	if (!filter[0])
		return true;
	strbuf_printf(&b, "%s ", cause_info[what->cause].id);
	strbuf_puts_visible(&b, what->title ? what->title : "");
	if (what->frame != NO_FRAME) {
		strbuf_puts(&b, " ");
		strbuf_place(&b, rec, recording_get_frame(rec, what->frame));
	}
	fits = strcasestr(b.s, filter) != NULL;
	strbuf_destroy(&b);
	return fits;
}

/* What qsort_r() needs to compare two culprits. */
struct order {
	const struct model *m;
	const struct recording *rec;
	enum sort sort;
};

static int compare_numbers(nsec a, nsec b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

static int compare_places(const struct recording *rec, const struct culprit *a,
			  const struct culprit *b)
{
	struct strbuf x = { 0 }, y = { 0 };
	int order;

	if (a->frame == NO_FRAME || b->frame == NO_FRAME)
		return (a->frame == NO_FRAME) - (b->frame == NO_FRAME);
	strbuf_place(&x, rec, recording_get_frame(rec, a->frame));
	strbuf_place(&y, rec, recording_get_frame(rec, b->frame));
	order = strcmp(x.s, y.s);
	strbuf_destroy(&x);
	strbuf_destroy(&y);
	return order;
}

static int compare_culprits(const void *pa, const void *pb, void *arg)
{
	const struct order *o = arg;
	uint32_t ia = *(const uint32_t *)pa, ib = *(const uint32_t *)pb;
	const struct culprit *a = &o->m->culprits[ia], *b = &o->m->culprits[ib];
	int order = 0;

	switch (o->sort) {
	case SORT_MAX:
		order = compare_numbers(a->max, b->max);
		break;
	case SORT_COUNT:
		order = compare_numbers(a->stalls, b->stalls);
		break;
	case SORT_CAUSE:
		order = strcmp(cause_info[a->cause].id, cause_info[b->cause].id);
		break;
	case SORT_PLACE:
		order = compare_places(o->rec, a, b);
		break;
	default:
		break;
	}
	order = order ? order : compare_numbers(a->serving, b->serving);
	order = order ? order : compare_numbers(a->total, b->total);
	return order ? order : (int)(ia > ib) - (int)(ia < ib);
}

size_t model_sort_culprits(const struct model *m, const struct recording *rec, enum sort sort,
			   const char *filter, uint32_t *ids)
{
	struct order order = { m, rec, sort };
	size_t n = 0;

	for (uint32_t i = 0; i < m->n_culprits; i++) {
		const struct culprit *c = &m->culprits[i];
		struct verdict_line what = { c->cause, c->title, c->frame };

		if (model_matches(rec, &what, filter))
			ids[n++] = i;
	}
	qsort_r(ids, n, sizeof(*ids), compare_culprits, &order);
	return n;
}
