#ifndef LAGPROF_SAMPLER_UNWIND_H
#define LAGPROF_SAMPLER_UNWIND_H

#include <string.h>

#include "core/stack.h"
#include "sampler/memory.h"
#include "sampler/space.h"

/* x86-64 registers by DWARF number: 0 rax 1 rdx 2 rcx 3 rbx 4 rsi 5 rdi 6 rbp 7 rsp 8-15, 16 rip.
 */
enum { DW_RAX = 0, DW_RBX = 3, DW_RBP = 6, DW_RSP = 7, DW_RIP = 16, DW_N = 17 };

struct regs {
	uint64_t r[DW_N];
	uint32_t valid; /* bit per register */
};

enum unwind_how {
	HOW_LEAF,   /* the sample's own registers */
	HOW_CFI,    /* reached by a rule of .eh_frame */
	HOW_FP,     /* by the frame pointer (V8 builtins and JIT code, or no rule) */
	HOW_SIGNAL, /* by a signal frame: pc is not a return address */
	HOW_SCAN,   /* by searching the stack: a guess */
};

struct raw_frame {
	uint64_t pc; /* leaf and after HOW_SIGNAL: the pc itself; else the return address */
	uint64_t sp; /* stack pointer in this frame */
	uint64_t fp; /* rbp in this frame; 0 if lost */
	enum unwind_how how;
};

/* A recursion of node's default stack; a recording holds STACK_MAX of them, from both ends. */
enum { RAW_STACK_MAX = 4000 };

struct raw_stack {
	struct raw_frame frames[RAW_STACK_MAX]; /* leaf first */
	size_t n;
	enum stack_end end;
	struct regs regs; /* of the leaf, as sampled */
};

/* pc, or pc - 1 where pc is a return address: the address to look up. */
static inline uint64_t raw_frame_lookup_pc(const struct raw_frame *f)
{
	return f->how == HOW_LEAF || f->how == HOW_SIGNAL ? f->pc : f->pc - 1;
}

/* Copies what is used of it. */
static inline void raw_stack_copy(struct raw_stack *to, const struct raw_stack *from)
{
	memcpy(to->frames, from->frames, from->n * sizeof(from->frames[0]));
	to->n = from->n;
	to->end = from->end;
	to->regs = from->regs;
}

/*
 * A native unwinder.  Both are pure: they see the target only through `space`
 * and `mem`, never a pid.
 */
struct unwinder {
	const char *name; /* "native", "libunwind" */
	void *(*create)(struct space *space);
	void (*destroy)(void *state);
	/* Unwinds from regs; out->end says how it ended.  Never fails: no frame is an empty stack.
	 */
	void (*unwind)(void *state, const struct regs *regs, struct memory *mem,
		       struct raw_stack *out);
};
extern const struct unwinder unwinder_native, unwinder_libunwind;
/* NULL if there is none of that name. */
const struct unwinder *unwinder_find(const char *name);

/*
 * To be called after an unwind through a dump over live memory: frames above the
 * copied bytes belong to the sample only if they lead to the outermost one and
 * what was copied last is still there.  Otherwise drops them and sets STACK_SEAM.
 */
void unwind_check_seam(struct raw_stack *stack, const struct memory_dump *dump,
		       struct memory_live *live);
/*
 * Completes a STACK_SEAM from a complete stack of the same thread a moment before:
 * while a frame and its caller stay where they were, so do those that called
 * them.  False if they have moved.
 */
bool unwind_splice(struct raw_stack *stack, const struct raw_stack *before);
/*
 * Leaves the UNWIND_FOLD frames nearest the leaf and as many outermost ones of
 * a deep stack: what lies between is a recursion.  The index of the first frame
 * after the gap, 0 if there is none.
 */
size_t unwind_fold(struct raw_stack *stack);
enum { UNWIND_FOLD = 128 };

#endif
