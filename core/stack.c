#include "core/stack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/recording.h"

const char *const stack_end_names[STACK_ENDS] = {
    [STACK_COMPLETE] = "complete",   [STACK_TRUNCATED] = "truncated",
    [STACK_SEAM] = "seam",	     [STACK_NO_UNWIND_INFO] = "no_unwind_info",
    [STACK_BAD_FRAME] = "bad_frame", [STACK_NOT_CODE] = "not_code",
    [STACK_TOO_DEEP] = "too_deep",   [STACK_NO_REGISTERS] = "no_registers",
};

/* Strings are interned, so their pointers stand for them. */
static uint64_t hash_frame(const struct frame *f)
{
	const uint64_t words[] = {
	    (uintptr_t)f->function,
	    (uintptr_t)f->module,
	    (uintptr_t)f->build_id,
	    (uintptr_t)f->file,
	    f->address,
	    (uint64_t)f->line << 32 | f->column,
	    (uint64_t)f->define_line << 32 | (uint64_t)f->kind << 2 | (uint64_t)f->inlined << 1 |
		f->guessed,
	};

	return hash_bytes(0, words, sizeof(words));
}

static bool same_frame(const struct frame *a, const struct frame *b)
{
	return a->kind == b->kind && a->function == b->function && a->module == b->module &&
	       a->build_id == b->build_id && a->file == b->file && a->line == b->line &&
	       a->column == b->column && a->define_line == b->define_line &&
	       a->address == b->address && a->inlined == b->inlined && a->guessed == b->guessed;
}

static uint64_t hash_stack(const uint32_t *frames, uint32_t n, enum stack_end end)
{
	return hash_bytes((uint64_t)end, frames, n * sizeof(*frames));
}

static bool same_stack(const struct stack *s, const uint32_t *frames, uint32_t n,
		       enum stack_end end)
{
	return s->n == n && s->end == end &&
	       (n == 0 || memcmp(s->frames, frames, n * sizeof(*frames)) == 0);
}

/* Puts id + 1 into the first free slot of its chain. */
static void put(uint32_t *slots, size_t cap, uint64_t hash, uint32_t id)
{
	size_t at = hash & (cap - 1);

	while (slots[at])
		at = (at + 1) & (cap - 1);
	slots[at] = id + 1;
}

/* An empty table of twice the size. */
static void renew(uint32_t **slots, size_t *cap)
{
	*cap = *cap ? *cap * 2 : 256;
	free(*slots);
	*slots = xcalloc(*cap, sizeof(**slots));
}

static void index_frames(struct stacks *s)
{
	renew(&s->frame_slots, &s->frame_slot_cap);
	for (size_t i = 0; i < s->n_frames; i++)
		put(s->frame_slots, s->frame_slot_cap, hash_frame(&s->frames[i]), (uint32_t)i);
}

static void index_stacks(struct stacks *s)
{
	renew(&s->stack_slots, &s->stack_slot_cap);
	for (size_t i = 0; i < s->n_stacks; i++) {
		const struct stack *k = &s->stacks[i];

		put(s->stack_slots, s->stack_slot_cap, hash_stack(k->frames, k->n, k->end),
		    (uint32_t)i);
	}
}

uint32_t recording_frame(struct recording *rec, const struct frame *f)
{
	struct stacks *s = &rec->stacks;
	struct frame frame = *f;
	size_t at;

	frame.function = recording_intern(rec, f->function);
	frame.module = recording_intern(rec, f->module);
	frame.build_id = recording_intern(rec, f->build_id);
	frame.file = recording_intern(rec, f->file);
	if (s->n_frames >= s->frame_slot_cap / 4 * 3)
		index_frames(s);
	at = hash_frame(&frame) & (s->frame_slot_cap - 1);
	while (s->frame_slots[at]) {
		uint32_t id = s->frame_slots[at] - 1;

		if (same_frame(&s->frames[id], &frame))
			return id;
		at = (at + 1) & (s->frame_slot_cap - 1);
	}
	ARRAY_GROW(s->frames, s->n_frames, s->cap_frames);
	s->frames[s->n_frames] = frame;
	s->frame_slots[at] = (uint32_t)++s->n_frames;
	return (uint32_t)s->n_frames - 1;
}

uint32_t recording_stack(struct recording *rec, const uint32_t *frames, uint32_t n,
			 enum stack_end end)
{
	struct stacks *s = &rec->stacks;
	uint32_t *copy;
	size_t at;

	if (s->n_stacks >= s->stack_slot_cap / 4 * 3)
		index_stacks(s);
	at = hash_stack(frames, n, end) & (s->stack_slot_cap - 1);
	while (s->stack_slots[at]) {
		uint32_t id = s->stack_slots[at] - 1;

		if (same_stack(&s->stacks[id], frames, n, end))
			return id;
		at = (at + 1) & (s->stack_slot_cap - 1);
	}
	copy = arena_alloc(&rec->arena, n * sizeof(*frames));
	if (n)
		memcpy(copy, frames, n * sizeof(*frames));
	ARRAY_GROW(s->stacks, s->n_stacks, s->cap_stacks);
	s->stacks[s->n_stacks] = (struct stack){.n = n, .end = end, .frames = copy};
	s->stack_slots[at] = (uint32_t)++s->n_stacks;
	return (uint32_t)s->n_stacks - 1;
}

/* by_id[id] is the index in r of what replaces frame id, plus one; 0: nothing does. */
static void replace_in_stack(struct recording *rec, struct stack *k, const uint32_t *by_id,
			     const struct frame_replacement *r)
{
	uint32_t *frames;
	size_t n = 0, at = 0;
	bool changed = false;

	for (uint32_t i = 0; i < k->n; i++) {
		uint32_t with = by_id[k->frames[i]];

		changed |= with != 0;
		n += with ? r[with - 1].n : 1;
	}
	if (!changed)
		return;
	frames = arena_alloc(&rec->arena, n * sizeof(*frames));
	for (uint32_t i = 0; i < k->n; i++) {
		uint32_t with = by_id[k->frames[i]];

		if (with) {
			memcpy(frames + at, r[with - 1].with, r[with - 1].n * sizeof(*frames));
			at += r[with - 1].n;
		} else {
			frames[at++] = k->frames[i];
		}
	}
	k->frames = frames;
	k->n = (uint32_t)n;
}

/* What was read about the call in a frame stays with it: places in the stack move. */
static void move_arguments(struct recording *rec, struct sample *s, const uint32_t *by_id,
			   const struct frame_replacement *r)
{
	const struct stack *k = &rec->stacks.stacks[s->stack];
	struct argument *args = arena_alloc(&rec->arena, s->n_arguments * sizeof(*args));

	for (size_t i = 0; i < s->n_arguments; i++) {
		args[i] = s->arguments[i];
		for (uint32_t j = 0; j < s->arguments[i].frame && j < k->n; j++) {
			uint32_t with = by_id[k->frames[j]];

			args[i].frame += with ? r[with - 1].n - 1 : 0;
		}
	}
	s->arguments = args;
}

/* Stacks that have become equal: samples move to the first of them. */
static void merge_equal_stacks(struct recording *rec)
{
	struct stacks *s = &rec->stacks;
	uint32_t *first = xcalloc(s->n_stacks, sizeof(*first));

	renew(&s->stack_slots, &s->stack_slot_cap);
	for (size_t i = 0; i < s->n_stacks; i++) {
		const struct stack *k = &s->stacks[i];
		size_t at = hash_stack(k->frames, k->n, k->end) & (s->stack_slot_cap - 1);

		while (s->stack_slots[at] &&
		       !same_stack(&s->stacks[s->stack_slots[at] - 1], k->frames, k->n, k->end))
			at = (at + 1) & (s->stack_slot_cap - 1);
		if (!s->stack_slots[at])
			s->stack_slots[at] = (uint32_t)i + 1;
		first[i] = s->stack_slots[at] - 1;
	}
	for (size_t i = 0; i < rec->n_samples; i++)
		rec->samples[i].stack = first[rec->samples[i].stack];
	free(first);
}

void recording_replace_frames(struct recording *rec, const struct frame_replacement *r, size_t n)
{
	struct stacks *s = &rec->stacks;
	uint32_t *by_id;

	if (n == 0 || s->n_stacks == 0)
		return;
	by_id = xcalloc(s->n_frames, sizeof(*by_id));
	for (size_t i = 0; i < n; i++) {
		assert(r[i].id < s->n_frames && r[i].n >= 1);
		by_id[r[i].id] = (uint32_t)i + 1;
	}
	for (size_t i = 0; i < rec->n_samples; i++)
		if (rec->samples[i].n_arguments)
			move_arguments(rec, &rec->samples[i], by_id, r);
	for (size_t i = 0; i < s->n_stacks; i++)
		replace_in_stack(rec, &s->stacks[i], by_id, r);
	free(by_id);
	merge_equal_stacks(rec);
}

const struct frame *recording_get_frame(const struct recording *rec, uint32_t id)
{
	assert(id < rec->stacks.n_frames);
	return &rec->stacks.frames[id];
}

const struct stack *recording_get_stack(const struct recording *rec, uint32_t id)
{
	assert(id < rec->stacks.n_stacks);
	return &rec->stacks.stacks[id];
}
