#include <errno.h>

#include "sampler/cfi_expr.h"
#include "sampler/walk.h"

enum stack_end walk_unreadable(const struct walk *w, uint64_t addr)
{
	uint64_t sp = w->regs.r[DW_RSP];
	const struct mapping *m = space_find(w->rules->space, addr);
	const struct mapping *stack = space_find(w->rules->space, sp);

	if (m && stack)
		return m == stack ? STACK_TRUNCATED : STACK_BAD_FRAME;
	return addr - sp < WALK_REACH ? STACK_TRUNCATED : STACK_BAD_FRAME;
}

/*
 * Registers without a rule keep their values, even those that a callee need not
 * save: OpenSSL's assembly leaves its CFA in rax over calls of its own helpers.
 */
enum stack_end walk_by_cfi(struct walk *w, const struct step_rule *rule)
{
	struct regs *regs = &w->regs;
	uint64_t sp = regs->r[DW_RSP], cfa, ra, value;

	if (!regs_have(regs, rule->cfa_reg))
		return STACK_BAD_FRAME;
	cfa = regs->r[rule->cfa_reg] + (uint64_t)(int64_t)rule->cfa_offset;
	if (cfa <= sp || cfa % 8 != 0)
		return STACK_BAD_FRAME;
	if (memory_read_u64(w->mem, cfa - 8, &ra) < 0)
		return walk_unreadable(w, cfa - 8);
	for (size_t i = 0; i < rule->n_saved; i++) {
		uint64_t slot = cfa + (uint64_t)(int64_t)rule->saved[i];

		/* A slot below the stack pointer was popped: the register has its value again. */
		if (rule->saved[i] == STEP_NOT_SAVED || slot < sp)
			continue;
		if (memory_read_u64(w->mem, slot, &value) < 0)
			return walk_unreadable(w, slot);
		regs_set(regs, step_saved_registers[i], value);
	}
	walk_to(w, ra, cfa, HOW_CFI);
	return GOES_ON;
}

/*
 * What expressions may read.  Below the leaf's stack pointer the target has gone
 * on since it was sampled: of that, only what was copied counts.
 */
struct expr_memory {
	struct memory base;
	struct memory *mem;
	uint64_t leaf_sp;
};

static int expr_read(struct memory *self, uint64_t addr, void *buf, size_t len)
{
	struct expr_memory *m = (struct expr_memory *)self;

	if (self->window_len && m->leaf_sp - addr - 1 < WALK_REACH)
		return -EFAULT;
	return memory_read(m->mem, addr, buf, len);
}

static int evaluate(const struct walk *w, const struct step_rule *rule, const struct cfi_rule *expr,
		    const uint64_t *first, uint64_t *value)
{
	struct expr_memory m = { .base = *w->mem, .mem = w->mem, .leaf_sp = w->leaf_sp };

	m.base.read = expr_read;
	return cfi_expr_eval((struct cfi_expr){ rule->section->bytes + expr->value, expr->reg },
			     &w->regs, &m.base, first, value);
}

/* The caller's value of a register: 0, or -EFAULT if it is lost. */
static int register_value(const struct walk *w, const struct step_rule *rule, unsigned reg,
			  uint64_t cfa, uint64_t *value)
{
	const struct cfi_rule *r = &rule->row.regs[reg];
	uint64_t slot = cfa + (uint64_t)r->value;
	unsigned source = r->kind == CFI_REGISTER ? r->reg : reg;

	switch ((enum cfi_kind)r->kind) {
	case CFI_VAL_EXPR:
		return evaluate(w, rule, r, &cfa, value);
	case CFI_EXPR:
		if (evaluate(w, rule, r, &cfa, &slot) < 0)
			return -EFAULT;
		return memory_read_u64(w->mem, slot, value);
	case CFI_OFFSET:
		if (slot >= w->regs.r[DW_RSP] || rule->row.signal)
			return memory_read_u64(w->mem, slot, value);
		break; /* popped, as in walk_by_cfi() */
	case CFI_VAL_OFFSET:
		*value = slot;
		return 0;
	case CFI_UNDEFINED:
		return -EFAULT;
	case CFI_SAME:
		if (reg == DW_RSP) {
			*value = cfa;
			return 0;
		}
		break;
	case CFI_REGISTER:
		break;
	}
	if (source >= DW_N || !regs_have(&w->regs, source))
		return -EFAULT;
	*value = w->regs.r[source];
	return 0;
}

/* Moves to the caller of a frame whose CFA is known. */
static enum stack_end apply_row(struct walk *w, const struct step_rule *rule, uint64_t cfa,
				enum unwind_how how)
{
	struct regs caller = { .valid = 0 };
	uint64_t sp = w->regs.r[DW_RSP], value;

	if (rule->row.regs[DW_RIP].kind == CFI_UNDEFINED)
		return STACK_COMPLETE;
	if (rule->row.regs[DW_RIP].kind == CFI_SAME)
		return STACK_NO_UNWIND_INFO;
	/* A signal may have been taken on a stack of its own. */
	if (!rule->row.signal && cfa <= sp)
		return STACK_BAD_FRAME;
	for (unsigned reg = 0; reg < DW_N; reg++)
		if (register_value(w, rule, reg, cfa, &value) == 0)
			regs_set(&caller, reg, value);
	if ((caller.valid & WALK_ALWAYS) != WALK_ALWAYS)
		return walk_unreadable(w, cfa - 8);
	if (!rule->row.signal && caller.r[DW_RSP] <= sp)
		return STACK_BAD_FRAME;
	w->regs = caller;
	w->how = how;
	return GOES_ON;
}

/* Whether the word in `slot` is a saved stack pointer: it points up the stack, at a return address.
 */
static bool is_saved_sp(struct walk *w, uint64_t slot, uint64_t *saved)
{
	uint64_t ra;

	return memory_read_u64(w->mem, slot, saved) == 0 && *saved > slot &&
	       *saved - slot < WALK_REACH && *saved % 8 == 0 &&
	       memory_read_u64(w->mem, *saved, &ra) == 0 &&
	       step_rules_after_call(w->rules, w->mem, ra) == 1;
}

/*
 * OpenSSL's AVX2 hashes keep the caller's stack pointer in a slot below their own
 * (CFA = *(rsp - 8) + 8), which nobody copies.  But their frame holds it too.
 * Other such words in it are left from earlier calls, and point into it: only
 * one that points further up makes this a guess.
 */
static enum stack_end scan_for_cfa(struct walk *w, const struct step_rule *rule)
{
	uint64_t sp = w->regs.r[DW_RSP], end = sp + WALK_SCAN, saved, found = 0;
	enum unwind_how how = HOW_CFI;

	for (uint64_t slot = sp; slot < end; slot += 8) {
		if (!is_saved_sp(w, slot, &saved))
			continue;
		if (!found)
			found = saved;
		else if (saved > found)
			how = HOW_SCAN;
		if (found < end)
			end = found; /* the frame ends there */
	}
	return found ? apply_row(w, rule, found + 8, how) : walk_unreadable(w, sp - 8);
}

enum stack_end walk_by_row(struct walk *w, const struct step_rule *shared)
{
	struct step_rule rule = *shared; /* looking up other addresses may move it */
	const struct cfi_rule *cfa = &rule.row.cfa;
	uint64_t value;

	if (cfa->kind == CFI_EXPR) {
		if (evaluate(w, &rule, cfa, NULL, &value) < 0)
			return walk_is_exact(w) ? scan_for_cfa(w, &rule) : STACK_BAD_FRAME;
	} else {
		if (!regs_have(&w->regs, cfa->reg))
			return STACK_BAD_FRAME;
		value = w->regs.r[cfa->reg] + (uint64_t)cfa->value;
	}
	return apply_row(w, &rule, value, rule.row.signal ? HOW_SIGNAL : HOW_CFI);
}
