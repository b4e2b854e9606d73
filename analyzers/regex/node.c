#include "analyzers/regex/syntax.h"

static uint32_t add(uint32_t x, uint32_t y)
{
	return x > REPEAT_FOREVER - y ? REPEAT_FOREVER : x + y;
}

static uint32_t times(uint32_t x, uint32_t y)
{
	return x && y > REPEAT_FOREVER / x ? REPEAT_FOREVER : x * y;
}

static struct width sequence_width(struct node *n)
{
	struct width w = { 0 };

	for (uint32_t i = 0; i < n->list.n; i++) {
		struct width item = node_measure(n->list.items[i]);

		w.min = add(w.min, item.min);
		w.max = add(w.max, item.max);
	}
	return w;
}

static struct width choice_width(struct node *n)
{
	struct width w = node_measure(n->list.items[0]);

	for (uint32_t i = 1; i < n->list.n; i++) {
		struct width item = node_measure(n->list.items[i]);

		w.min = item.min < w.min ? item.min : w.min;
		w.max = item.max > w.max ? item.max : w.max;
	}
	return w;
}

static struct width measure(struct node *n)
{
	struct width w, other;

	switch (n->kind) {
	case NODE_SET:
		return (struct width){ 1, 1 };
	case NODE_SEQUENCE:
		return sequence_width(n);
	case NODE_CHOICE:
		return choice_width(n);
	case NODE_CAPTURE:
	case NODE_ATOMIC:
		return node_measure(n->part.body);
	case NODE_CONDITION:
		w = node_measure(n->part.body);
		other = node_measure(n->part.otherwise);
		return (struct width){ w.min < other.min ? w.min : other.min,
				       w.max > other.max ? w.max : other.max };
	case NODE_REPEAT:
		w = node_measure(n->repeat.body);
		return (struct width){ times(w.min, n->repeat.min), times(w.max, n->repeat.max) };
	case NODE_BACKREFERENCE:
		return (struct width){ 0, REPEAT_FOREVER };
	case NODE_EMPTY:
	case NODE_ASSERTION:
		break;
	case NODE_LOOK:
		node_measure(n->look.body);
		break;
	}
	return (struct width){ 0, 0 };
}

struct width node_measure(struct node *n)
{
	if (!n->measured) {
		n->width = measure(n);
		n->measured = true;
	}
	return n->width;
}
