#include "report/weights.h"

#include <stdlib.h>

enum { STATES = SAMPLE_STOPPED + 1 };

/* In place of a stack, and at its leaf when the thread did not run. */
enum { NO_SAMPLE, NO_STACK, WAITING, BLOCKED, STOPPED };
static const struct frame own_frames[WEIGHT_OWN_FRAMES] = {
	[NO_SAMPLE] = { .function = "[no sample]" },
	[NO_STACK] = { .function = "[no stack]" },
	[WAITING] = { .function = "[waiting for a CPU]" },
	[BLOCKED] = { .function = "[blocked]" },
	[STOPPED] = { .function = "[stopped]" },
};

/* first[i]..first[i + 1] are the places of stall i's samples in the order of stalls. */
static size_t *count_samples(const struct recording *rec)
{
	size_t *first = xcalloc(rec->n_stalls + 2, sizeof(*first));

	for (size_t i = 0; i < rec->n_samples; i++)
		if (rec->samples[i].stall < rec->n_stalls)
			first[rec->samples[i].stall + 1]++;
	for (size_t i = 0; i < rec->n_stalls; i++)
		first[i + 1] += first[i];
	return first;
}

static const struct sample **sort_samples(const struct recording *rec, const size_t *first)
{
	const struct sample **sorted = xcalloc(rec->n_samples + 1, sizeof(*sorted));
	size_t *next = xcalloc(rec->n_stalls + 1, sizeof(*next));

	for (size_t i = 0; i < rec->n_stalls; i++)
		next[i] = first[i];
	for (size_t i = 0; i < rec->n_samples; i++)
		if (rec->samples[i].stall < rec->n_stalls)
			sorted[next[rec->samples[i].stall]++] = &rec->samples[i];
	free(next);
	return sorted;
}

static void add(struct weights *w, uint32_t stall, uint32_t stack, enum sample_state state, nsec ns)
{
	if (ns)
		w->v[w->n++] = (struct weight){ stall, stack, state, ns };
}

static void add_stall(struct weights *w, const struct recording *rec, const struct stall *stall,
		      const struct sample **samples, size_t n)
{
	nsec left[STATES] = { stall->running, stall->runnable, stall->blocked, stall->stopped };

	for (size_t i = 0; i < n; i++) {
		const struct sample *s = samples[i];
		nsec ns = s->weight < left[s->state] ? s->weight : left[s->state];

		add(w, stall->id, s->stack < rec->stacks.n_stacks ? s->stack : WEIGHT_NO_STACK,
		    s->state, ns);
		left[s->state] -= ns;
	}
	for (int state = 0; state < STATES; state++)
		add(w, stall->id, WEIGHT_NO_STACK, (enum sample_state)state, left[state]);
}

void weights_make(struct weights *w, const struct recording *rec)
{
	size_t *first = count_samples(rec);
	const struct sample **sorted = sort_samples(rec, first);

	w->n = 0;
	w->v = xcalloc(rec->n_samples + STATES * rec->n_stalls + 1, sizeof(*w->v));
	for (size_t i = 0; i < rec->n_stalls; i++)
		add_stall(w, rec, &rec->stalls[i], sorted + first[i], first[i + 1] - first[i]);
	free(sorted);
	free(first);
}

void weights_destroy(struct weights *w)
{
	free(w->v);
	*w = (struct weights){ 0 };
}

const struct frame *weight_frame(const struct recording *rec, uint32_t id)
{
	return id < rec->stacks.n_frames ? recording_get_frame(rec, id)
					 : &own_frames[id - rec->stacks.n_frames];
}

uint32_t weight_path(const struct recording *rec, const struct weight *w,
		     uint32_t ids[WEIGHT_PATH_MAX])
{
	uint32_t own = (uint32_t)rec->stacks.n_frames, n = 0;

	if (w->stack == WEIGHT_NO_STACK && w->state == SAMPLE_RUNNING) {
		ids[n++] = own + NO_SAMPLE;
	} else if (w->stack != WEIGHT_NO_STACK) {
		const struct stack *stack = recording_get_stack(rec, w->stack);

		for (uint32_t i = stack->n < STACK_MAX ? stack->n : STACK_MAX; i-- > 0;)
			ids[n++] = stack->frames[i];
		if (n == 0)
			ids[n++] = own + NO_STACK;
	}
	if (w->state != SAMPLE_RUNNING)
		ids[n++] = own + WAITING + (uint32_t)w->state - SAMPLE_RUNNABLE;
	return n;
}
