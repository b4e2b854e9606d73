#ifndef LAGPROF_SAMPLER_QUEUE_H
#define LAGPROF_SAMPLER_QUEUE_H

#include "sampler/probe.h"

/*
 * Events that wait, in order: on their way from the thread that notices them to
 * the session, or until they can be read.  Each owns the bytes of its stack.  The
 * caller locks.
 */
struct queue {
	struct event *events;
	size_t n, cap;
	size_t bytes, max_bytes; /* of stacks */
};

void queue_destroy(struct queue *q);
/* Copies e and the stack it points to.  False if there is no room for the stack: it is lost. */
bool queue_push(struct queue *q, const struct event *e);
/* Moves all that is in `from` to the empty queue `to`. */
void queue_take(struct queue *to, struct queue *from);
/* Hands over each event and empties the queue. */
void queue_deliver(struct queue *q, void (*handle)(void *arg, const struct event *e), void *arg);

#endif
