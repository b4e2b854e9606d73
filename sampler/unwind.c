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
