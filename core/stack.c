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

/* The table's own address seeds the hash: ids out of a file must not be able to collide. */
static uint64_t hash_stack(const struct stacks *s, const uint32_t *frames, uint32_t n,
			   enum stack_end end)
{
	return hash_bytes((uintptr_t)s + end, frames, n * sizeof(*frames));
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

		put(s->stack_slots, s->stack_slot_cap, hash_stack(s, k->frames, k->n, k->end),
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
	at = hash_stack(s, frames, n, end) & (s->stack_slot_cap - 1);
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

/* What replaces each frame: by_id[id] is its index in r plus one, 0: nothing. */
struct replacing {
	const struct frame_replacement *r;
	const uint32_t *by_id;
};

/* How many frames the first n of a stack become. */
static size_t replaced_length(const struct replacing *with, const struct stack *k, size_t n)
{
	size_t length = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t by = with->by_id[k->frames[i]];

		length += by ? with->r[by - 1].n : 1;
	}
	return length;
}

static void replace_in_stack(struct arena *a, struct stack *k, const struct replacing *with)
{
	size_t n = replaced_length(with, k, k->n), at = 0;
	uint32_t *frames = arena_alloc(a, n * sizeof(*frames));

	for (size_t i = 0; i < k->n; i++) {
		uint32_t by = with->by_id[k->frames[i]];

		if (by) {
			memcpy(frames + at, with->r[by - 1].with,
			       with->r[by - 1].n * sizeof(*frames));
			at += with->r[by - 1].n;
		} else {
			frames[at++] = k->frames[i];
		}
	}
	k->frames = frames;
	k->n = (uint32_t)n;
}

static bool is_replaced(const struct replacing *with, const struct stack *k)
{
	for (size_t i = 0; i < k->n; i++)
		if (with->by_id[k->frames[i]])
			return true;
	return false;
}

/* Arguments name their frame by its place in the stack, which moves: do this before the stacks. */
static void move_arguments(struct recording *rec, const struct replacing *with)
{
	for (size_t i = 0; i < rec->n_samples; i++) {
		const struct sample *s = &rec->samples[i];
		/* They are the recording's own copies (recording_add_sample). */
		struct argument *args = (struct argument *)s->arguments;
		const struct stack *k = s->n_arguments ? &rec->stacks.stacks[s->stack] : NULL;

		for (size_t j = 0; j < s->n_arguments; j++)
			if (args[j].frame < k->n)
				args[j].frame = (uint32_t)replaced_length(with, k, args[j].frame);
	}
}

/* Stacks that have become equal: samples move to the first of them. */
static void merge_equal_stacks(struct recording *rec)
{
	struct stacks *s = &rec->stacks;
	uint32_t *first = xcalloc(s->n_stacks, sizeof(*first));

	renew(&s->stack_slots, &s->stack_slot_cap);
	for (size_t i = 0; i < s->n_stacks; i++) {
		const struct stack *k = &s->stacks[i];
		size_t at = hash_stack(s, k->frames, k->n, k->end) & (s->stack_slot_cap - 1);

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

/* Keeps r for whoever writes the recording down. */
static void remember_replacements(struct recording *rec, const struct frame_replacement *r,
				  size_t n)
{
	struct stacks *s = &rec->stacks;

	for (size_t i = 0; i < n; i++) {
		uint32_t *with = arena_alloc(&rec->arena, r[i].n * sizeof(*with));

		memcpy(with, r[i].with, r[i].n * sizeof(*with));
		ARRAY_GROW(s->replaced, s->n_replaced, s->cap_replaced);
		s->replaced[s->n_replaced++] =
		    (struct frame_replacement){.id = r[i].id, .n = r[i].n, .with = with};
	}
}

void recording_replace_frames(struct recording *rec, const struct frame_replacement *r, size_t n)
{
	struct stacks *s = &rec->stacks;
	uint32_t *by_id;
	struct replacing with;

	if (n == 0 || s->n_stacks == 0)
		return;
	by_id = xcalloc(s->n_frames, sizeof(*by_id));
	for (size_t i = 0; i < n; i++) {
		assert(r[i].id < s->n_frames && r[i].n >= 1);
		by_id[r[i].id] = (uint32_t)i + 1;
	}
	with = (struct replacing){.r = r, .by_id = by_id};
	move_arguments(rec, &with);
	for (size_t i = 0; i < s->n_stacks; i++)
		if (is_replaced(&with, &s->stacks[i]))
			replace_in_stack(&rec->arena, &s->stacks[i], &with);
	free(by_id);
	remember_replacements(rec, r, n);
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
