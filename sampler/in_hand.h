#ifndef LAGPROF_SAMPLER_IN_HAND_H
#define LAGPROF_SAMPLER_IN_HAND_H

#include "sampler/probe.h"
#include "sampler/request.h"
#include "sampler/target.h"

/*
 * Which request the turns of one loop worked on, as far as their samples tell:
 * a number of samples, evenly spread over the turn, are looked at.
 */
enum { IN_HAND_MAX = 32 };

struct in_hand {
	struct {
		nsec at;
		const char *text, *peer; /* interned; text NULL: the sample works on none */
		double confidence;
	} seen[IN_HAND_MAX];
	size_t n;
	uint32_t stride, skipped; /* every stride-th sample is looked at; 0 is 1 */
};

/* Is the next sample one to look at? */
bool in_hand_due(struct in_hand *h);
/* It works on that request (NULL: on none), taken at `at`. */
void in_hand_add(struct in_hand *h, const struct target *target, struct recording *rec, nsec at,
		 const struct request *request);
/* Sets the stall's request, if most of what was seen of the turn agrees. */
void in_hand_settle(const struct in_hand *h, const struct turn *turn, struct stall *stall);
/* Drops what lies before `at`. */
void in_hand_forget(struct in_hand *h, nsec at);

#endif
