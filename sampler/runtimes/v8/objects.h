#ifndef LAGPROF_SAMPLER_RUNTIMES_V8_OBJECTS_H
#define LAGPROF_SAMPLER_RUNTIMES_V8_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

/* V8's objects as far as frames need them, read out of the target. */

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
	uint64_t sample; /* number of the last sample in which that was tried, */
	int tries;       /* and in how many so far */
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

#endif
