#ifndef LAGPROF_SAMPLER_RUNTIMES_CPYTHON_CPYTHON_H
#define LAGPROF_SAMPLER_RUNTIMES_CPYTHON_CPYTHON_H

#include "sampler/runtime.h"
#include "sampler/runtimes/cpython/layout.h"

/*
 * The CPython of one target: what its files do, in order of dependence.
 *	layout.c   where things are, by version: rows
 *	lines.c    decoders of line tables (pure)
 *	objects.c  checked reads of strings and code objects
 *	frames.c   a thread's frames, and the C function that runs each of them
 *	calls.c    the functions written in C that frames call
 *	args.c     arguments of known calls of these
 *	locals.c   arguments of functions written in Python
 *	cpython.c  attach, self-check, the runtime's table
 */

/* A function's code, remembered by its address. */
struct cpython_code {
	uint64_t address;                          /* 0: none */
	uint64_t file_word, name_word, table_word; /* what it was read from */
	uint32_t first_line;
	const char *file, *name; /* interned; NULL: could not be read */
};

/* A line looked up before, in the code of that place in the table of codes. */
struct cpython_line {
	uint64_t code, table;
	uint32_t at, line;
};

/* One frame of the interpreter. */
struct cpython_frame {
	uint64_t address, code;
	uint32_t at;      /* bytes into the code of the instruction in hand */
	uint32_t segment; /* number of the call of the interpreter that runs it, from the innermost
			   */
};

enum {
	CPYTHON_CODES = 4096, /* remembered; powers of two */
	CPYTHON_LINES = 8192,
	CPYTHON_FRAMES = 2048, /* of one thread, and calls of the interpreter */
	CPYTHON_LOOPS = 4,     /* pieces of the interpreter's main function */
};

struct cpython {
	struct space *space;
	struct recording *rec;
	struct memory *mem; /* of the sample in hand */
	struct cpython_layout layout;
	const char *version;
	uint64_t runtime; /* address of _PyRuntime */
	struct {
		uint64_t string, code, bytes, integer, number, list, tuple, function, method;
	} types; /* addresses of type objects */
	struct {
		uint64_t start, end; /* addresses of _PyEval_EvalFrameDefault() */
	} loops[CPYTHON_LOOPS];
	size_t n_loops;
	bool sound;        /* the self-check: a chain of frames made sense */
	uint32_t unsound;  /* stacks before that whose chain did not */
	size_t name_bytes; /* interned for this target */
	struct cpython_code *codes;
	struct cpython_line *lines;

	/* Of the sample in hand. */
	struct cpython_frame frames[CPYTHON_FRAMES]; /* innermost first */
	size_t n_frames;
	uint64_t anchors[CPYTHON_FRAMES]; /* of each segment: an address in the C frame that runs it
					   */
	size_t n_segments, n_loops_seen;
	bool whole; /* the chain was followed to its end */
};

/* A function written in C that a frame of the interpreter is calling. */
struct cpython_call {
	uint64_t function;  /* where its code begins */
	uint64_t self;      /* what it is a method of, 0 if nothing is known */
	uint64_t arguments; /* address of the word of the first one */
	const char *name;   /* interned: "time.sleep", "re.Pattern.match" */
};

/* objects.c.  The len bytes at offset of an object. */
bool cpython_read(struct cpython *py, uint64_t object, int32_t offset, void *out, size_t len);
/* The 8 bytes there. */
bool cpython_read_word(struct cpython *py, uint64_t object, int32_t offset, uint64_t *out);
bool cpython_is_a(struct cpython *py, uint64_t object, uint64_t type);
/* A str: interned and perhaps cut; NULL if it is none. */
const char *cpython_string(struct cpython *py, uint64_t object);
/* Interns within the target's share; NULL once that is used up. */
const char *cpython_intern(struct cpython *py, const char *s);
/* The length of a str in characters or of a bytes object; -1: it is neither. */
int64_t cpython_length(struct cpython *py, uint64_t object);
/* An int that is small and not negative; -1: it is none. */
int64_t cpython_integer(struct cpython *py, uint64_t object);
/* Fills out for the code object at address; false if there is none. */
bool cpython_code_at(struct cpython *py, uint64_t address, struct cpython_code *out);
/* The line of the instruction `at` bytes into it; that of its definition if it is not known. */
uint32_t cpython_line_at(struct cpython *py, const struct cpython_code *code, uint32_t at);

/*
 * frames.c.  Reads the frames of the thread whose stack the sample shows, as
 * they are now: false if it has none.
 */
bool cpython_frames_read(struct cpython *py, const struct raw_stack *stack);
/*
 * Did the innermost call of the interpreter run its frame when the sample was taken?  The thread
 * may have gone on to another function, called from the same place.
 */
bool cpython_frames_fit(const struct cpython *py, const struct raw_stack *stack);
/*
 * The frames that frame i of the stack runs, which is one of the interpreter:
 * first in py->frames and how many; 0: not known.
 */
size_t cpython_frames_of(const struct cpython *py, const struct raw_stack *stack, size_t i,
			 size_t *first);
/* Does frame i run the interpreter? */
bool cpython_is_loop(const struct cpython *py, const struct raw_stack *stack, size_t i);

/*
 * calls.c.  The call that frame i of the stack, which is not one of the interpreter's, was called
 * for by the frame of the interpreter below it: false if it is none, or not known.
 */
bool cpython_call_of(struct cpython *py, const struct raw_stack *stack, size_t i,
		     struct cpython_call *out);

/* args.c.  What is known of a call's arguments, for frame i of the stack; how many. */
size_t cpython_arguments(struct cpython *py, const struct cpython_call *call, uint32_t frame,
			 struct argument *out);
/*
 * locals.c.  Adds what frames of known functions of the sample in hand hold to the n arguments in
 * out, at most RUNTIME_MAX_ARGUMENTS; returns how many there are now.
 */
size_t cpython_locals(struct cpython *py, const struct raw_stack *stack, struct argument *out,
		      size_t n);

#endif
