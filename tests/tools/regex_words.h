#ifndef LAGPROF_TESTS_TOOLS_REGEX_WORDS_H
#define LAGPROF_TESTS_TOOLS_REGEX_WORDS_H

#include "analyzers/regex/syntax.h"

/* Random words that a pattern takes, or takes the beginning of. */

enum { WORD_MAX = 400, REPEATS_MAX = 64, CHARACTERS_MAX = 24, GROUPS_MAX = 16 };

struct word_text {
	uint32_t v[WORD_MAX];
	uint32_t n;
};

struct words {
	const struct syntax *syntax;
	uint64_t state;                          /* of the random numbers */
	const struct node *repeats[REPEATS_MAX]; /* those that can go on for long, in order */
	uint32_t n_repeats;
	uint32_t characters[CHARACTERS_MAX]; /* preferred: each in many of the pattern's sets */
	uint32_t n_characters;
	const struct node *stop; /* a word ends before this node */
	bool stopped;
	struct word_text groups[GROUPS_MAX]; /* what was last written for each */
};

void words_init(struct words *w, const struct syntax *syntax, uint64_t seed);
uint32_t words_random(struct words *w, uint32_t n);
/* Adds a word for n. */
void words_add(struct words *w, const struct node *n, struct word_text *to);
/* Adds a word for what comes before `stop`, or for all if it is NULL. */
void words_add_until(struct words *w, const struct node *stop, struct word_text *to);
void words_put(struct word_text *to, uint32_t c);

#endif
