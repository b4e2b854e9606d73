#include <errno.h>
#include <stdlib.h>

#include "core/arena.h"
#include "sampler/runtimes/cpython/cpython.h"
#include "tests/test.h"

/*
 * A process of literal words: its heap and interpreter at HEAP, and the stack of
 * its thread at STACK.  Everything else is unmapped.
 */
enum { HEAP = 0x100000, STACK = 0x7f0000, WORDS = 2048, EVAL = 0x5000, EVAL_SIZE = 0x1000 };
enum { STRING_TYPE = HEAP + 8 * 2000, CODE_TYPE = STRING_TYPE + 8, BYTES_TYPE = CODE_TYPE + 8 };
enum { TUPLE_TYPE = BYTES_TYPE + 8, LIST_TYPE = TUPLE_TYPE + 8 };

struct fake {
	struct memory base;
	uint64_t heap[WORDS], stack[WORDS];
	struct cpython *py;
	struct raw_stack raw;
};

static int fake_read(struct memory *self, uint64_t addr, void *buf, size_t len)
{
	struct fake *f = (struct fake *)self;
	const uint64_t *words = addr < STACK ? f->heap : f->stack;
	uint64_t offset = addr - (addr < STACK ? HEAP : STACK);

	if (offset > sizeof(f->heap) || len > sizeof(f->heap) - offset)
		return -EFAULT;
	memcpy(buf, (const char *)words + offset, len);
	return 0;
}

static void put(struct fake *f, uint64_t address, int32_t offset, uint64_t value, size_t len)
{
	uint64_t at = address + (uint64_t)offset;

	memcpy((char *)(at < STACK ? f->heap : f->stack) + (at - (at < STACK ? HEAP : STACK)),
	       &value, len);
}

static uint64_t heap_at(int word)
{
	return HEAP + (uint64_t)word * 8;
}

static uint64_t put_string(struct fake *f, int word, const char *text)
{
	const struct cpython_layout *l = &f->py->layout;
	uint64_t object = heap_at(word);

	put(f, object, 8, STRING_TYPE, 8);
	put(f, object, l->string_length, strlen(text), 8);
	put(f, object, l->string_state, 1 << 2 | 1 << 5 | 1 << 6, 4);
	memcpy((char *)f->heap + (object - HEAP) + l->string_header, text, strlen(text));
	return object;
}

/* A code object of a function in line 40 of its file, with a table that says no more. */
static uint64_t put_code(struct fake *f, int word, const char *name)
{
	const struct cpython_layout *l = &f->py->layout;
	uint64_t object = heap_at(word);

	put(f, object, 8, CODE_TYPE, 8);
	put(f, object, l->code_file, put_string(f, word + 40, "/srv/app.py"), 8);
	put(f, object, l->code_name, put_string(f, word + 50, name), 8);
	put(f, object, l->code_first_line, 40, 4);
	return object;
}

static uint64_t put_frame(struct fake *f, uint64_t frame, uint64_t code, uint64_t previous)
{
	const struct cpython_layout *l = &f->py->layout;

	put(f, frame, l->frame_code, code, 8);
	put(f, frame, l->frame_previous, previous, 8);
	put(f, frame, l->frame_instruction,
	    l->code_instructions < 0 ? 4 : code + (uint64_t)l->code_instructions + 4,
	    l->code_instructions < 0 ? 4 : 8);
	return frame;
}

static uint64_t put_shim(struct fake *f, uint64_t frame, uint64_t previous)
{
	put(f, frame, f->py->layout.frame_previous, previous, 8);
	put(f, frame, f->py->layout.frame_owner, (uint64_t)f->py->layout.owner_shim, 1);
	return frame;
}

/* One interpreter with one thread, whose innermost frame is `frame`; 3.12: by a cframe. */
static void put_thread(struct fake *f, uint64_t frame)
{
	const struct cpython_layout *l = &f->py->layout;

	put(f, f->py->runtime, l->runtime_interpreters, heap_at(1000), 8);
	put(f, heap_at(1000), l->interpreter_threads, heap_at(40), 8);
	if (l->cframe_frame >= 0) {
		put(f, heap_at(40), l->thread_frame, heap_at(70), 8);
		put(f, heap_at(70), l->cframe_frame, frame, 8);
	} else {
		put(f, heap_at(40), l->thread_frame, frame, 8);
	}
}

/* A C frame that runs from the stack's word sp on; eval: in the interpreter's main function. */
static void push(struct fake *f, bool eval, int sp)
{
	f->raw.frames[f->raw.n++] = (struct raw_frame){ .pc = eval ? EVAL + 8 : 0x100,
							.sp = STACK + (uint64_t)sp * 8,
							.how = HOW_CFI };
	f->raw.regs.r[DW_RSP] = f->raw.frames[0].sp;
}

static struct fake *fake_new(int32_t version)
{
	struct fake *f = xcalloc(1, sizeof(*f));

	f->base.read = fake_read;
	f->py = xcalloc(1, sizeof(*f->py));
	f->py->rec = recording_new();
	f->py->mem = &f->base;
	f->py->layout = *cpython_layout_find(version);
	f->py->runtime = heap_at(0);
	f->py->types.string = STRING_TYPE;
	f->py->types.code = CODE_TYPE;
	f->py->types.bytes = BYTES_TYPE;
	f->py->types.tuple = TUPLE_TYPE;
	f->py->types.list = LIST_TYPE;
	f->py->loops[0].start = EVAL;
	f->py->loops[0].end = EVAL + EVAL_SIZE;
	f->py->n_loops = 1;
	f->py->codes = xcalloc(CPYTHON_CODES, sizeof(*f->py->codes));
	f->py->lines = xcalloc(CPYTHON_LINES, sizeof(*f->py->lines));
	return f;
}

static void fake_free(struct fake *f)
{
	recording_free(f->py->rec);
	free(f->py->codes);
	free(f->py->lines);
	free(f->py);
	free(f);
}

static const char *name_at(struct fake *f, size_t frame)
{
	struct cpython_code code;

	return cpython_code_at(f->py, f->py->frames[frame].code, &code) ? code.name : NULL;
}

/* Two calls of the interpreter with C between them: inner <- C <- middle, outer. */
static void two_segments(struct fake *f)
{
	uint64_t shim = put_shim(f, STACK + 8 * 100, 0);
	uint64_t outer = put_frame(f, heap_at(100), put_code(f, 200, "outer"), shim);
	uint64_t middle = put_frame(f, heap_at(112), put_code(f, 270, "middle"), outer);
	uint64_t inner_shim = put_shim(f, STACK + 8 * 40, middle);

	put_thread(f, put_frame(f, heap_at(124), put_code(f, 340, "inner"), inner_shim));
	push(f, false, 10);
	push(f, true, 30);
	push(f, false, 60);
	push(f, true, 90);
	push(f, false, 120);
}

TEST(frames_belong_to_the_call_of_the_interpreter_whose_mark_is_on_its_stack)
{
	struct fake *f = fake_new(313);
	size_t first = 99;

	two_segments(f);
	CHECK(cpython_frames_read(f->py, &f->raw));
	CHECK(f->py->whole);
	CHECK_EQ(f->py->n_frames, 3);
	CHECK_EQ(cpython_frames_of(f->py, &f->raw, 1, &first), 1);
	CHECK_STR(name_at(f, first), "inner");
	CHECK_EQ(cpython_frames_of(f->py, &f->raw, 3, &first), 2);
	CHECK_STR(name_at(f, first), "middle");
	CHECK_STR(name_at(f, first + 1), "outer");
	fake_free(f);
}

TEST(frames_of_a_thread_that_went_on_are_not_shown_for_the_sample)
{
	struct fake *f = fake_new(313);
	size_t first;

	two_segments(f);
	/* The sample was taken when the inner call had not been made yet, deeper down. */
	f->raw.frames[1].sp = STACK + 8 * 50;
	CHECK(cpython_frames_read(f->py, &f->raw));
	CHECK_EQ(cpython_frames_of(f->py, &f->raw, 1, &first), 0);
	CHECK_EQ(cpython_frames_of(f->py, &f->raw, 3, &first), 2);
	fake_free(f);
}

/* Up to 3.10 each frame has a call of its own, and the C stack holds the frame's address. */
TEST(frames_of_3_10_follow_the_order_of_the_calls)
{
	struct fake *f = fake_new(310);
	uint64_t outer, inner;
	size_t first = 99;

	outer = put_frame(f, heap_at(100), put_code(f, 200, "outer"), 0);
	inner = put_frame(f, heap_at(124), put_code(f, 340, "inner"), outer);
	put_thread(f, inner);
	f->stack[35] = inner;
	f->stack[95] = outer;
	push(f, true, 30);
	push(f, false, 60);
	push(f, true, 90);
	push(f, false, 120);
	CHECK(cpython_frames_read(f->py, &f->raw));
	CHECK_EQ(cpython_frames_of(f->py, &f->raw, 0, &first), 1);
	CHECK_STR(name_at(f, first), "inner");
	CHECK_EQ(cpython_frames_of(f->py, &f->raw, 2, &first), 1);
	CHECK_STR(name_at(f, first), "outer");
	/* Another function runs there by now. */
	f->stack[35] = 0;
	CHECK_EQ(cpython_frames_of(f->py, &f->raw, 0, &first), 0);
	fake_free(f);
}

TEST(frames_that_lead_back_to_themselves_end)
{
	struct fake *f = fake_new(313);
	uint64_t code = put_code(f, 200, "ring"), a = heap_at(100), b = heap_at(112);

	put_frame(f, a, code, b);
	put_thread(f, put_frame(f, b, code, a));
	push(f, true, 30);
	push(f, false, 60);
	cpython_frames_read(f->py, &f->raw);
	CHECK(!f->py->whole);
	fake_free(f);
}

TEST(the_thread_is_the_one_whose_own_block_is_next_above_its_stack)
{
	struct fake *f = fake_new(313);
	const struct cpython_layout *l = &f->py->layout;
	uint64_t shim = put_shim(f, STACK + 8 * 40, 0);
	uint64_t frame = put_frame(f, heap_at(100), put_code(f, 200, "worker"), shim);

	put_thread(f, 0);
	/* The first in the list is the worker, the main thread is behind it. */
	put(f, heap_at(40), l->thread_next, heap_at(80), 8);
	put(f, heap_at(40), l->thread_id, STACK + 8 * 200, 8);
	put(f, heap_at(40), l->thread_frame, frame, 8);
	put(f, heap_at(80), l->thread_id, HEAP, 8);
	push(f, true, 30);
	push(f, false, 60);
	CHECK(cpython_frames_read(f->py, &f->raw));
	CHECK_STR(name_at(f, 0), "worker");
	/* No thread's block is above that of the main thread's stack. */
	put(f, heap_at(40), l->thread_id, HEAP + 8, 8);
	CHECK(!cpython_frames_read(f->py, &f->raw));
	fake_free(f);
}

TEST(a_code_object_in_the_place_of_another_is_read_anew)
{
	struct fake *f = fake_new(312);
	struct cpython_code code;
	uint64_t object = put_code(f, 200, "old");

	CHECK(cpython_code_at(f->py, object, &code));
	CHECK_STR(code.name, "old");
	CHECK_STR(code.file, "/srv/app.py");
	put(f, object, f->py->layout.code_name, put_string(f, 300, "new"), 8);
	CHECK(cpython_code_at(f->py, object, &code));
	CHECK_STR(code.name, "new");
	CHECK_EQ(cpython_line_at(f->py, &code, 4), 40);
	put(f, object, 8, STRING_TYPE, 8);
	CHECK(!cpython_code_at(f->py, object, &code));
	fake_free(f);
}

TEST(offsets_that_the_interpreter_tells_override_the_rows_unless_they_make_no_sense)
{
	struct cpython_layout layout = *cpython_layout_find(313);
	uint64_t words[CPYTHON_OFFSETS] = { 0 };

	for (size_t i = 3; i < CPYTHON_OFFSETS; i++)
		words[i] = 8 * i;
	memcpy(words, "xdebugpy", 8);
	words[1] = 0x030d02f0;
	CHECK(cpython_layout_override(&layout, words));
	CHECK_EQ(layout.thread_frame, 8 * 23);
	words[2] = 1; /* without the GIL */
	CHECK(!cpython_layout_override(&layout, words));
	words[2] = 0;
	words[1] = 0x030e00f0;
	CHECK(!cpython_layout_override(&layout, words));
	words[1] = 0x030d02f0;
	words[43] = 1ULL << 40;
	CHECK(!cpython_layout_override(&layout, words));
	CHECK(cpython_layout_find(308) == NULL);
}

/* subprocess.run(["sh", "-c"]): its fifth local is a tuple, the first word of that a list. */
TEST(the_command_of_a_child_is_read_from_the_locals_of_the_function_that_waits)
{
	static const int32_t versions[] = { 309, 310, 311, 312, 313 };

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		struct fake *f = fake_new(versions[i]);
		const struct cpython_layout *l = &f->py->layout;
		uint64_t code = put_code(f, 200, "run"), frame = heap_at(100);
		uint64_t tuple = heap_at(500), list = heap_at(510), items = heap_at(520);
		struct argument out[RUNTIME_MAX_ARGUMENTS];

		put(f, code, l->code_file, put_string(f, 240, "/usr/lib/python3/subprocess.py"), 8);
		put_frame(f, frame, code, 0);
		put(f, tuple, 8, TUPLE_TYPE, 8);
		put(f, tuple, 16, 1, 8);
		put(f, tuple, 24, list, 8);
		put(f, list, 8, LIST_TYPE, 8);
		put(f, list, 16, 2, 8);
		put(f, list, 24, items, 8);
		put(f, items, 0, put_string(f, 600, "sh"), 8);
		put(f, items, 8, put_string(f, 620, "-c"), 8);
		put(f, frame, l->frame_locals + 8 * 4, tuple, 8);
		f->stack[35] = frame;
		f->py->frames[0] = (struct cpython_frame){ .address = frame, .code = code };
		f->py->n_frames = f->py->n_segments = 1;
		f->py->anchors[0] = STACK + 8 * 40;
		f->py->whole = true;
		push(f, true, 30);
		push(f, false, 60);
		CHECK_EQ(cpython_locals(f->py, &f->raw, out, 0), 1);
		CHECK_EQ(out[0].key, ARG_COMMAND);
		CHECK_STR(out[0].text, "sh -c");
		/* Not what it is thought to be. */
		put(f, tuple, 8, STRING_TYPE, 8);
		CHECK_EQ(cpython_locals(f->py, &f->raw, out, 0), 0);
		fake_free(f);
	}
}
