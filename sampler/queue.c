#include "sampler/queue.h"

#include <stdlib.h>
#include <string.h>

static struct raw_sample *stack_of(struct event *e)
{
	return e->kind == EVENT_SAMPLE || e->kind == EVENT_CALL ? &e->sample.raw : NULL;
}

/* The block that raw_sample_copy() made begins with them. */
static void free_stack(struct event *e)
{
	if (stack_of(e))
		free((void *)stack_of(e)->kernel);
}

void queue_destroy(struct queue *q)
{
	for (size_t i = 0; i < q->n; i++)
		free_stack(&q->events[i]);
	free(q->events);
	*q = (struct queue){ .max_bytes = q->max_bytes };
}

bool queue_push(struct queue *q, const struct event *e)
{
	struct event copy = *e;
	struct raw_sample *raw = stack_of(&copy);

	if (raw && q->bytes + raw->stack_len > q->max_bytes)
		return false;
	if (raw) {
		raw_sample_copy(raw);
		q->bytes += raw->stack_len;
	}
	ARRAY_GROW(q->events, q->n, q->cap);
	q->events[q->n++] = copy;
	return true;
}

void queue_take(struct queue *to, struct queue *from)
{
	size_t max = from->max_bytes;

	*to = *from;
	*from = (struct queue){ .max_bytes = max };
}

void queue_deliver(struct queue *q, void (*handle)(void *arg, const struct event *e), void *arg)
{
	for (size_t i = 0; i < q->n; i++) {
		handle(arg, &q->events[i]);
		free_stack(&q->events[i]);
	}
	q->n = 0;
	queue_destroy(q);
}
