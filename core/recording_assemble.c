#include <stdlib.h>

#include "core/recording_decode.h"
#include "core/recording_encode.h"

/* The second half of the decoder: everything was read, now ids get their meaning. */

static void table_destroy(struct stack_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].frames);
	free(t->v);
	idmap_destroy(&t->ids);
}

/* Frames of a stack, by their ids in the file, in its final form. */
struct expansion {
	uint32_t *ids;
	size_t n, cap;
	const struct decoded_stack *of; /* NULL: none yet */
};

/* False if not all of it could be had. */
static bool expand(struct decoder *d, const struct decoded_stack *k, struct expansion *out)
{
	out->n = 0;
	out->of = k;
	for (uint32_t i = 0; i < k->n; i++) {
		const struct decoded_stack *r =
			k->replaced ? NULL : stack_table_find(&d->replacements, k->frames[i]);
		size_t n = r ? r->n : 1;

		if (out->n + n > RECORD_STACK_MAX || n - 1 > d->work)
			return false;
		d->work -= n - 1;
		for (size_t j = 0; j < n; j++) {
			ARRAY_GROW(out->ids, out->n, out->cap);
			out->ids[out->n++] = r ? r->frames[j] : k->frames[i];
		}
	}
	return true;
}

static uint32_t frame_id(struct decoder *d, uint32_t id)
{
	uint32_t known_as = idmap_get(&d->frames, id);

	/* Its definition is in a damaged part of the file. */
	if (known_as == IDMAP_NONE) {
		known_as = recording_frame(d->rec, &(struct frame){ .kind = FRAME_NATIVE });
		idmap_put(&d->frames, id, known_as);
	}
	return known_as;
}

/* The stack's id in rec. */
static uint32_t stack_id(struct decoder *d, struct decoded_stack *k, struct expansion *e)
{
	uint32_t *ids;

	if (k->id)
		return k->id - 1;
	if (!expand(d, k, e))
		k->end = STACK_TRUNCATED;
	ids = xcalloc(e->n + 1, sizeof(*ids));
	for (size_t i = 0; i < e->n; i++)
		ids[i] = frame_id(d, e->ids[i]);
	k->id = recording_stack(d->rec, ids, (uint32_t)e->n, k->end) + 1;
	free(ids);
	return k->id - 1;
}

/* Where in e the frame is whose id that is, after `skip` others of it; e->n: nowhere. */
static size_t find_frame(struct decoder *d, const struct expansion *e, uint32_t id, uint32_t skip)
{
	for (size_t i = 0; i < e->n && d->work > 0; i++, d->work--)
		if (e->ids[i] == id && skip-- == 0)
			return i;
	return e->n;
}

/* An argument may name a frame or what replaced it, whenever it or the stack was written. */
static size_t argument_frame(struct decoder *d, const struct decoded_argument *a,
			     const struct expansion *e)
{
	const struct decoded_stack *k = e->of;
	const struct decoded_stack *r = stack_table_find(&d->replacements, a->a.frame);
	uint32_t with = r ? r->frames[0] : a->a.frame;
	size_t found = find_frame(d, e, k->replaced ? a->a.frame : with, a->skip);

	return found < e->n ? found : find_frame(d, e, k->replaced ? with : a->a.frame, a->skip);
}

/* Makes e the expansion of k; false if that was asked for too often. */
static bool expanded(struct decoder *d, const struct decoded_stack *k, struct expansion *e)
{
	if (e->of == k)
		return true;
	if (k->n > d->work)
		return false;
	d->work -= k->n;
	expand(d, k, e);
	return true;
}

/* The n arguments at `from`, of the stack that e expands; returns how many of them have a frame. */
static size_t finish_arguments(struct decoder *d, const struct expansion *e,
			       const struct decoded_argument *from, size_t n,
			       struct argument out[DECODED_ARGUMENTS_MAX])
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		size_t frame = argument_frame(d, &from[i], e);

		if (frame == e->n)
			continue;
		out[kept] = from[i].a;
		out[kept++].frame = (uint32_t)frame;
	}
	return kept;
}

/* Adds s, whose stall and stack are ids in the file and whose arguments are at `from`. */
static void finish_sample(struct decoder *d, struct sample s, const struct decoded_argument *from,
			  struct expansion *e)
{
	uint32_t stall = idmap_get(&d->stalls, s.stall);
	struct decoded_stack *k = stack_table_find(&d->stacks, s.stack);
	struct argument arguments[DECODED_ARGUMENTS_MAX];

	if (stall == IDMAP_NONE || !k || s.state > SAMPLE_STOPPED) {
		d->lost_samples++;
		return;
	}
	s.stall = stall;
	s.stack = stack_id(d, k, e);
	if (s.n_arguments && expanded(d, k, e))
		s.n_arguments = (uint16_t)finish_arguments(d, e, from, s.n_arguments, arguments);
	else
		s.n_arguments = 0;
	s.arguments = arguments;
	recording_add_sample(d->rec, &s);
}

static void finish_samples(struct decoder *d)
{
	const struct decoded_argument *from = d->arguments;
	size_t n = d->rec->n_samples;
	struct expansion e = { 0 };

	/* In place: those that are done never pass those that are not. */
	d->rec->n_samples = 0;
	for (size_t i = 0; i < n; i++) {
		struct sample s = d->rec->samples[i];

		finish_sample(d, s, from, &e);
		if (s.n_arguments)
			from += s.n_arguments;
	}
	free(e.ids);
}

/* One that was written before its stack got its final form comes twice. */
static void keep_call(struct recording *rec, size_t *kept, const struct strict_call *c)
{
	for (size_t i = 0; i < *kept; i++) {
		struct strict_call *known = &rec->calls[i];

		if (known->loop == c->loop && known->stack == c->stack &&
		    known->syscall == c->syscall) {
			known->count = c->count > known->count ? c->count : known->count;
			return;
		}
	}
	rec->calls[(*kept)++] = *c;
}

static void finish_calls(struct decoder *d)
{
	struct recording *rec = d->rec;
	struct expansion e = { 0 };
	size_t kept = 0;

	for (size_t i = 0; i < rec->n_calls; i++) {
		struct strict_call c = rec->calls[i];
		struct decoded_stack *k = stack_table_find(&d->stacks, c.stack);
		uint32_t loop = idmap_get(&d->loops, c.loop);

		if (!k || loop == IDMAP_NONE) {
			d->bad_records++;
			continue;
		}
		c.loop = loop;
		c.stack = stack_id(d, k, &e);
		keep_call(rec, &kept, &c);
	}
	rec->n_calls = kept;
	free(e.ids);
}

static void finish_stalls(struct decoder *d)
{
	struct recording *rec = d->rec;
	uint32_t stranger = IDMAP_NONE;

	for (size_t i = 0; i < rec->n_stalls; i++) {
		uint32_t loop = idmap_get(&d->loops, rec->stalls[i].loop);

		/* Its loop's totals are in a damaged part of the file. */
		if (loop == IDMAP_NONE) {
			if (stranger == IDMAP_NONE) {
				stranger = (uint32_t)rec->n_loops;
				recording_add_loop(rec)->name = recording_intern(rec, "?");
			}
			loop = stranger;
		}
		rec->stalls[i].loop = loop;
	}
}

/*
 * A stall is written as it ends, and that may be before it is known when the
 * target began to serve.  Of several processes each has a beginning of its own.
 */
static void finish_phases(struct recording *rec)
{
	nsec since = rec->session.serving_since;

	for (size_t i = 0; i < rec->n_loops; i++)
		if (rec->loops[i]->pid != rec->target.pid)
			return;
	for (size_t i = 0; i < rec->n_stalls && since != UINT64_MAX; i++)
		rec->stalls[i].phase = rec->stalls[i].start < since ? PHASE_STARTUP : PHASE_SERVING;
}

void decoder_finish(struct decoder *d)
{
	finish_stalls(d);
	finish_phases(d->rec);
	finish_samples(d);
	finish_calls(d);
	table_destroy(&d->stacks);
	table_destroy(&d->replacements);
	free(d->arguments);
	idmap_destroy(&d->frames);
	idmap_destroy(&d->loops);
	idmap_destroy(&d->stalls);
}
