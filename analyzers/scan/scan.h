#ifndef LAGPROF_ANALYZERS_SCAN_SCAN_H
#define LAGPROF_ANALYZERS_SCAN_SCAN_H

#include "analyzers/regex/regex.h"

/*
 * Finds the regular expressions that are written down in source files:
 *
 *	JavaScript, TypeScript	/…/flags, RegExp("…", "flags"), with or without new
 *	Python			re.compile(r"…", re.I) and the other functions of re
 *
 * A pattern that is put together while the program runs is left out: it cannot
 * be known.  Flags that cannot be are taken for none.  Pure; time and memory
 * are linear in the size of the source, whatever it holds.
 */

enum scan_language {
	SCAN_JAVASCRIPT, /* and TypeScript, where "<" may begin an element of JSX */
	SCAN_TYPESCRIPT, /* without JSX */
	SCAN_PYTHON,
	SCAN_LANGUAGES
};

/* The language of a file by its name's suffix; -1: none of them. */
int scan_language_of(const char *path);

struct scan_use {
	struct regex_pattern pattern;
	size_t at;             /* of the literal or call, in bytes of the source */
	uint32_t line, column; /* the same, from 1; the column in units of UTF-16 */
};

/* In the order of the source.  Free v with free(). */
struct scan_uses {
	struct scan_use *v;
	size_t n, cap;
};

/*
 * Adds the patterns of a source; their texts live in the arena.  False: it is
 * nested so deeply that its rest was not read.
 */
bool scan_source(enum scan_language language, const char *text, size_t len, struct arena *a,
		 struct scan_uses *uses);

#endif
