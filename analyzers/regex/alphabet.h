#ifndef LAGPROF_ANALYZERS_REGEX_ALPHABET_H
#define LAGPROF_ANALYZERS_REGEX_ALPHABET_H

#include "analyzers/regex/bits.h"
#include "analyzers/regex/charset.h"

/*
 * Characters that no set of a pattern tells apart are one symbol.  One more
 * symbol stands for the end of the subject.
 */
struct alphabet {
	uint32_t n;             /* symbols, the end included */
	uint32_t end;           /* the symbol of the end: n - 1 */
	uint32_t words;         /* of a set of symbols */
	const uint32_t *sample; /* a character of each symbol, easy to read where there is one */
	const uint64_t **masks; /* the symbols of each set given, in that order */
};

enum { ALPHABET_MAX = 1024 };

/* False: more than ALPHABET_MAX symbols. */
bool alphabet_init(struct alphabet *alphabet, const struct charset *const *sets, uint32_t n,
		   uint32_t max_char, struct arena *a);

#endif
