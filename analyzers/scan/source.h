#ifndef LAGPROF_ANALYZERS_SCAN_SOURCE_H
#define LAGPROF_ANALYZERS_SCAN_SOURCE_H

#include "analyzers/scan/scan.h"

/* What the scanners of the languages have in common. */

enum {
	SOURCE_DEPTH_MAX = 10000,     /* of brackets, templates and elements */
	SOURCE_PATIENCE = 32 << 20,   /* bytes looked at in vain, for one source */
	SOURCE_LITERAL_MAX = 1 << 20, /* a pattern longer than this is none */
};

struct source {
	const char *s;
	size_t at, len;
	struct arena *arena;
	struct scan_uses *uses;
	size_t patience; /* bytes that may still be looked at twice */
};

/* The byte k ahead; '\0' behind the end. */
static inline char source_peek(const struct source *src, size_t k)
{
	return k < src->len - src->at ? src->s[src->at + k] : '\0';
}

static inline bool source_at_end(const struct source *src)
{
	return src->at >= src->len;
}

/* Steps over so many bytes, not beyond the end. */
static inline void source_skip(struct source *src, size_t n)
{
	src->at += n < src->len - src->at ? n : src->len - src->at;
}

/* Do these bytes follow? */
bool source_looks_at(const struct source *src, const char *bytes);
/* Letters, digits, "_", "$" and all that is not ASCII. */
bool source_is_word(char c);
/* The length of the word that begins here. */
size_t source_word(const struct source *src);
/* Is the word of that length here this one? */
bool source_word_is(const struct source *src, size_t len, const char *word);

/*
 * Takes up to `max` digits of that base, which follow; -1 if there is none.
 */
int64_t source_digits(struct source *src, unsigned base, size_t max);
/* A code point as UTF-8, a surrogate that stands alone as what UTF-8 would make of it. */
void strbuf_put_point(struct strbuf *b, uint32_t point);

/* Adds a pattern found at that place; the text must outlive the uses. */
void source_found(struct source *src, size_t at, const struct regex_pattern *pattern);

/* The scanners; false as scan_source(). */
bool scan_javascript(struct source *src, bool jsx);
bool scan_python(struct source *src);

#endif
