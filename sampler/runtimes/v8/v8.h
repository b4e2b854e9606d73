#ifndef LAGPROF_SAMPLER_RUNTIMES_V8_V8_H
#define LAGPROF_SAMPLER_RUNTIMES_V8_V8_H

#include "sampler/runtimes/v8/state.h"

/*
 * The V8 of one target: what its files do, in order of dependence.
 *	state.h      what is remembered
 *	layout.c     where things are, by version: rows
 *	heap.c       checked reads of objects and strings
 *	positions.c  decoders of position tables (pure)
 *	code.c       pc -> Code
 *	names.c      SharedFunctionInfo -> function, file, line
 *	maps.c       source maps of scripts that were made in memory
 *	builtins.c   the full names of builtins
 *	translations.c  decoders of what code keeps for being given up (pure)
 *	deopt.c      exits of optimized code
 *	maglev.c     sites of Maglev's code by its exits
 *	tiers.c      code and offset in it -> functions and positions, by tier
 *	walk.c       frame -> names
 *	objects.c    properties and sizes of objects
 *	args.c       arguments of known calls
 *	v8.c         attach, self-check, the runtime's table
 */

/* For attach and for fixtures: everything but the fields above `level` is set up. */
struct v8 *v8_new(struct space *space, struct recording *rec);
void v8_free(struct v8 *v8);

/* code.c.  The Code whose instructions hold pc; false if none can be found. */
bool v8_code_find(struct v8 *v8, uint64_t pc, struct v8_code *code);

/* names.c.  Fills f for a SharedFunctionInfo; false if the word is none. */
bool v8_function_of(struct v8 *v8, uint64_t shared, struct v8_function *f);
/* The SharedFunctionInfo of a JSFunction (of any subclass); 0 if the word is none. */
uint64_t v8_shared_of(struct v8 *v8, uint64_t function);
/* The line and column of an offset in a function's script. */
struct v8_place v8_place_of(struct v8 *v8, const struct v8_function *f, int32_t offset);
/* Interns within the target's share; NULL once that is used up. */
const char *v8_intern(struct v8 *v8, const char *s);
/*
 * The entry for `offset` of the position table (a ByteArray) of code_size bytes
 * of code; its offset is V8_AT_ENTRY before the first one.  Cached.
 */
bool v8_position_at(struct v8 *v8, uint64_t table, int64_t code_size, int64_t offset,
		    struct v8_position *out);
/* The places of the entries for the code from `first` to `last`: see v8_positions_span(). */
bool v8_span_of(struct v8 *v8, uint64_t table, int64_t code_size, int64_t first, int64_t last,
		struct v8_span *out);

/* tiers.c.  The position of a bytecode. */
int32_t v8_bytecode_position(struct v8 *v8, uint64_t array, int64_t offset);
/* The position of baseline code at pc. */
int32_t v8_baseline_position(struct v8 *v8, const struct v8_code *code, uint64_t pc);
bool v8_is_optimized(const struct v8 *v8, const struct v8_code *code);
/* The function that optimized code was made for. */
bool v8_optimized_function(struct v8 *v8, const struct v8_code *code, struct v8_function *f);
/*
 * The functions that optimized code runs at pc, innermost first, the last one
 * being that of the code itself.  Returns how many, at most max; 0: unreadable.
 */
size_t v8_optimized_sites(struct v8 *v8, const struct v8_code *code, uint64_t pc,
			  struct v8_site *sites, size_t max);
/*
 * The BytecodeArray that a word leads to, by itself or (--interpreted-frames-native-stack)
 * through the object that holds it and a copy of the interpreter; 0: neither.
 */
uint64_t v8_bytecode_array(struct v8 *v8, uint64_t word);
/* The BytecodeArray of a SharedFunctionInfo; false if it has none at hand. */
bool v8_function_bytecode(struct v8 *v8, uint64_t shared, uint64_t *array);

/*
 * maps.c.  The name for the file of a script.  A loader that hands V8 code it made of a file
 * gives it the file's name and a map: lines of that code must not pass for those of the file.
 */
const char *v8_mapped_file(struct v8 *v8, uint64_t script, const char *file);

/* builtins.c.  "JSON.parse" for the builtin f that frame i runs on receiver; interned. */
const char *v8_builtin_name(struct v8 *v8, const struct v8_function *f,
			    const struct raw_stack *stack, size_t i, uint64_t receiver);

/* objects.c.  The value of an own property that is kept in the object itself. */
bool v8_property(struct v8 *v8, uint64_t object, const char *name, uint64_t *value);
/* Characters of a string, bytes of a typed array, view or buffer; -1: none of these. */
int64_t v8_byte_length(struct v8 *v8, uint64_t object);

/* walk.c and args.c: see struct runtime. */
size_t v8_name_frame(void *state, const struct raw_stack *stack, size_t i, struct memory *mem,
		     struct frame *out);
size_t v8_arguments(void *state, const struct raw_stack *stack, struct memory *mem,
		    const struct frame *names, struct runtime_argument *out);

/* v8.c.  Starts a sample: refills the budgets. */
void v8_begin_sample(struct v8 *v8, struct memory *mem);
/* Counts one JavaScript frame for the self-check and steps down when it fails. */
void v8_check_frame(struct v8 *v8, const struct v8_function *f, bool position_tried,
		    bool position_sound);

#endif
