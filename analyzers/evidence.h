#ifndef LAGPROF_ANALYZERS_EVIDENCE_H
#define LAGPROF_ANALYZERS_EVIDENCE_H

#include "analyzers/judge.h"

/* A sample that a finding rests on. */
struct support {
	const struct sample *sample;
	uint32_t begin;   /* arguments of frames past it belong to another call */
	uint32_t culprit; /* index in its stack; NO_FRAME none */
};

struct support_list {
	struct support *v;
	size_t n, cap;
};

/* Appends those of a stall's n blamed samples that its judgement covers. */
void support_add(struct support_list *list, struct classifier *c, const struct judgement *j,
		 const struct part *parts, size_t n);
void support_destroy(struct support_list *list);

/* Of the samples from `from` on: the frame to blame whose line most time hangs under, or NULL. */
const struct frame *support_culprit(const struct recording *rec, const struct support_list *list,
				    size_t from);
/* A stack that goes the heaviest way at each step from the outermost frame on, or NULL. */
const struct stack *support_stack(const struct recording *rec, const struct support_list *list);

/*
 * The arguments of the call that took most time.  What is chosen for one key
 * narrows the next, so that they were seen together: never the iterations of
 * one call with the digest of another.
 */
void evidence_collect(const struct judgement *j, const struct support_list *list,
		      struct evidence *out);

#endif
