#include "sampler/proc/queue.h"

#include <stdlib.h>
#include <string.h>

static void free_stack(struct event *e)
{
	if (e->kind == EVENT_SAMPLE)
		free((void *)e->sample.raw.stack);
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
	const struct raw_sample *raw = e->kind == EVENT_SAMPLE ? &e->sample.raw : NULL;
	uint8_t *copy;

	if (raw && q->bytes + raw->stack_len > q->max_bytes)
		return false;
	ARRAY_GROW(q->events, q->n, q->cap);
	q->events[q->n] = *e;
	if (raw) {
		copy = xcalloc(1, raw->stack_len + 1);
		if (raw->stack_len)
			memcpy(copy, raw->stack, raw->stack_len);
		q->events[q->n].sample.raw.stack = copy;
		q->bytes += raw->stack_len;
	}
	q->n++;
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
