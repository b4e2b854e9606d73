#ifndef LAGPROF_CORE_STACK_H
#define LAGPROF_CORE_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Interned frames and stacks of a recording. */

enum frame_kind { FRAME_KERNEL, FRAME_NATIVE, FRAME_JS, FRAME_PYTHON, FRAME_JIT };

/*
 * Two frames are the same when every field is.  Strings are interned in the
 * recording; NULL where unknown.
 */
struct frame {
	enum frame_kind kind;
	const char *function; /* demangled */
	const char *module;   /* path of the ELF file in the target, "[vdso]", "[kernel]" */
	const char *build_id; /* of module, hex */
	const char *file;     /* absolute path, node: name or URL, as the runtime gives it */
	uint32_t line;        /* of the call in this frame, 1-based; 0 unknown */
	uint32_t column;
	uint32_t define_line; /* where the function begins, 0 unknown */
	uint64_t address; /* ELF virtual address in module, of the pc (leaf) or the call; 0 if none
			   */
	bool inlined;     /* the next frame of the stack contains it */
	bool guessed;     /* found by a heuristic: the caller may be wrong */
};

/* How a stack ended.  Only STACK_COMPLETE reached the outermost frame. */
enum stack_end {
	STACK_COMPLETE,
	STACK_TRUNCATED,      /* deeper than the copied bytes, and the rest could not be read */
	STACK_SEAM,           /* the rest was read, but had changed meanwhile */
	STACK_NO_UNWIND_INFO, /* no rule for a pc and no frame pointer to follow */
	STACK_BAD_FRAME,      /* a rule led outside the stack or did not move up it */
	STACK_NOT_CODE,       /* a return address outside every executable mapping */
	STACK_TOO_DEEP,       /* more frames than are followed */
	STACK_NO_REGISTERS,
	STACK_ENDS
};
extern const char *const stack_end_names[STACK_ENDS]; /* for JSON: "complete", "truncated", ... */

enum { STACK_MAX = 1024 };

struct stack {
	uint32_t n;
	enum stack_end end;
	const uint32_t *frames; /* ids, leaf first */
};

/* Frame `id` stands for `with`: n >= 1 frames, innermost first. */
struct frame_replacement {
	uint32_t id, n;
	const uint32_t *with; /* frame ids */
};

struct stacks {
	struct frame *frames;
	struct stack *stacks;
	size_t n_frames, n_stacks, cap_frames, cap_stacks;
	uint32_t *frame_slots, *stack_slots; /* hash tables of id + 1 */
	size_t frame_slot_cap, stack_slot_cap;
	struct frame_replacement *replaced; /* all that recording_replace_frames() was given */
	size_t n_replaced, cap_replaced;
};

struct recording;

/* The frame stands for names or a whole stack that found no room in the recording's memory. */
bool frame_is_left_out(const struct frame *f);

/* The id of an equal frame, new or known.  f's strings need not be interned yet. */
uint32_t recording_frame(struct recording *rec, const struct frame *f);
/* The id of an equal stack of n frame ids, leaf first.  Copies. */
uint32_t recording_stack(struct recording *rec, const uint32_t *frames, uint32_t n,
			 enum stack_end end);

/*
 * Puts the replacements in the place of their frames in every stack and keeps
 * arguments at their frames, which is how inlined functions and source lines
 * found at the end of a session come in.  Give all at once, when no more stacks
 * will be added; `with` is copied.
 */
void recording_replace_frames(struct recording *rec, const struct frame_replacement *r, size_t n);

const struct frame *recording_get_frame(const struct recording *rec, uint32_t id);
const struct stack *recording_get_stack(const struct recording *rec, uint32_t id);

#endif
