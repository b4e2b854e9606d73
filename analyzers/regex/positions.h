#ifndef LAGPROF_ANALYZERS_REGEX_POSITIONS_H
#define LAGPROF_ANALYZERS_REGEX_POSITIONS_H

#include "analyzers/regex/automaton.h"

/* The places in an unrolled pattern and how they follow each other: what automaton.c closes over.
 */

enum position_kind {
	POSITION_SET,      /* takes a character of set, then next */
	POSITION_SPLIT,    /* the alternatives lists[list .. + n), first one first */
	POSITION_ASSERT,   /* assertion, of set */
	POSITION_NEXT,     /* the next character is in set (or is not) */
	POSITION_PREVIOUS, /* the last one is */
	POSITION_LOOK,     /* looks[list] matches (or not) */
	POSITION_BEHIND,   /* look-behind `list` matches (or not) */
	POSITION_UNSURE,   /* what follows may do less than we think */
	POSITION_BEGIN,    /* an iteration of repeat `list` begins */
	POSITION_END,      /* it ended; if it was empty, at next or nowhere */
	POSITION_ACCEPT,   /* of look-behind `list`, if it is in one */
};

struct position {
	enum position_kind kind;
	uint32_t next;
	uint32_t set; /* index of a mask of the alphabet */
	uint32_t list, n;
	uint32_t leave; /* END: after an empty iteration; POSITION_NONE: fail */
	enum assertion assertion;
	bool negative;
	uint32_t height;
	const struct node *from; /* SET: NULL for what is not in the pattern */
};

#define POSITION_NONE UINT32_MAX

struct look {
	uint32_t entry;
	bool unsure; /* it holds something unsure */
	bool free;   /* trying it costs nothing */
};

struct positions {
	struct position *v;
	uint32_t *lists;
	struct look *looks;
	uint32_t behinds[64]; /* where the bodies of look-behinds begin, read forwards */
	size_t n_behinds;
	size_t n, cap, n_lists, cap_lists, n_looks, cap_looks;
	uint32_t n_sets_taken; /* POSITION_SETs */
	uint32_t search;       /* the search loop, or POSITION_NONE */
	uint32_t entry;        /* where a match begins */
	uint32_t copies;       /* the most that were made of one body */
	bool relaxed, too_large;
	bool hidden; /* a look-behind that may read far was left out */

	const struct charset **sets; /* all that matter, without doubles */
	size_t n_sets, cap_sets;
	uint32_t *set_slots; /* hash table of index + 1 */
	uint32_t set_cap;
};

void positions_build(struct positions *p, const struct syntax *syntax,
		     const struct prefilter *filter, uint32_t relax, struct arena *a);
void positions_free(struct positions *p);

#endif
