#include "sampler/runtimes/cpython/cpython.h"

/*
 * Each call of the interpreter's main function runs a segment of the chain of
 * frames: one frame up to 3.10, and since then all those that call one another without C
 * between them.  Where something that belongs to the call lies on the C stack, that
 * tells which C frame it is; else the order does.
 */
enum { INTERPRETERS = 64, THREADS = 4096, SEARCHED = 64 << 10 };

static uint8_t read_byte(struct cpython *py, uint64_t address, int32_t offset)
{
	uint8_t byte = 0;

	if (offset >= 0)
		memory_read(py->mem, address + (uint64_t)offset, &byte, 1);
	return byte;
}

/* A search for the thread that a stack pointer is in. */
struct search {
	uint64_t sp, thread;
	uint64_t nearest; /* how far above sp the thread's own block begins */
	uint64_t last;    /* of the first interpreter: its first thread */
	int left;         /* threads that may still be looked at */
};

/*
 * What pthread_self() says lies at the top of a thread's own stack; the main thread's
 * stack is above all of them.
 */
static void look_at_threads(struct cpython *py, uint64_t interpreter, struct search *s)
{
	uint64_t thread, id;

	if (!cpython_read_word(py, interpreter, py->layout.interpreter_threads, &thread))
		return;
	for (; thread && s->left > 0; s->left--) {
		if (!cpython_read_word(py, thread, py->layout.thread_id, &id))
			return;
		if (id >= s->sp && id - s->sp < s->nearest) {
			s->nearest = id - s->sp;
			s->thread = thread;
		}
		s->last = thread;
		if (!cpython_read_word(py, thread, py->layout.thread_next, &thread))
			return;
	}
}

static uint64_t find_thread(struct cpython *py, uint64_t sp)
{
	struct search s = { .sp = sp, .nearest = UINT64_MAX, .left = THREADS };
	uint64_t interpreter, main_thread = 0;

	if (!cpython_read_word(py, py->runtime, py->layout.runtime_interpreters, &interpreter))
		return 0;
	for (int i = 0; interpreter && i < INTERPRETERS; i++) {
		look_at_threads(py, interpreter, &s);
		/* The newest interpreter comes first, and so does the newest thread. */
		main_thread = s.last;
		if (!cpython_read_word(py, interpreter, py->layout.interpreter_next, &interpreter))
			break;
	}
	return s.thread ? s.thread : main_thread;
}

/* How far the instruction in hand is into the code, in bytes. */
static bool read_at(struct cpython *py, uint64_t frame, uint64_t code, uint32_t *at)
{
	enum { UNIT = 2, CODE_MAX = 1 << 28 };
	const struct cpython_layout *l = &py->layout;
	uint64_t instruction, begin = code + (uint64_t)(int64_t)l->code_instructions;

	if (!cpython_read_word(py, frame, l->frame_instruction, &instruction))
		return false;
	if (l->code_instructions < 0) {
		int32_t number = (int32_t)instruction;

		number = number < 0 ? 0 : number;
		/* Bytes up to 3.9, instructions in 3.10. */
		*at = (uint32_t)number * (l->version >= 310 ? UNIT : 1);
	} else {
		/* Before the first one in a frame that has just been made. */
		*at = instruction < begin ? 0 : (uint32_t)(instruction - begin);
	}
	return *at < CODE_MAX;
}

/* The calls of the interpreter from the innermost: reads where each is on the C stack (3.11). */
static bool read_cframes(struct cpython *py, uint64_t cframe)
{
	for (size_t n = 0; cframe && n < CPYTHON_FRAMES; n++) {
		py->anchors[n] = cframe;
		if (!cpython_read_word(py, cframe, py->layout.cframe_previous, &cframe))
			return false;
	}
	return true;
}

static bool begin_chain(struct cpython *py, uint64_t thread, uint64_t *frame)
{
	const struct cpython_layout *l = &py->layout;
	uint64_t cframe;

	if (l->cframe_frame < 0)
		return cpython_read_word(py, thread, l->thread_frame, frame);
	return cpython_read_word(py, thread, l->thread_frame, &cframe) &&
	       cpython_read_word(py, cframe, l->cframe_frame, frame) && read_cframes(py, cframe);
}

static bool add_frame(struct cpython *py, uint64_t frame)
{
	struct cpython_frame *f = &py->frames[py->n_frames];

	f->address = frame;
	if (!cpython_read_word(py, frame, py->layout.frame_code, &f->code))
		return false;
	/* Its lowest bits may be a mark. */
	f->code &= ~(uint64_t)7;
	f->segment = (uint32_t)py->n_segments;
	if (!read_at(py, frame, f->code, &f->at))
		return false;
	py->n_frames++;
	return true;
}

/* Was that the last frame of its segment? */
static bool ends_segment(struct cpython *py, uint64_t frame, bool shim)
{
	const struct cpython_layout *l = &py->layout;

	if (shim) {
		py->anchors[py->n_segments] = frame;
		return true;
	}
	if (l->owner_shim >= 0)
		return false;
	return l->frame_entry < 0 || read_byte(py, frame, l->frame_entry) == 1;
}

static bool read_chain(struct cpython *py, uint64_t frame)
{
	const struct cpython_layout *l = &py->layout;

	for (int i = 0; frame && i < 2 * CPYTHON_FRAMES; i++) {
		bool shim =
			l->owner_shim >= 0 && read_byte(py, frame, l->frame_owner) == l->owner_shim;

		if (py->n_frames == CPYTHON_FRAMES || py->n_segments == CPYTHON_FRAMES)
			return false;
		if (!shim && !add_frame(py, frame))
			return false;
		if (ends_segment(py, frame, shim))
			py->n_segments++;
		if (!cpython_read_word(py, frame, l->frame_previous, &frame))
			return false;
	}
	return frame == 0;
}

bool cpython_is_loop(const struct cpython *py, const struct raw_stack *stack, size_t i)
{
	uint64_t pc = raw_frame_lookup_pc(&stack->frames[i]);

	for (size_t k = 0; k < py->n_loops; k++)
		if (pc >= py->loops[k].start && pc < py->loops[k].end)
			return true;
	return false;
}

/* Since 3.11: whose mark lies in the C frame. */
static size_t segment_by_anchor(const struct cpython *py, const struct raw_stack *stack, size_t i)
{
	enum { FRAME_GUESS = 4096 };
	uint64_t low = stack->frames[i].sp;
	uint64_t high = i + 1 < stack->n ? stack->frames[i + 1].sp : low + FRAME_GUESS;

	for (size_t s = 0; s < py->n_segments; s++)
		if (py->anchors[s] >= low && py->anchors[s] < high)
			return s;
	return SIZE_MAX;
}

/*
 * Does a register, or the stack below the caller of frame i, hold `word`?  The C function that
 * works on an object has its address there.
 */
static bool stack_holds(const struct cpython *py, const struct raw_stack *stack, size_t i,
			uint64_t word)
{
	uint64_t from = stack->regs.r[DW_RSP], to = stack->frames[i].sp + 4096, at;

	if (i + 1 < stack->n)
		to = stack->frames[i + 1].sp;
	for (int r = 0; r < DW_N; r++)
		if (stack->regs.r[r] == word)
			return true;
	for (uint64_t p = from; p < to && p - from < SEARCHED; p += 8)
		if (memory_read_u64(py->mem, p, &at) == 0 && at == word)
			return true;
	return false;
}

/* Up to 3.10 each frame is a segment, and only their order tells which C frame runs it. */
static size_t segment_by_order(const struct cpython *py, const struct raw_stack *stack, size_t i)
{
	size_t above = 0, below = 0, segment;

	for (size_t k = 0; k < stack->n; k++) {
		above += k < i && cpython_is_loop(py, stack, k);
		below += k > i && cpython_is_loop(py, stack, k);
	}
	/* From the outermost one, unless that was not reached: the innermost may just be beginning.
	 */
	if (stack->end != STACK_COMPLETE || !py->whole)
		segment = above;
	else if (below < py->n_segments)
		segment = py->n_segments - 1 - below;
	else
		return SIZE_MAX;
	if (segment >= py->n_frames || !stack_holds(py, stack, i, py->frames[segment].address))
		return SIZE_MAX;
	return segment;
}

static size_t segment_of(const struct cpython *py, const struct raw_stack *stack, size_t i)
{
	return py->layout.frame_owner >= 0 ? segment_by_anchor(py, stack, i)
					   : segment_by_order(py, stack, i);
}

size_t cpython_frames_of(const struct cpython *py, const struct raw_stack *stack, size_t i,
			 size_t *first)
{
	size_t segment = segment_of(py, stack, i), n = 0;

	for (size_t f = 0; f < py->n_frames; f++) {
		if (py->frames[f].segment != segment)
			continue;
		if (n++ == 0)
			*first = f;
	}
	return n;
}

bool cpython_frames_read(struct cpython *py, const struct raw_stack *stack)
{
	uint64_t thread, frame;

	py->n_frames = py->n_segments = py->n_loops_seen = 0;
	py->whole = false;
	for (size_t i = 0; i < stack->n; i++)
		py->n_loops_seen += cpython_is_loop(py, stack, i);
	if (py->n_loops_seen == 0)
		return false;
	thread = find_thread(py, stack->regs.r[DW_RSP]);
	if (!thread || !begin_chain(py, thread, &frame))
		return false;
	py->whole = read_chain(py, frame);
	return py->n_frames > 0;
}

bool cpython_frames_fit(const struct cpython *py, const struct raw_stack *stack)
{
	size_t i = 0, first;

	while (i < stack->n && !cpython_is_loop(py, stack, i))
		i++;
	return i < stack->n && cpython_frames_of(py, stack, i, &first) > 0 &&
	       stack_holds(py, stack, i, py->frames[first].address);
}
