#include "sampler/unwind.h"

#include <string.h>

const struct unwinder *unwinder_find(const char *name)
{
	static const struct unwinder *const unwinders[] = { &unwinder_native, &unwinder_libunwind };

	for (size_t i = 0; i < sizeof(unwinders) / sizeof(unwinders[0]); i++)
		if (strcmp(unwinders[i]->name, name) == 0)
			return unwinders[i];
	return NULL;
}

void unwind_check_seam(struct raw_stack *stack, const struct memory_dump *dump,
		       struct memory_live *live)
{
	uint64_t end = dump->base.window_addr + dump->base.window_len;
	bool reached = stack->end == STACK_COMPLETE || stack->end == STACK_TOO_DEEP;

	if (!dump->read_past || !live || (reached && memory_dump_seam_holds(dump, live)))
		return;
	/* A stack that shrank leaves its dead bytes behind, seam and all; but then it leads
	 * nowhere. */
	while (stack->n > 0 && stack->frames[stack->n - 1].sp >= end)
		stack->n--;
	stack->end = STACK_SEAM;
}

static bool same_frame(const struct raw_frame *a, const struct raw_frame *b)
{
	return a->pc == b->pc && a->sp == b->sp && a->fp == b->fp;
}

bool unwind_splice(struct raw_stack *stack, const struct raw_stack *before)
{
	const struct raw_frame *last = stack->frames + stack->n - 1;
	size_t i = 1;

	/* Not by the leaf alone: it has not called anything yet. */
	if (stack->end != STACK_SEAM || before->end != STACK_COMPLETE || stack->n < 3)
		return false;
	while (i < before->n && !(same_frame(&before->frames[i], last) &&
				  same_frame(&before->frames[i - 1], last - 1)))
		i++;
	if (i >= before->n || stack->n + (before->n - i - 1) > RAW_STACK_MAX)
		return false;
	for (i++; i < before->n; i++)
		stack->frames[stack->n++] = before->frames[i];
	stack->end = STACK_COMPLETE;
	return true;
}

size_t unwind_fold(struct raw_stack *stack)
{
	if (stack->n <= 2 * UNWIND_FOLD)
		return 0;
	memmove(stack->frames + UNWIND_FOLD, stack->frames + stack->n - UNWIND_FOLD,
		UNWIND_FOLD * sizeof(stack->frames[0]));
	stack->n = 2 * UNWIND_FOLD;
	return UNWIND_FOLD;
}
