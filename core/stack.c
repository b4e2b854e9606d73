#include "core/stack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/recording.h"

const char *const stack_end_names[STACK_ENDS] = {
	[STACK_COMPLETE] = "complete",   [STACK_TRUNCATED] = "truncated",
	[STACK_SEAM] = "seam",           [STACK_NO_UNWIND_INFO] = "no_unwind_info",
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
		(uint64_t)f->define_line << 32 | (uint64_t)f->kind << 2 |
			(uint64_t)f->inlined << 1 | f->guessed,
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

/* The slot of an equal frame, or the free one where it belongs; f's strings are interned. */
static uint32_t *frame_slot(struct stacks *s, const struct frame *f)
{
	size_t at;

	if (s->n_frames >= s->frame_slot_cap / 4 * 3)
		index_frames(s);
	at = hash_frame(f) & (s->frame_slot_cap - 1);
	while (s->frame_slots[at] && !same_frame(&s->frames[s->frame_slots[at] - 1], f))
		at = (at + 1) & (s->frame_slot_cap - 1);
	return &s->frame_slots[at];
}

static uint32_t add_frame(struct stacks *s, const struct frame *f)
{
	uint32_t *slot = frame_slot(s, f);

	if (!*slot) {
		ARRAY_GROW(s->frames, s->n_frames, s->cap_frames);
		s->frames[s->n_frames] = *f;
		*slot = (uint32_t)++s->n_frames;
	}
	return *slot - 1;
}

/* The slot of an equal stack, or the free one where it belongs. */
static uint32_t *stack_slot(struct stacks *s, const uint32_t *frames, uint32_t n,
			    enum stack_end end)
{
	size_t at;

	if (s->n_stacks >= s->stack_slot_cap / 4 * 3)
		index_stacks(s);
	at = hash_stack(s, frames, n, end) & (s->stack_slot_cap - 1);
	while (s->stack_slots[at] &&
	       !same_stack(&s->stacks[s->stack_slots[at] - 1], frames, n, end))
		at = (at + 1) & (s->stack_slot_cap - 1);
	return &s->stack_slots[at];
}

static uint32_t add_stack(struct recording *rec, const uint32_t *frames, uint32_t n,
			  enum stack_end end)
{
	struct stacks *s = &rec->stacks;
	uint32_t *slot = stack_slot(s, frames, n, end), *copy;

	if (*slot)
		return *slot - 1;
	copy = arena_alloc(&rec->arena, n * sizeof(*frames));
	if (n)
		memcpy(copy, frames, n * sizeof(*frames));
	ARRAY_GROW(s->stacks, s->n_stacks, s->cap_stacks);
	s->stacks[s->n_stacks] = (struct stack){ .n = n, .end = end, .frames = copy };
	*slot = (uint32_t)++s->n_stacks;
	return *slot - 1;
}

/*
 * How much of a new frame or stack is kept.  Every pc is another frame, so a
 * long session has endless stacks that differ in nothing else, mostly at the
 * leaf.
 */
enum detail { DETAIL_ALL, DETAIL_CALLERS, DETAIL_NAMES, DETAIL_NONE };

static enum detail detail(const struct recording *rec)
{
	const struct stacks *s = &rec->stacks;
	size_t used = rec->arena.bytes + s->n_frames * sizeof(*s->frames) +
		      s->n_stacks * sizeof(*s->stacks);

	if (!rec->memory_max || used < rec->memory_max / 2)
		return DETAIL_ALL;
	if (used < rec->memory_max / 4 * 3)
		return DETAIL_CALLERS;
	return used < rec->memory_max ? DETAIL_NAMES : DETAIL_NONE;
}

static const char LEFT_OUT[] = "[left out]";

bool frame_is_left_out(const struct frame *f)
{
	return f->kind == FRAME_NATIVE && !f->module && f->function &&
	       strcmp(f->function, LEFT_OUT) == 0;
}

static uint32_t left_out(struct recording *rec)
{
	const struct frame f = { .kind = FRAME_NATIVE,
				 .function = recording_intern(rec, LEFT_OUT) };

	recording_note(rec,
		       "the names or stacks of some samples were left out: they would take "
		       "more than %zu MB",
		       rec->memory_max / 1000000);
	return add_frame(&rec->stacks, &f);
}

/* Replaces *s by its interned copy; false if there is none and may be none. */
static bool intern(struct recording *rec, const char **s, bool add)
{
	if (*s) {
		*s = add ? recording_intern(rec, *s) : strings_find(&rec->strings, *s);
		return *s != NULL;
	}
	return true;
}

uint32_t recording_frame(struct recording *rec, const struct frame *f)
{
	enum detail d = detail(rec);
	bool add = d != DETAIL_NONE;
	struct frame frame = *f;

	if (!intern(rec, &frame.function, add) || !intern(rec, &frame.module, add) ||
	    !intern(rec, &frame.build_id, add) || !intern(rec, &frame.file, add))
		return left_out(rec);
	if (d >= DETAIL_NAMES && !*frame_slot(&rec->stacks, &frame))
		frame.address = frame.column = 0;
	return add || *frame_slot(&rec->stacks, &frame) ? add_frame(&rec->stacks, &frame)
							: left_out(rec);
}

/* The frame without what tells pcs of one line apart. */
static uint32_t without_address(struct recording *rec, uint32_t id)
{
	struct frame f = rec->stacks.frames[id];

	f.address = f.column = 0;
	return add_frame(&rec->stacks, &f);
}

/* For a stack that is not known yet. */
static uint32_t add_coarse_stack(struct recording *rec, const uint32_t *frames, uint32_t n,
				 enum stack_end end)
{
	enum detail d = detail(rec);
	uint32_t *coarse = xcalloc(n + 1, sizeof(*coarse)), id;

	for (uint32_t i = 0; i < n; i++)
		coarse[i] =
			i == 0 || d != DETAIL_CALLERS ? without_address(rec, frames[i]) : frames[i];
	if (d == DETAIL_NONE && !*stack_slot(&rec->stacks, coarse, n, end)) {
		coarse[0] = left_out(rec);
		n = 1;
	}
	id = add_stack(rec, coarse, n, end);
	free(coarse);
	return id;
}

uint32_t recording_stack(struct recording *rec, const uint32_t *frames, uint32_t n,
			 enum stack_end end)
{
	if (detail(rec) == DETAIL_ALL || *stack_slot(&rec->stacks, frames, n, end))
		return add_stack(rec, frames, n, end);
	return add_coarse_stack(rec, frames, n, end);
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

/*
 * Arguments name their frame by its place in the stack, which moves: do this
 * before the stacks.  Neighbours share their arguments, so they get new ones.
 */
static void move_arguments(struct recording *rec, const struct replacing *with)
{
	const struct argument *from = NULL;
	struct argument *to = NULL;
	uint32_t stack = 0;

	for (size_t i = 0; i < rec->n_samples; i++) {
		struct sample *s = &rec->samples[i];
		const struct stack *k = &rec->stacks.stacks[s->stack];

		if (!s->arguments || !is_replaced(with, k))
			continue;
		if (s->arguments != from || s->stack != stack) {
			from = s->arguments;
			stack = s->stack;
			to = arena_alloc(&rec->arena, s->n_arguments * sizeof(*to));
			memcpy(to, s->arguments, s->n_arguments * sizeof(*to));
			for (size_t j = 0; j < s->n_arguments; j++)
				if (to[j].frame < k->n)
					to[j].frame =
						(uint32_t)replaced_length(with, k, to[j].frame);
		}
		s->arguments = to;
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
	for (size_t i = 0; i < rec->n_calls; i++)
		rec->calls[i].stack = first[rec->calls[i].stack];
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
			(struct frame_replacement){ .id = r[i].id, .n = r[i].n, .with = with };
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
	with = (struct replacing){ .r = r, .by_id = by_id };
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
