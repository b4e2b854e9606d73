#ifndef LAGPROF_ANALYZERS_REGEX_DECIDE_H
#define LAGPROF_ANALYZERS_REGEX_DECIDE_H

#include "analyzers/regex/witness.h"

/* What is known about a pattern, from its automaton and from running attacks. */
struct decision {
	enum regex_class verdict;
	uint32_t degree;      /* when polynomial */
	bool inner;           /* slow even when tried at one position only */
	struct attack attack; /* when positive, suspect ones included */
	const struct node *from,
		*to;             /* the sets that the last pump begins and ends with, or NULL */
	const struct node *tree; /* that they are in */
	const char *reason;      /* NULL: nothing to add */
};

/* Scratch memory comes from the arena and stays referenced by *out. */
void decide(struct decision *out, const struct syntax *syntax, struct prover *prover,
	    struct arena *a);

#endif
