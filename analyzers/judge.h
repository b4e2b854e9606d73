#ifndef LAGPROF_ANALYZERS_JUDGE_H
#define LAGPROF_ANALYZERS_JUDGE_H

#include "analyzers/code.h"

/* Why a stall happened: the cause that explains most of its time. */
struct judgement {
	enum cause cause;
	const char *call;   /* interned; NULL unknown */
	const char *hot;    /* user_code: the hottest user function */
	const char *why;    /* unknown: why, else NULL */
	uint32_t function;  /* of the culprit, as the classifier numbers them; NO_FRAME unknown */
	uint32_t callbacks; /* many_callbacks, microtask_starvation: different ones seen */
	nsec blamed;        /* time of the stall whose culprit is known, or that needs none */
	enum cause beside;  /* what most of the rest of a starved stall was; else cause */
	nsec clocked;       /* see clocked_time() */
	nsec callback;      /* code: its longest callback, 0 unknown */
};

/* Says what each of the n samples of a stall means: fills parts[i].blame. */
void blame_stall(struct classifier *c, const struct stall *stall, struct part *parts, size_t n);

/*
 * Judges a stall by its blamed samples, which are in order of time.  Time that
 * no sample covers counts for what the stall's split says of it.
 */
struct judgement judge_stall(struct classifier *c, const struct stall *stall,
			     const struct part *parts, size_t n);

/* Does this sample's time belong to what the stall was judged for? */
bool judgement_covers(struct classifier *c, const struct judgement *j, const struct part *p);
/* The frame of the sample's stack to blame under that judgement, NO_FRAME if none. */
uint32_t judgement_culprit(struct classifier *c, const struct judgement *j, const struct part *p);

#endif
