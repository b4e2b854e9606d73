#ifndef LAGPROF_CORE_SUGGEST_H
#define LAGPROF_CORE_SUGGEST_H

/*
 * Which of a list of names a mistyped word most likely meant.  Offer every name with
 * suggest_offer(); `best` is then the nearest one, or NULL if none is near.
 */
struct suggest {
	const char *word; /* as typed */
	const char *best; /* NULL at first */
	int distance;     /* of best, in edits (a swap of neighbours is one) */
};

void suggest_offer(struct suggest *s, const char *name);

#endif
