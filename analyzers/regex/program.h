#ifndef LAGPROF_ANALYZERS_REGEX_PROGRAM_H
#define LAGPROF_ANALYZERS_REGEX_PROGRAM_H

#include "analyzers/regex/syntax.h"

/*
 * A pattern as instructions for the backtracking matcher, which does what the
 * engine does: order of alternatives, captures, empty iterations, look-around.
 */

enum op {
	OP_SET,                /* take a character of sets[x] */
	OP_SET_BACK,           /* the same, to the left */
	OP_RUN,                /* take as runs[x] says */
	OP_SPLIT,              /* try x, then y */
	OP_JUMP,               /* to x */
	OP_SAVE,               /* the position into register x */
	OP_CAPTURE,            /* group x is from register y to here, or the other way round */
	OP_ASSERT,             /* kind x (enum assertion), sets[y] */
	OP_BACKREFERENCE,      /* references[x] */
	OP_BACKREFERENCE_BACK, /* the same, to the left */
	OP_LOOP,               /* loops[x] begins: no iteration so far */
	OP_ITERATE,            /* loops[x]: one more iteration, or leave? */
	OP_ENTER,              /* loops[x]: an iteration begins */
	OP_ITERATED,           /* loops[x]: an iteration ended */
	OP_LOOK,     /* look-around begins, register x; y: what follows if negative, or 0 */
	OP_LOOK_END, /* its body matched */
	OP_LOOK_NOT, /* its body matched, and should not have */
	OP_ATOMIC,   /* register x */
	OP_ATOMIC_END,
	OP_CONDITION, /* group x unset: to y */
	OP_MATCH,
};

struct insn {
	enum op op;
	uint32_t x, y;
};

/* A set with its first 256 characters as bits. */
struct fast_set {
	uint64_t low[4];
	const struct charset *set;
};

struct run {
	uint32_t set, min, max;
	enum repeat_mode mode;
};

struct loop_info {
	uint32_t min, max;
	enum repeat_mode mode;
	uint32_t reg;            /* count; reg + 1: where the iteration began */
	uint32_t first, end;     /* capture registers to unset at each iteration */
	uint32_t iterate, leave; /* instructions; OP_ENTER comes after iterate */
};

struct reference {
	const uint32_t *groups;
	uint32_t n;
	bool fold;
};

/* What the engine does before it tries a position (measured; each makes attacks fail). */
struct prefilter {
	bool anchored;                  /* only the first position is tried */
	bool line_starts;               /* only line starts are tried (PCRE2, leading .*) */
	uint32_t from_end;              /* only so many last positions (V8, $); UINT32_MAX: all */
	const struct charset *first;    /* the position is skipped unless its character is in it */
	const struct charset *required; /* nothing is tried unless one is ahead (PCRE2) */
};

struct program {
	const struct syntax *syntax;
	struct insn *code;
	struct fast_set *sets;
	struct run *runs;
	struct loop_info *loops;
	struct reference *references;
	size_t n_code, cap_code, n_sets, cap_sets, n_runs, cap_runs, n_loops, cap_loops;
	size_t n_references, cap_references;
	uint32_t registers; /* captures first: group g is in 2g and 2g + 1 */
	struct prefilter prefilter;
};

/* program_free() releases what this allocates; the tree must outlive the program. */
void program_compile(struct program *prog, const struct syntax *syntax);
void program_free(struct program *prog);
/* prefilter.c */
void prefilter_init(struct prefilter *f, const struct syntax *syntax);

enum match_end { MATCH_NO, MATCH_YES, MATCH_CAPPED };

/* Memory of the matcher, reusable over subjects; zero-initialised. */
struct matcher {
	struct match_entry *stack;
	size_t n, cap;
	uint32_t *registers;
	size_t n_registers;
	uint64_t steps; /* of the last run */
};

struct match_input {
	const uint32_t *s;
	uint32_t len;
	uint32_t from; /* where the search begins; what is before it can be looked back at */
};

/*
 * Searches the subject as the engine would.  Stops with MATCH_CAPPED after
 * max_steps.  On MATCH_YES registers 0 and 1 hold where the match is.
 */
enum match_end match_search(struct matcher *m, const struct program *prog, struct match_input in,
			    uint64_t max_steps);
void matcher_free(struct matcher *m);

#endif
