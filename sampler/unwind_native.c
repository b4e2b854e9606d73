#include <stdlib.h>

#include "core/arena.h"
#include "sampler/unwind.h"
#include "sampler/walk.h"

/*
 * Steps from frame to frame by the rules of .eh_frame; where no rule covers the
 * pc (V8's builtins and JIT code), by the frame pointer.
 */
static enum stack_end step(struct walk *w, const struct step_rule *rule)
{
	switch ((enum step_kind)rule->kind) {
	case STEP_CFI:
		return walk_by_cfi(w, rule);
	case STEP_CFI_ROW:
		return walk_by_row(w, rule);
	case STEP_OUTERMOST:
		return STACK_COMPLETE;
	case STEP_SIGRETURN:
		return walk_by_sigreturn(w, rule);
	case STEP_FP:
		return walk_by_fp(w, rule);
	case STEP_NOT_CODE: /* a call through a bad pointer */
		return walk_from_nowhere(w);
	}
	return STACK_NOT_CODE;
}

static void push_frame(const struct walk *w, struct raw_stack *out)
{
	out->frames[out->n++] = (struct raw_frame){
		.pc = w->regs.r[DW_RIP],
		.sp = w->regs.r[DW_RSP],
		.fp = regs_have(&w->regs, DW_RBP) ? w->regs.r[DW_RBP] : 0,
		.how = w->how,
	};
}

static void native_unwind(void *state, const struct regs *regs, struct memory *mem,
			  struct raw_stack *out)
{
	struct walk w = { .rules = state,
			  .mem = mem,
			  .regs = *regs,
			  .how = HOW_LEAF,
			  .leaf_sp = regs->r[DW_RSP] };

	out->n = 0;
	out->regs = *regs;
	out->end = STACK_NO_REGISTERS;
	if ((regs->valid & WALK_ALWAYS) != WALK_ALWAYS)
		return;
	step_rules_sync(w.rules);
	for (;;) {
		const struct step_rule *rule = step_rules_at(w.rules, mem, walk_lookup_pc(&w));

		out->end = STACK_NOT_CODE;
		if (rule->kind == STEP_NOT_CODE && w.how != HOW_LEAF)
			return;
		out->end = STACK_TOO_DEEP;
		if (out->n == RAW_STACK_MAX)
			return;
		push_frame(&w, out);
		out->end = step(&w, rule);
		if (out->end != GOES_ON)
			return;
	}
}

static void *native_create(struct space *space)
{
	struct step_rules *rules = xcalloc(1, sizeof(*rules));

	step_rules_init(rules, space);
	return rules;
}

static void native_destroy(void *state)
{
	step_rules_destroy(state);
	free(state);
}

const struct unwinder unwinder_native = {
	.name = "native",
	.create = native_create,
	.destroy = native_destroy,
	.unwind = native_unwind,
};
