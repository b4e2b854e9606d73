#ifndef LAGPROF_CORE_STRINGS_H
#define LAGPROF_CORE_STRINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

/*
 * A set of strings in which equal strings are the same pointer, so that
 * names are compared with ==.  The strings live in the arena given at each
 * call (always the same one).
 */
struct strings {
	const char **slots; /* open addressing, power of two, NULL = free */
	size_t cap, n;
};

/* The one copy of s; NULL stays NULL. */
const char *strings_intern(struct strings *set, struct arena *a, const char *s);
const char *strings_intern_n(struct strings *set, struct arena *a, const char *s, size_t len);
/* The one copy of s, or NULL if there is none yet. */
const char *strings_find(const struct strings *set, const char *s);
void strings_destroy(struct strings *set);

uint64_t hash_bytes(uint64_t seed, const void *data, size_t len);

/* A growing byte buffer; always NUL-terminated once anything was put into it. */
struct strbuf {
	char *s; /* malloc'ed, NULL when empty; free with strbuf_destroy() */
	size_t len, cap;
};

void strbuf_add(struct strbuf *b, const void *data, size_t len);
void strbuf_puts(struct strbuf *b, const char *s);
void strbuf_printf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* len bytes more, for the caller to fill in. */
void *strbuf_extend(struct strbuf *b, size_t len);
void strbuf_destroy(struct strbuf *b);

/*
 * Makes hostile text safe to show on one line: invalid UTF-8, controls,
 * and what reorders text or does not show (bidirectional marks, zero-width and
 * separator characters) become \xNN or \u{NNNN}.  A backslash stays one.
 */
void strbuf_puts_visible(struct strbuf *b, const char *s);
/* Replaces invalid UTF-8 by U+FFFD, so that the result may go into JSON or protobuf. */
void strbuf_puts_utf8(struct strbuf *b, const char *s, size_t len);

#endif
