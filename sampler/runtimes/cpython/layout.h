#ifndef LAGPROF_SAMPLER_RUNTIMES_CPYTHON_LAYOUT_H
#define LAGPROF_SAMPLER_RUNTIMES_CPYTHON_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where one CPython keeps what lagprof reads: x86-64, with the GIL.  Offsets in
 * bytes from the start of each object; -1: this version has no such field.
 */
struct cpython_layout {
	int32_t version; /* major * 100 + minor: 311 for 3.11 */

	int32_t runtime_interpreters; /* in _PyRuntime: the first interpreter */
	int32_t interpreter_next, interpreter_threads;
	int32_t thread_next, thread_id; /* thread_id: what pthread_self() said */
	int32_t thread_frame;           /* the innermost frame, or the cframe that knows it */
	int32_t cframe_frame;           /* in a cframe: the innermost frame; -1: there are none */
	int32_t cframe_previous;

	int32_t frame_code, frame_previous;
	int32_t frame_instruction; /* a pointer; up to 3.10 the number of the instruction */
	int32_t frame_entry;       /* a byte: was it called from C? */
	int32_t frame_owner;       /* a byte; owner_shim: no function, the mark of a call from C */
	int32_t owner_shim;

	int32_t frame_words;  /* its locals, and behind them the stack of the interpreter */
	int32_t frame_stack;  /* up to 3.10: a pointer to that stack */
	int32_t frame_locals; /* its locals */

	int32_t code_locals, code_stack; /* how many words these are */
	int32_t code_file, code_name, code_first_line, code_table;
	int32_t code_instructions; /* where they begin, in the code object itself */

	int32_t string_length, string_state;
	int32_t string_header; /* of one in ASCII: the characters follow */
	int32_t string_wide;   /* of another one */
	int32_t bytes_length, bytes_data;
	int32_t int_tag_shift; /* of the word that counts an int's digits */
};

/* The rows of `version`, NULL if it was never measured. */
const struct cpython_layout *cpython_layout_find(int32_t version);

/*
 * Since 3.13 _PyRuntime begins with a table of offsets, which override the
 * rows.  words: its first CPYTHON_OFFSETS words.  False if it is none, of another version than
 * layout's, or of a build without the GIL.
 */
enum { CPYTHON_OFFSETS = 71 };
bool cpython_layout_override(struct cpython_layout *layout, const uint64_t *words);

#endif
