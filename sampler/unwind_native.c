#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "sampler/cfi_expr.h"
#include "sampler/code.h"
#include "sampler/step_rules.h"
#include "sampler/unwind.h"

/*
 * Steps from frame to frame by the rules of .eh_frame; where no rule covers the
 * pc (V8's builtins and JIT code), by the frame pointer.
 */
enum {
	STACK_REACH = 8 << 20, /* bytes: a stack's usual limit, and thus a frame's */
	SCAN_REACH = 4096,     /* bytes searched for a saved stack pointer */
};

/* What a step returns when it found a caller. */
static const enum stack_end GOES_ON = STACK_ENDS;

enum {
	ALWAYS = 1u << DW_RSP | 1u << DW_RIP,
	CALLEE_SAVED = ALWAYS | 1u << DW_RBP | 1u << DW_RBX | 0xf000,
};

/* One unwinding: the frame at hand. */
struct walk {
	struct step_rules *rules;
	struct memory *mem;
	struct regs regs;
	enum unwind_how how; /* it was reached */
	uint64_t leaf_sp;
};

/* The pc is where the frame runs, not where a callee will return to. */
static bool is_exact(const struct walk *w)
{
	return w->how == HOW_LEAF || w->how == HOW_SIGNAL;
}

static uint64_t lookup_pc(const struct walk *w)
{
	return w->regs.r[DW_RIP] - !is_exact(w);
}

static bool has(const struct regs *regs, unsigned reg)
{
	return regs->valid >> reg & 1;
}

static void set(struct regs *regs, unsigned reg, uint64_t value)
{
	regs->r[reg] = value;
	regs->valid |= 1u << reg;
}

/* Why a word of the stack could not be read: is it missing, or was it never one? */
static enum stack_end unreadable(const struct walk *w, uint64_t addr)
{
	uint64_t sp = w->regs.r[DW_RSP];
	const struct mapping *m = space_find(w->rules->space, addr);
	const struct mapping *stack = space_find(w->rules->space, sp);

	if (m && stack)
		return m == stack ? STACK_TRUNCATED : STACK_BAD_FRAME;
	return addr - sp < STACK_REACH ? STACK_TRUNCATED : STACK_BAD_FRAME;
}

static void move_to(struct walk *w, uint64_t pc, uint64_t sp, enum unwind_how how)
{
	w->regs.r[DW_RIP] = pc;
	w->regs.r[DW_RSP] = sp;
	w->how = how;
}

static enum stack_end step_cfi(struct walk *w, const struct step_rule *rule)
{
	struct regs *regs = &w->regs;
	uint64_t sp = regs->r[DW_RSP], cfa, ra, value;

	if (!has(regs, rule->cfa_reg))
		return STACK_BAD_FRAME;
	cfa = regs->r[rule->cfa_reg] + (uint64_t)(int64_t)rule->cfa_offset;
	if (cfa <= sp || cfa % 8 != 0)
		return STACK_BAD_FRAME;
	if (memory_read_u64(w->mem, cfa - 8, &ra) < 0)
		return unreadable(w, cfa - 8);
	regs->valid &= CALLEE_SAVED;
	for (size_t i = 0; i < rule->n_saved; i++) {
		uint64_t slot = cfa + (uint64_t)(int64_t)rule->saved[i];

		/* A slot below the stack pointer was popped: the register has its value again. */
		if (rule->saved[i] == STEP_NOT_SAVED || slot < sp)
			continue;
		if (memory_read_u64(w->mem, slot, &value) < 0)
			return unreadable(w, slot);
		set(regs, step_saved_registers[i], value);
	}
	move_to(w, ra, cfa, HOW_CFI);
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

	if (self->window_len && m->leaf_sp - addr - 1 < STACK_REACH)
		return -EFAULT;
	return memory_read(m->mem, addr, buf, len);
}

static int evaluate(const struct walk *w, const struct step_rule *rule, const struct cfi_rule *expr,
		    const uint64_t *first, uint64_t *value)
{
	struct expr_memory m = { .base = *w->mem, .mem = w->mem, .leaf_sp = w->leaf_sp };

	m.base.read = expr_read;
	return cfi_expr_eval(rule->section->bytes + expr->value, expr->reg, &w->regs, &m.base,
			     first, value);
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
		break; /* popped, as in step_cfi() */
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
		if (!rule->row.signal && !(CALLEE_SAVED >> reg & 1))
			return -EFAULT;
		break;
	case CFI_REGISTER:
		break;
	}
	if (source >= DW_N || !has(&w->regs, source))
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
			set(&caller, reg, value);
	if ((caller.valid & ALWAYS) != ALWAYS)
		return unreadable(w, cfa - 8);
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
	       *saved - slot < STACK_REACH && *saved % 8 == 0 &&
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
	uint64_t sp = w->regs.r[DW_RSP], end = sp + SCAN_REACH, saved, found = 0;
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
	return found ? apply_row(w, rule, found + 8, how) : unreadable(w, sp - 8);
}

static enum stack_end step_row(struct walk *w, const struct step_rule *shared)
{
	struct step_rule rule = *shared; /* looking up other addresses may move it */
	const struct cfi_rule *cfa = &rule.row.cfa;
	uint64_t value;

	if (cfa->kind == CFI_EXPR) {
		if (evaluate(w, &rule, cfa, NULL, &value) < 0)
			return is_exact(w) ? scan_for_cfa(w, &rule) : STACK_BAD_FRAME;
	} else {
		if (!has(&w->regs, cfa->reg))
			return STACK_BAD_FRAME;
		value = w->regs.r[cfa->reg] + (uint64_t)cfa->value;
	}
	return apply_row(w, &rule, value, rule.row.signal ? HOW_SIGNAL : HOW_CFI);
}

/*
 * Why ra cannot be where a callee returns to; GOES_ON if it can.  Code that has
 * rules is only returned to after a call.  V8's is not: when it deoptimizes, it
 * writes returns to its builtins, and to exits behind the code it gives up.
 */
static enum stack_end check_return(struct walk *w, uint64_t ra)
{
	const struct step_rule *rule = step_rules_at(w->rules, w->mem, ra - 1);

	if (rule->kind == STEP_NOT_CODE)
		return STACK_NOT_CODE;
	if (rule->kind == STEP_FP)
		return GOES_ON;
	return step_rules_after_call(w->rules, w->mem, ra) ? GOES_ON : STACK_NO_UNWIND_INFO;
}

/* Moves to the caller whose return address is at `slot`, rbp being the caller's already. */
static enum stack_end step_return(struct walk *w, uint64_t slot, enum unwind_how how)
{
	enum stack_end end;
	uint64_t ra;

	if (memory_read_u64(w->mem, slot, &ra) < 0)
		return unreadable(w, slot);
	end = check_return(w, ra);
	if (end != GOES_ON)
		return end;
	w->regs.valid &= ALWAYS | 1u << DW_RBP;
	move_to(w, ra, slot + 8, how);
	return GOES_ON;
}

/* A frame that begins with its caller's rbp, at fp. */
static enum stack_end step_frame(struct walk *w, uint64_t fp)
{
	uint64_t caller_fp;
	enum stack_end end;

	if (fp - w->regs.r[DW_RSP] > STACK_REACH || fp % 8 != 0)
		return STACK_NO_UNWIND_INFO;
	if (memory_read_u64(w->mem, fp, &caller_fp) < 0)
		return unreadable(w, fp);
	end = step_return(w, fp + 8, HOW_FP);
	if (end == GOES_ON)
		w->regs.r[DW_RBP] = caller_fp;
	return end;
}

/* Whether the word at the leaf's stack pointer is where a call returns to. */
static bool returns_at_sp(struct walk *w, uint64_t *ra)
{
	return memory_read_u64(w->mem, w->regs.r[DW_RSP], ra) == 0 &&
	       step_rules_after_call(w->rules, w->mem, *ra) == 1;
}

/*
 * Whether a leaf without rules has no frame although its next instruction does not
 * tell.  Frames of JIT code hold old return addresses in slots they have not
 * written yet: one at the stack pointer is not enough.
 */
static bool leaf_has_no_frame(struct walk *w, const struct step_rule *rule)
{
	struct space *space = w->rules->space;
	uint64_t pc = w->regs.r[DW_RIP], ra;
	bool foreign = rule->foreign;

	if (!returns_at_sp(w, &ra))
		return false;
	if (foreign)
		return code_makes_or_leaves_frame(space, w->mem, pc);
	/* V8's builtins are called by each other and by JIT code, other code by anyone. */
	if (step_rules_at(w->rules, w->mem, ra - 1)->kind == STEP_FP)
		return true;
	return code_calls(space, w->mem, ra, pc);
}

static enum stack_end step_fp(struct walk *w, const struct step_rule *rule)
{
	uint64_t sp = w->regs.r[DW_RSP], ra;
	enum stack_end end = STACK_NO_UNWIND_INFO;

	if (is_exact(w)) {
		switch (code_frame_at(w->rules->space, w->mem, w->regs.r[DW_RIP])) {
		case CODE_NO_FRAME:
			return step_return(w, sp, HOW_FP);
		case CODE_PUSHED:
			return step_frame(w, sp);
		case CODE_ANY:
			if (leaf_has_no_frame(w, rule))
				return step_return(w, sp, HOW_SCAN);
		}
	}
	if (has(&w->regs, DW_RBP))
		end = step_frame(w, w->regs.r[DW_RBP]);
	if (end != GOES_ON && is_exact(w) && returns_at_sp(w, &ra))
		return step_return(w, sp, HOW_SCAN);
	return end;
}

/* The registers of struct sigcontext, in the order of the kernel, by DWARF number. */
/* clang-format off */
static const uint8_t sigcontext[] = {
	8, 9, 10, 11, 12, 13, 14, 15, 5, 4, DW_RBP, DW_RBX, 1, DW_RAX, 2, DW_RSP, DW_RIP,
};
/* clang-format on */

/* A signal frame without rules (musl's), or with its handler's return in the kernel already. */
static enum stack_end step_sigreturn(struct walk *w, const struct step_rule *rule)
{
	enum { UC_MCONTEXT = 40 };
	uint64_t pc = w->regs.r[DW_RIP], at = w->regs.r[DW_RSP] + UC_MCONTEXT, value;

	if (is_exact(w) && !code_is_sigreturn(w->rules->space, w->mem, pc - CODE_SIGRETURN))
		return step_fp(w, rule);
	for (size_t i = 0; i < sizeof(sigcontext); i++, at += 8) {
		if (memory_read_u64(w->mem, at, &value) < 0)
			return unreadable(w, at);
		set(&w->regs, sigcontext[i], value);
	}
	w->how = HOW_SIGNAL;
	return GOES_ON;
}

static enum stack_end step(struct walk *w, const struct step_rule *rule)
{
	uint64_t ra;

	switch ((enum step_kind)rule->kind) {
	case STEP_CFI:
		return step_cfi(w, rule);
	case STEP_CFI_ROW:
		return step_row(w, rule);
	case STEP_OUTERMOST:
		return STACK_COMPLETE;
	case STEP_SIGRETURN:
		return step_sigreturn(w, rule);
	case STEP_FP:
		return step_fp(w, rule);
	case STEP_NOT_CODE: /* a call through a bad pointer */
		if (returns_at_sp(w, &ra))
			return step_return(w, w->regs.r[DW_RSP], HOW_FP);
		break;
	}
	return STACK_NOT_CODE;
}

static void push_frame(const struct walk *w, struct raw_stack *out)
{
	out->frames[out->n++] = (struct raw_frame){
		.pc = w->regs.r[DW_RIP],
		.sp = w->regs.r[DW_RSP],
		.fp = has(&w->regs, DW_RBP) ? w->regs.r[DW_RBP] : 0,
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
	if ((regs->valid & ALWAYS) != ALWAYS)
		return;
	step_rules_sync(w.rules);
	for (;;) {
		const struct step_rule *rule = step_rules_at(w.rules, mem, lookup_pc(&w));

		out->end = STACK_NOT_CODE;
		if (rule->kind == STEP_NOT_CODE && w.how != HOW_LEAF)
			return;
		out->end = STACK_TOO_DEEP;
		if (out->n == STACK_MAX)
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
