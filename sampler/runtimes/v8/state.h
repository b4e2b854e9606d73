#ifndef LAGPROF_SAMPLER_RUNTIMES_V8_STATE_H
#define LAGPROF_SAMPLER_RUNTIMES_V8_STATE_H

#include "sampler/runtime.h"
#include "sampler/runtimes/v8/heap.h"
#include "sampler/runtimes/v8/objects.h"
#include "sampler/runtimes/v8/positions.h"

/* What is known and remembered about the V8 of one target. */

enum {
	V8_FUNCTIONS = 8192,
	V8_SCRIPTS = 1024,
	V8_SOURCE_TRIES = 16, /* samples in which lines of a script are looked for */
	V8_CODES = 8192,
	V8_POSITIONS = 8192,
	V8_BYTECODES = 4096,
	V8_MAGLEV = 1024,
	V8_MAGLEV_SITES = 16,
	V8_CODE_MAPS = 4,
	V8_LINE_BYTES_MAX = 64 << 20, /* all line tables together */
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

/* Remembered sites of an offset in code of Maglev. */
struct v8_maglev_slot {
	uint64_t code, deopt; /* objects; 0: empty */
	int64_t offset;
	bool exact; /* a call */
	size_t n;
	uint64_t shared[V8_MAGLEV_SITES];
	int32_t position[V8_MAGLEV_SITES];
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
	bool guessed;        /* the layout is that of an older V8: frames that no symbol tells of
				may differ */
	const char *version; /* what the target calls itself: "20.20.2" */
	enum v8_level level;
	struct v8_check check;
	uint64_t sample; /* number of the sample in hand */
	size_t line_bytes, name_bytes;
	uint64_t code_maps[V8_CODE_MAPS]; /* map words of objects that hold instructions */
	size_t n_code_maps, scan_budget, exit_budget;
	struct v8_function *functions;
	struct v8_script *scripts;
	struct v8_code_slot *codes;
	struct v8_position_slot *positions;
	struct v8_bytecode_slot *bytecodes;
	struct v8_maglev_slot *maglev;
	/* The function each raw frame of the sample in hand runs (not inlined ones), for arguments.
	 */
	struct v8_function frame_function[STACK_MAX];
};

#endif
