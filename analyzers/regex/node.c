#include "analyzers/regex/node.h"

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

const struct charset *node_single_set(const struct node *n, struct arena *a)
{
	const struct charset *set;

	switch (n->kind) {
	case NODE_SET:
		return n->set;
	case NODE_CAPTURE:
		return node_single_set(n->part.body, a);
	case NODE_CHOICE:
		set = node_single_set(n->list.items[0], a);
		for (uint32_t i = 1; i < n->list.n && set; i++) {
			const struct charset *other = node_single_set(n->list.items[i], a);

			set = other ? charset_union(set, other, a) : NULL;
		}
		return set;
	default:
		return NULL;
	}
}

bool node_reads_forwards(const struct node *n, uint32_t copies)
{
	switch (n->kind) {
	case NODE_EMPTY:
	case NODE_SET:
		return true;
	case NODE_ASSERTION:
		return n->assertion.kind == ASSERT_START;
	case NODE_SEQUENCE:
	case NODE_CHOICE:
		for (uint32_t i = 0; i < n->list.n; i++)
			if (!node_reads_forwards(n->list.items[i], copies))
				return false;
		return true;
	case NODE_CAPTURE:
		return node_reads_forwards(n->part.body, copies);
	case NODE_REPEAT:
		return n->repeat.mode != REPEAT_POSSESSIVE && n->repeat.min <= copies &&
		       (n->repeat.max == REPEAT_FOREVER || n->repeat.max <= copies) &&
		       node_reads_forwards(n->repeat.body, copies);
	default:
		return false;
	}
}

void node_groups(const struct node *n, const struct node **groups)
{
	switch (n->kind) {
	case NODE_SEQUENCE:
	case NODE_CHOICE:
		for (uint32_t i = 0; i < n->list.n; i++)
			node_groups(n->list.items[i], groups);
		break;
	case NODE_CAPTURE:
		groups[n->part.group] = n->part.body;
		node_groups(n->part.body, groups);
		break;
	case NODE_ATOMIC:
		node_groups(n->part.body, groups);
		break;
	case NODE_CONDITION:
		node_groups(n->part.body, groups);
		node_groups(n->part.otherwise, groups);
		break;
	case NODE_REPEAT:
		node_groups(n->repeat.body, groups);
		break;
	case NODE_LOOK:
		node_groups(n->look.body, groups);
		break;
	default:
		break;
	}
}
