#ifndef LAGPROF_ANALYZERS_SCAN_PYTHON_H
#define LAGPROF_ANALYZERS_SCAN_PYTHON_H

#include "analyzers/scan/source.h"

/* A scanner for Python that keeps which names stand for re, and the calls of it that are open. */

enum { PY_NAMES_MAX = 64, PY_FLAGS_MAX = 15 };

/* A function of re that takes a pattern as its first argument. */
struct py_function {
	const char *name;
	unsigned flags; /* which argument by place the flags are, from 0 */
};

enum py_meaning { PY_MODULE, PY_FUNCTION, PY_OTHER };

/* A name of the source. */
struct py_name {
	const char *s;
	size_t len;
	enum py_meaning meaning;
	const struct py_function *function; /* of PY_FUNCTION */
};

/* What the pattern of a call is made of. */
enum py_pieces {
	PY_PIECE_DUE,  /* a string comes next: at the begin and behind "+" */
	PY_PIECE_DONE, /* strings only; another may follow */
	PY_DYNAMIC     /* what cannot be known before the program runs */
};

/* A call under way. */
struct py_call {
	size_t at;         /* of its first word */
	unsigned argument; /* in hand, from 0 */
	unsigned flags_argument;
	bool in_flags; /* the argument in hand is the flags */
	enum py_pieces state;
	struct strbuf pieces;
	struct regex_pattern pattern; /* its text is NULL unless it is known */
	char flags[PY_FLAGS_MAX + 1];
};

struct py_level {
	char opener;
	struct py_call *call; /* NULL: some other bracket */
	bool group;           /* a parenthesis inside the call: it only holds things together */
};

struct python {
	struct source src;
	struct py_name names[PY_NAMES_MAX];
	size_t n_names;
	bool member;             /* "." has just been seen */
	struct py_level *levels; /* innermost last */
	size_t n_levels, cap;
};

/* Blanks, comments and, if asked, ends of lines. */
void py_skip_blank(struct source *src, bool lines);

const struct py_function *py_find_function(const char *s, size_t len);
/* What a name means, the newest meaning first; NULL: nothing known. */
const struct py_name *py_find_name(const struct python *py, const char *s, size_t len);
void py_add_name(struct python *py, const struct py_name *name);
/* Takes what follows the word import, or from: names that stand for re. */
void py_take_import(struct python *py);
void py_take_from(struct python *py);

/*
 * The length of the prefix (r, b, f, …) of a string that begins here; -1: none does.
 */
int py_string_prefix(const struct source *src);
/* A string with a prefix of that length, put to `text` unless that is NULL; false: not literal. */
bool py_string(struct source *src, size_t prefix, struct strbuf *text, bool *bytes);

struct py_call *py_call_open(struct python *py, size_t at, const struct py_function *f);
void py_call_string(struct python *py, struct py_call *call, size_t prefix);
/* A word of that length, which is next in the source. */
void py_call_word(struct python *py, struct py_call *call, size_t len);
/* Does a parenthesis that opens here only hold together the pattern or the flags? */
bool py_call_group(const struct py_call *call);
/* Any other token, by its first byte. */
void py_call_mark(struct python *py, struct py_call *call, char c);
/* The closing parenthesis: a pattern that is known was found. */
void py_call_close(struct python *py, struct py_call *call);

#endif
