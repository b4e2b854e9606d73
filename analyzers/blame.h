#ifndef LAGPROF_ANALYZERS_BLAME_H
#define LAGPROF_ANALYZERS_BLAME_H

#include "analyzers/classify.h"

enum { NO_FRAME = UINT32_MAX };

/*
 * What one sample says.  Its stack, leaf first, is read in three parts: the
 * call (frames 0 to begin - 1), the user code that made it (from begin on), and
 * in there the frame to blame.
 */
struct blame {
	enum cause cause;
	const char *call; /* interned: "pbkdf2Sync"; NULL unknown.  GC: "young", "full" */
	uint32_t begin;   /* the nearest user frame; limit if there is none */
	uint32_t limit;   /* from this frame on the stack runs the loop, or it ends */
	uint32_t culprit; /* the frame to blame, or NO_FRAME */
};

struct blame blame_sample(struct classifier *c, const struct sample *s);

/* The sample's stack; NULL if it has none. */
const struct stack *sample_stack(const struct recording *rec, const struct sample *s);

#endif
