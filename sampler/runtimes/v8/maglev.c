#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "sampler/runtimes/v8/deopt.h"

/*
 * Maglev's code of V8 12 and 13 has no position table, and in that of V8 14 calls that were
 * inlined into a loop have the loop's place.  What it has are its exits: a call belongs to
 * the exit that it would return to, which is exact.  A check jumps to an exit that goes back
 * to where the last side effect was: the check is there or behind.  Code is laid out as the
 * bytecode is, so an instruction lies between the places of the exits around it: where all
 * of these are on one line, that is its line, else it is not known.  Where there is a table
 * it numbers the inlined calls: any exit of the same one tells where the call was.
 */
enum {
	JUMP_BYTES = 4, /* of a jump's distance, behind its opcode */
	ANCHORS_MAX = 1 << 16,
	CALL_EXITS = 32, /* looked at to either side for those of an inlined call */
};

/* An offset of the code that belongs to an exit. */
struct anchor {
	int64_t offset, exit;
};

struct anchors {
	struct anchor *list;
	size_t n, cap;
};

static void add(struct anchors *a, int64_t offset, int64_t exit)
{
	if (a->n == ANCHORS_MAX)
		return;
	ARRAY_GROW(a->list, a->n, a->cap);
	a->list[a->n++] = (struct anchor){ offset, exit };
}

/* Calls: the last byte of each. */
static void add_calls(struct v8 *v8, const struct v8_code *code, const struct v8_exits *exits,
		      struct anchors *a)
{
	uint64_t at = code->start + code->size;
	uint8_t header[V8_SAFEPOINT_HEADER], *entries;
	struct v8_safepoints s;

	if (!v8_read(&v8->heap, at, header, sizeof(header)) ||
	    !v8_safepoints_open(&s, header, v8->layout.safepoint_length))
		return;
	entries = v8_exit_bytes(v8, at + sizeof(header), (size_t)s.n * s.entry_size);
	for (uint32_t i = 0; entries && i < s.n; i++) {
		int64_t index;
		uint32_t pc;

		v8_safepoint(&s, entries, i, &pc, &index);
		if (pc > 0 && pc <= code->size && index >= exits->eager && index < exits->n)
			add(a, (int64_t)pc - 1, index);
	}
	free(entries);
}

/* Is there a jump with a 32-bit distance whose last byte but four is bytes[i]? */
static bool is_jump(const uint8_t *bytes, size_t i)
{
	return bytes[i] == 0xe9 || (i > 0 && bytes[i - 1] == 0x0f && bytes[i] >> 4 == 8);
}

/* Checks: nothing but their jumps has the distance to an exit in it. */
static void add_checks(struct v8 *v8, const struct v8_code *code, const struct v8_exits *exits,
		       struct anchors *a)
{
	uint8_t *bytes = v8_exit_bytes(v8, code->start, code->size);

	for (size_t i = 0; bytes && i + JUMP_BYTES < code->size; i++) {
		int32_t distance;
		int64_t end = (int64_t)i + 1 + JUMP_BYTES, exit;

		if (!is_jump(bytes, i))
			continue;
		memcpy(&distance, bytes + i + 1, sizeof(distance));
		exit = v8_exit_at(exits, end + distance);
		if (exit >= 0 && exit < exits->eager)
			add(a, end - 1, exit);
	}
	free(bytes);
}

static int by_offset(const void *x, const void *y)
{
	const struct anchor *a = x, *b = y;

	return (a->offset > b->offset) - (a->offset < b->offset);
}

/* The frames of an exit, outermost first. */
struct frames {
	struct v8_translated at[RUNTIME_MAX_INLINED];
	size_t n;
};

static void read_frames(struct v8 *v8, const struct v8_exits *exits, int64_t exit, struct frames *f)
{
	f->n = v8_exit_frames(v8, exits, exit, f->at);
}

static bool is_same(const struct v8_translated *a, const struct v8_translated *b)
{
	return a->bytecode == b->bytecode && a->function == b->function;
}

/* How many of the outermost frames are the same. */
static size_t common(const struct frames *a, const struct frames *b)
{
	size_t n = 0;

	while (n < a->n && n < b->n && is_same(&a->at[n], &b->at[n]))
		n++;
	return n;
}

/*
 * What lies around an offset, at a call the same twice and exact: the exit before, and the first
 * one behind whose place is exact: a call's, or the first check's after a side effect, which is
 * where a new place begins.
 */
static bool surroundings(struct v8 *v8, const struct v8_exits *exits, const struct anchors *a,
			 int64_t offset, struct frames *before, struct frames *behind, bool *exact)
{
	struct frames last;
	size_t i = 0;

	while (i < a->n && a->list[i].offset < offset)
		i++;
	if (i < a->n && a->list[i].offset == offset && a->list[i].exit >= exits->eager) {
		read_frames(v8, exits, a->list[i].exit, before);
		*behind = *before;
		*exact = true;
		return before->n > 0;
	}
	if (i == 0 || i == a->n)
		return false;
	read_frames(v8, exits, a->list[i - 1].exit, before);
	for (last = *before; i < a->n && v8->exit_budget; i++, last = *behind) {
		read_frames(v8, exits, a->list[i].exit, behind);
		if (a->list[i].exit >= exits->eager || behind->n != last.n ||
		    common(behind, &last) < last.n)
			return before->n > 0 && behind->n > 0;
	}
	return false;
}

/* Are the places of all bytecodes from one to another on one line? */
static bool is_one_line(struct v8 *v8, const struct v8_function *f, int32_t first, int32_t last)
{
	struct v8_span span;
	uint64_t array, table;
	int32_t length;
	struct v8_place a, b;

	if (first < 0 || last < first || !v8_function_bytecode(v8, f->shared, &array) ||
	    !v8_field_smi(&v8->heap, array, v8->layout.bytecode_length, &length) ||
	    !v8_field(&v8->heap, array, v8->layout.bytecode_positions, &table) ||
	    !v8_span_of(v8, table, length, first, last, &span))
		return false;
	a = v8_place_of(v8, f, span.min);
	b = v8_place_of(v8, f, span.max);
	return a.line && a.line == b.line;
}

/* Sites between two places, innermost first. */
static size_t sites_between(struct v8 *v8, const struct v8_exits *exits, const struct frames *a,
			    const struct frames *b, struct v8_site *sites, size_t max)
{
	size_t same = common(a, b), n = same;

	/* Beyond that one is in a function that the other is not in, or further in the same. */
	if (same < a->n && same < b->n && a->at[same].function == b->at[same].function)
		n++;
	if (n == 0 || n > max)
		return 0;
	for (size_t i = 0; i < n; i++) {
		struct v8_site *site = &sites[n - 1 - i];

		if (!v8_exit_site(v8, exits, &a->at[i], site))
			return 0;
		if (i == same &&
		    !is_one_line(v8, &site->function, a->at[i].bytecode, b->at[i].bytecode))
			site->position = V8_UNTRIED;
	}
	return n;
}

/* The number of the inlined call at an offset by the position table, 0: none. */
static uint32_t inlining_at(struct v8 *v8, const struct v8_code *code, int64_t offset)
{
	struct v8_position position;

	return v8_position_at(v8, code->positions, (int64_t)code->size, offset, &position)
		       ? position.inlining
		       : 0;
}

/* The most frames that an exit of an inlined call tells, of those next to an offset. */
static void frames_of_call(struct v8 *v8, const struct v8_code *code, const struct v8_exits *exits,
			   const struct anchors *a, int64_t offset, struct frames *most)
{
	uint32_t inlining = inlining_at(v8, code, offset);
	struct frames frames;
	size_t i = 0;

	most->n = 0;
	while (i < a->n && a->list[i].offset < offset)
		i++;
	for (size_t k = i > CALL_EXITS ? i - CALL_EXITS : 0;
	     inlining && k < a->n && k < i + CALL_EXITS && v8->exit_budget; k++) {
		if (inlining_at(v8, code, a->list[k].offset) != inlining)
			continue;
		read_frames(v8, exits, a->list[k].exit, &frames);
		if (frames.n > most->n)
			*most = frames;
	}
}

/* Sites of an inlined call, the innermost of which is not known. */
static size_t sites_of_call(struct v8 *v8, const struct v8_exits *exits, const struct frames *f,
			    struct v8_site *sites, size_t max)
{
	if (f->n > max)
		return 0;
	for (size_t i = 0; i < f->n; i++) {
		if (!v8_exit_site(v8, exits, &f->at[i], &sites[f->n - 1 - i]))
			return 0;
	}
	sites[0].position = V8_UNTRIED;
	return f->n;
}

static size_t find_sites(struct v8 *v8, const struct v8_code *code, const struct v8_exits *exits,
			 int64_t offset, struct v8_site *sites, size_t max, bool *exact)
{
	struct anchors a = { 0 };
	struct frames before, behind;
	size_t n = 0;

	*exact = false;
	add_calls(v8, code, exits, &a);
	add_checks(v8, code, exits, &a);
	if (a.n)
		qsort(a.list, a.n, sizeof(*a.list), by_offset);
	if (surroundings(v8, exits, &a, offset, &before, &behind, exact))
		n = sites_between(v8, exits, &before, &behind, sites, max);
	if (!*exact) {
		frames_of_call(v8, code, exits, &a, offset, &before);
		if (before.n)
			n = sites_of_call(v8, exits, &before, sites, max);
	}
	free(a.list);
	return n;
}

size_t v8_maglev_sites(struct v8 *v8, const struct v8_code *code, const struct v8_exits *exits,
		       int64_t offset, struct v8_site *sites, size_t max, bool *exact)
{
	struct v8_maglev_slot *slot = &v8->maglev[(code->start + (uint64_t)offset) % V8_MAGLEV];
	size_t room = max < V8_MAGLEV_SITES ? max : V8_MAGLEV_SITES;

	if (!v8->layout.translations[0])
		return 0;
	/* The data is of this code alone: other code at its place has its own. */
	if (slot->code != code->object || slot->deopt != exits->data || slot->offset != offset) {
		slot->n = find_sites(v8, code, exits, offset, sites, room, &slot->exact);
		/* Another sample may have the bytes that this one has used up. */
		slot->code = v8->exit_budget ? code->object : 0;
		slot->deopt = exits->data;
		slot->offset = offset;
		for (size_t i = 0; i < slot->n; i++) {
			slot->shared[i] = sites[i].function.shared;
			slot->position[i] = sites[i].position;
		}
	}
	if (slot->n > max)
		return 0;
	*exact = slot->exact;
	for (size_t i = 0; i < slot->n; i++) {
		sites[i].position = slot->position[i];
		if (!v8_function_of(v8, slot->shared[i], &sites[i].function))
			return 0;
	}
	return slot->n;
}
