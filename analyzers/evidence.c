#include "analyzers/evidence.h"

#include <stdlib.h>

#include "analyzers/tally.h"

void support_add(struct support_list *list, struct classifier *c, const struct judgement *j,
		 const struct part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!judgement_covers(c, j, &parts[i]))
			continue;
		ARRAY_GROW(list->v, list->n, list->cap);
		list->v[list->n++] = (struct support){
			.sample = parts[i].sample,
			.begin = parts[i].blame.begin,
			.culprit = judgement_culprit(c, j, &parts[i]),
		};
	}
}

void support_destroy(struct support_list *list)
{
	free(list->v);
	*list = (struct support_list){ 0 };
}

/* The same for two addresses of one line: a function is sampled at many. */
static uint64_t place_of(const struct recording *rec, uint32_t frame)
{
	const struct frame *f = recording_get_frame(rec, frame);
	uint64_t words[] = { (uintptr_t)f->function, (uintptr_t)f->module, (uintptr_t)f->file,
			     f->line, f->function ? 0 : f->address };

	return hash_bytes(0, words, sizeof(words));
}

const struct frame *support_culprit(const struct recording *rec, const struct support_list *list,
				    size_t from)
{
	const struct frame *culprit = NULL;
	const struct tally_entry *best;
	struct tally places = { 0 };

	for (size_t i = from; i < list->n; i++) {
		const struct support *s = &list->v[i];
		const struct stack *stack = sample_stack(rec, s->sample);

		if (stack && s->culprit != NO_FRAME)
			tally_add(&places, place_of(rec, stack->frames[s->culprit]),
				  s->sample->weight, 0);
	}
	best = tally_heaviest(&places);
	for (size_t i = from; best && !culprit && i < list->n; i++) {
		const struct support *s = &list->v[i];
		const struct stack *stack = sample_stack(rec, s->sample);

		if (stack && s->culprit != NO_FRAME &&
		    place_of(rec, stack->frames[s->culprit]) == best->key)
			culprit = recording_get_frame(rec, stack->frames[s->culprit]);
	}
	tally_destroy(&places);
	return culprit;
}

/* Of n stacks, leaves the first ones that go the heaviest way at depth; false where that ends. */
static bool descend(const struct recording *rec, struct tally_entry *stacks, size_t *n,
		    uint32_t depth)
{
	const struct tally_entry *best;
	struct tally places = { 0 };
	uint64_t heaviest;
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		const struct stack *s = recording_get_stack(rec, (uint32_t)stacks[i].key);
		uint64_t place = depth < s->n ? place_of(rec, s->frames[s->n - 1 - depth]) : 0;

		tally_add(&places, place, stacks[i].weight, 0);
	}
	best = tally_heaviest(&places);
	heaviest = best ? best->key : 0;
	tally_destroy(&places);
	for (size_t i = 0; i < *n; i++) {
		const struct stack *s = recording_get_stack(rec, (uint32_t)stacks[i].key);
		uint64_t place = depth < s->n ? place_of(rec, s->frames[s->n - 1 - depth]) : 0;

		if (place == heaviest)
			stacks[kept++] = stacks[i];
	}
	*n = kept;
	return heaviest != 0;
}

const struct stack *support_stack(const struct recording *rec, const struct support_list *list)
{
	const struct stack *stack = NULL;
	const struct tally_entry *best;
	struct tally stacks = { 0 };

	for (size_t i = 0; i < list->n; i++) {
		const struct sample *s = list->v[i].sample;

		if (sample_stack(rec, s))
			tally_add(&stacks, s->stack, s->weight, 0);
	}
	tally_merge(&stacks);
	for (uint32_t depth = 0; stacks.n > 1 && descend(rec, stacks.v, &stacks.n, depth); depth++)
		;
	best = tally_heaviest(&stacks);
	if (best)
		stack = recording_get_stack(rec, (uint32_t)best->key);
	tally_destroy(&stacks);
	return stack;
}

/* Modules load others: the one that the culprit asked for. */
static const struct argument *find_module(const struct support *s)
{
	const struct argument *found = NULL;

	for (size_t i = 0; i < s->sample->n_arguments; i++) {
		const struct argument *a = &s->sample->arguments[i];

		if (a->key == ARG_MODULE && a->frame <= s->culprit &&
		    (!found || a->frame > found->frame))
			found = a;
	}
	return found;
}

/* The argument of the call in hand; those of its callers are not evidence. */
static const struct argument *find_argument(const struct support *s, enum argument_key key)
{
	const struct argument *a = sample_argument(s->sample, key);

	if (key == ARG_MODULE)
		return find_module(s);

	return a && a->frame <= s->begin ? a : NULL;
}

/* Texts are interned. */
static bool same_value(const struct argument *a, const struct argument *b)
{
	return a->text == b->text && (a->text || a->number == b->number);
}

/* Does nothing that is known of this call contradict what was chosen so far? */
static bool agrees(const struct support *s, const struct evidence *e)
{
	for (int key = 0; key < ARG_KEYS; key++) {
		const struct argument *a = find_argument(s, key);

		if (e->has[key] && a && !same_value(a, &e->args[key]))
			return false;
	}
	return true;
}

static void choose(const struct support *v, size_t n, enum argument_key key, struct evidence *e)
{
	const struct tally_entry *best;
	struct tally t = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct argument *a = find_argument(&v[i], key);

		if (a && agrees(&v[i], e))
			tally_add(&t, a->text ? (uintptr_t)a->text : (uint64_t)a->number,
				  v[i].sample->weight, 0);
	}
	best = tally_heaviest(&t);
	for (size_t i = 0; best && !e->has[key] && i < n; i++) {
		const struct argument *a = find_argument(&v[i], key);

		if (!a || (a->text ? (uintptr_t)a->text : (uint64_t)a->number) != best->key)
			continue;
		e->args[key] = *a;
		e->has[key] = true;
	}
	tally_destroy(&t);
}

/* Loading a module reads files and more; the module says it all, but nothing of what it does else.
 */
static bool is_evidence(enum cause cause, enum argument_key key)
{
	return key != ARG_CALLBACK && (cause == CAUSE_COMPILE) == (key == ARG_MODULE);
}

void evidence_collect(const struct judgement *j, const struct support_list *list,
		      struct evidence *out)
{
	*out = (struct evidence){ 0 };
	for (int key = 0; key < ARG_KEYS; key++)
		if (is_evidence(j->cause, key))
			choose(list->v, list->n, key, out);
	if (j->cause == CAUSE_GC && j->call && !out->has[ARG_GC_KIND]) {
		out->args[ARG_GC_KIND] = (struct argument){ .key = ARG_GC_KIND, .text = j->call };
		out->has[ARG_GC_KIND] = true;
	}
}
