#ifndef LAGPROF_SAMPLER_RUNTIMES_V8_V8_H
#define LAGPROF_SAMPLER_RUNTIMES_V8_V8_H

#include "sampler/runtime.h"
#include "sampler/runtimes/v8/heap.h"
#include "sampler/runtimes/v8/positions.h"

/*
 * The V8 of one target: what its files do, in order of dependence.
 *	layout.c     where things are, by version: rows
 *	heap.c       checked reads of objects and strings
 *	positions.c  decoders of position tables (pure)
 *	code.c       pc -> Code
 *	names.c      SharedFunctionInfo -> function, file, line
 *	builtins.c   the full names of builtins
 *	tiers.c      code and offset in it -> functions and positions, by tier
 *	walk.c       frame -> names
 *	objects.c    properties and sizes of objects
 *	args.c       arguments of known calls
 *	v8.c         attach, self-check, the runtime's table
 */

/* A Code object and its instructions. */
struct v8_code {
	uint64_t object;
	uint64_t start, size; /* of the instructions */
	int32_t kind;
	uint64_t positions; /* words, not checked: see layout.h */
	uint64_t deopt;
};

/* A function, by its SharedFunctionInfo. */
struct v8_function {
	uint64_t shared, name_word, script_word, data_word; /* what it was made from */
	const char *name; /* interned; "(anonymous)" if it has none; NULL: could not be read */
	const char *file; /* interned; NULL: no script, or one without a name */
	const char
		*builtin; /* interned full name of a builtin ("JSON.parse"), NULL not yet known */
	uint64_t script;  /* Script object, 0: a builtin or an API function */
	int32_t start;    /* first character in the source, -1 unknown */
	int32_t end;
	uint32_t define_line; /* 0 unknown */
};

/* A script and its lines. */
struct v8_script {
	uint64_t object, name_word, source_word;
	int32_t line_offset, column_offset;
	const char *file; /* interned, or NULL */
	uint32_t *ends;   /* malloc'ed ends of lines; NULL: could not be read */
	size_t n_ends;
};

/* A function and an offset in its source, or one of the below. */
struct v8_site {
	struct v8_function function;
	int32_t position;
};
enum {
	V8_AT_ENTRY = -1, /* before its first position: where it begins */
	V8_UNSOUND = -2,  /* the tables made no sense */
	V8_UNTRIED = -3,  /* there were none to ask */
};

struct v8_place {
	uint32_t line, column; /* 1-based; 0: unknown */
};

enum {
	V8_FUNCTIONS = 8192,
	V8_SCRIPTS = 1024,
	V8_CODES = 8192,
	V8_POSITIONS = 8192,
	V8_BYTECODES = 4096,
	V8_CODE_MAPS = 4,
	V8_LINE_BYTES_MAX = 64 << 20, /* all line tables together */
	V8_NAME_BYTES_MAX = 64 << 20, /* all names interned for one target */
};

/* A remembered pc -> Code; object 0: searched in vain. */
struct v8_code_slot {
	uint64_t granule; /* pc / 64; 0: empty */
	uint64_t object;
	uint64_t sample; /* number of the sample that filled it */
};

/* A remembered lookup in a position table. */
struct v8_position_slot {
	uint64_t table, offset; /* the table's object (0: empty), code or bytecode offset */
	uint64_t length, first; /* the table's length word and first bytes, when it was read */
	struct v8_position position;
	bool found;
};

/* A remembered BytecodeArray -> SharedFunctionInfo. */
struct v8_bytecode_slot {
	uint64_t array, shared;
};

/* How much of a stack can be told; each step down is said in a note. */
enum v8_level {
	V8_LINES,          /* the line of the call */
	V8_FUNCTIONS_ONLY, /* the line where the function begins */
	V8_NATIVE, /* nothing: builtins and C++ by their symbols, the rest by the perf map */
};

/* The self-check: what the first frames of JavaScript gave. */
struct v8_check {
	uint32_t frames, named;    /* JavaScript frames, and those with function and script */
	uint32_t positions, sound; /* positions looked up, and those inside their function */
	bool done;
};

struct v8 {
	struct space *space;
	struct recording *rec;
	struct elf_file *file;         /* the ELF file that holds V8; NULL in fixtures */
	uint64_t blob_start, blob_end; /* its embedded builtins, vaddr; 0: unknown */
	struct v8_layout layout;
	struct v8_heap heap;
	const char *version; /* what the target calls itself: "20.20.2" */
	enum v8_level level;
	struct v8_check check;
	uint64_t sample; /* number of the sample in hand */
	size_t line_bytes, name_bytes;
	uint64_t code_maps[V8_CODE_MAPS]; /* map words of objects that hold instructions */
	size_t n_code_maps, scan_budget;
	struct v8_function *functions;
	struct v8_script *scripts;
	struct v8_code_slot *codes;
	struct v8_position_slot *positions;
	struct v8_bytecode_slot *bytecodes;
	/* The function each raw frame of the sample in hand runs (not inlined ones), for arguments.
	 */
	struct v8_function frame_function[STACK_MAX];
};

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
/* The BytecodeArray of a SharedFunctionInfo; false if it has none at hand. */
bool v8_function_bytecode(struct v8 *v8, uint64_t shared, uint64_t *array);

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
		    const struct frame *names, struct argument *out);

/* v8.c.  Starts a sample: refills the budgets. */
void v8_begin_sample(struct v8 *v8, struct memory *mem);
/* Counts one JavaScript frame for the self-check and steps down when it fails. */
void v8_check_frame(struct v8 *v8, const struct v8_function *f, bool position_tried,
		    bool position_sound);

#endif
