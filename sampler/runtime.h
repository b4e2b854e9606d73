#ifndef LAGPROF_SAMPLER_RUNTIME_H
#define LAGPROF_SAMPLER_RUNTIME_H

#include "core/recording.h"
#include "sampler/unwind.h"

/*
 * A language runtime inside the target whose frames lagprof can name.
 *
 * To add one: a folder under sampler/runtimes/, a `const struct runtime` in
 * it, its row in sampler/runtimes/runtimes.c (order matters: the first that
 * names a frame wins, native is last and names every frame), and a snapshot
 * fixture with its golden stack.
 *
 * All reads go through `mem` and are hostile.  Nothing may block, stop or write
 * the target.
 */
struct runtime_target {
	struct space *space;
	struct memory *mem;    /* live memory */
	struct recording *rec; /* where strings and notes go */
};

enum {
	RUNTIME_MAX_INLINED = 32, /* functions that a compiler put into another */
	RUNTIME_MAX_NAMES = 1024, /* of one native frame: an interpreter may run many functions */
	RUNTIME_MAX_ARGUMENTS = 16,
	RUNTIME_NO_FRAME = RUNTIME_MAX_NAMES + 1,
};

/* An argument, and the word of the stack that led to it. */
struct runtime_argument {
	struct argument argument;
	uint64_t slot; /* address of that word; 0: it held the value itself, which cannot change */
	uint64_t word;
};

/*
 * Does an argument that was read while the target ran on belong to the sample?  A collector that
 * moved it meanwhile has changed the word in a frame that still stands.  Where it ran twice, what
 * the old word leads to may be anything.
 */
bool runtime_argument_holds(const struct runtime_argument *a, struct memory_live *live);

struct runtime {
	const char *name; /* "v8" */

	/*
	 * 1: lives in the target, *state is set; 0: does not (or not yet: asked again
	 * when mappings change); -errno: it does, but cannot be read: err says why and
	 * becomes a note.
	 */
	int (*attach)(const struct runtime_target *t, void **state, struct error *err);
	void (*detach)(void *state);
	/* The version it reports ("20.20.2"), interned in rec, or NULL. */
	const char *(*version)(void *state);

	/*
	 * Names stack->frames[i]: fills out (innermost inlined function first) and
	 * returns how many, at most RUNTIME_MAX_NAMES; 0: not a frame of this
	 * runtime; RUNTIME_NO_FRAME: what the unwinder took for a frame is none.  Called for i from
	 * the leaf on; mem shows the stack as it was sampled.
	 */
	size_t (*name_frame)(void *state, const struct raw_stack *stack, size_t i,
			     struct memory *mem, struct frame *out);

	/*
	 * Reads the arguments of known calls on the stack.  names[i] is the first
	 * of frame i's names; argument.frame is set to i by the runtime.  Returns how
	 * many were filled in, at most RUNTIME_MAX_ARGUMENTS.  May be NULL.  What was read
	 * after the target had gone on is dropped by the caller if its slot holds another word now.
	 */
	size_t (*arguments)(void *state, const struct raw_stack *stack, struct memory *mem,
			    const struct frame *names, struct runtime_argument *out);
};

/*
 * Interns a name that came from the target; *bytes, which counts what was interned for it,
 * is bounded: NULL beyond that.
 */
const char *runtime_intern(struct recording *rec, size_t *bytes, const char *name);

extern const struct runtime *const runtimes[]; /* ends with NULL */
extern const struct runtime runtime_native, runtime_v8, runtime_cpython;

#endif
