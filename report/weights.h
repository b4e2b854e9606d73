#ifndef LAGPROF_REPORT_WEIGHTS_H
#define LAGPROF_REPORT_WEIGHTS_H

#include "core/recording.h"

/*
 * The time of all stalls as stacks with weights: what the flame graph and every
 * export are made of, so that their totals are equal.
 */
struct weight {
	uint32_t stall;          /* id */
	uint32_t stack;          /* id, or WEIGHT_NO_STACK: no sample covers this time */
	enum sample_state state; /* what the thread did meanwhile */
	nsec ns;                 /* above 0 */
};

enum { WEIGHT_NO_STACK = UINT32_MAX };

struct weights {
	struct weight *v;
	size_t n;
};

/*
 * By stall, in the order they were sampled; what no sample covers comes last in
 * its stall.  The weights of a stall add up to its running, runnable, blocked
 * and stopped time: a sample that claims more than is left is cut down.
 */
void weights_make(struct weights *w, const struct recording *rec);
void weights_destroy(struct weights *w);

/*
 * The frames of a weight as outputs show them, root first: those of its stack
 * and then, where the thread did not run, one that says what it did instead.
 * Returns how many ids it put.
 */
enum { WEIGHT_PATH_MAX = STACK_MAX + 2, WEIGHT_OWN_FRAMES = 5 };
uint32_t weight_path(const struct recording *rec, const struct weight *w,
		     uint32_t ids[WEIGHT_PATH_MAX]);
/* Ids from rec->stacks.n_frames on are WEIGHT_OWN_FRAMES more: "[no sample]", "[blocked]"... */
const struct frame *weight_frame(const struct recording *rec, uint32_t id);

#endif
