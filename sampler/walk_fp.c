#include "sampler/code.h"
#include "sampler/walk.h"

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

/* Moves to the caller at ra, rbp being its own already. */
static enum stack_end step_to(struct walk *w, uint64_t ra, uint64_t sp, enum unwind_how how)
{
	enum stack_end end = check_return(w, ra);

	if (end != GOES_ON)
		return end;
	w->regs.valid &= WALK_ALWAYS | 1u << DW_RBP;
	walk_to(w, ra, sp, how);
	return GOES_ON;
}

/* The same with its address at `slot`. */
static enum stack_end step_return(struct walk *w, uint64_t slot, enum unwind_how how)
{
	uint64_t ra;

	if (memory_read_u64(w->mem, slot, &ra) < 0)
		return walk_unreadable(w, slot);
	return step_to(w, ra, slot + 8, how);
}

/* A frame that begins with its caller's rbp, at fp. */
static enum stack_end step_frame(struct walk *w, uint64_t fp)
{
	uint64_t caller_fp;
	enum stack_end end;

	if (fp - w->regs.r[DW_RSP] > WALK_REACH || fp % 8 != 0)
		return STACK_NO_UNWIND_INFO;
	if (memory_read_u64(w->mem, fp, &caller_fp) < 0)
		return walk_unreadable(w, fp);
	end = step_return(w, fp + 8, HOW_FP);
	if (end == GOES_ON)
		w->regs.r[DW_RBP] = caller_fp;
	/* What does not link up the stack was no frame; what does returns to code not seen yet. */
	if (end == STACK_NOT_CODE && caller_fp - fp > WALK_REACH)
		return STACK_NO_UNWIND_INFO;
	return end;
}

/* Whether the word at `slot` is where a call returns to. */
static bool returns_at(struct walk *w, uint64_t slot, uint64_t *ra)
{
	return memory_read_u64(w->mem, slot, ra) == 0 &&
	       step_rules_after_call(w->rules, w->mem, *ra) == 1;
}

static bool returns_at_sp(struct walk *w, uint64_t *ra)
{
	return returns_at(w, w->regs.r[DW_RSP], ra);
}

/*
 * Whether a leaf without rules has no frame although its next instruction does not
 * tell.  Frames of JIT code hold old return addresses in slots they have not
 * written yet: one at the stack pointer is not enough.
 */
static bool leaf_has_no_frame(struct walk *w, enum step_code code)
{
	struct space *space = w->rules->space;
	uint64_t pc = w->regs.r[DW_RIP], ra;

	if (!returns_at_sp(w, &ra))
		return false;
	if (code == STEP_IN_JIT)
		return code_makes_frame(space, w->mem, pc);
	if (code == STEP_IN_BARE_FILE)
		return true;
	/* V8's builtins are called by each other and by JIT code, other code by anyone. */
	if (step_rules_at(w->rules, w->mem, ra - 1)->kind == STEP_FP)
		return true;
	return code_calls(space, w->mem, ra, pc) == CODE_CALLS_IT;
}

/* Whether the word above fp is a return address, as it is where a frame begins. */
static bool may_be_fp(struct walk *w, uint64_t fp)
{
	uint64_t ra;

	return fp % 8 == 0 && returns_at(w, fp + 8, &ra);
}

/* The rbp of a caller that is returned to at `slot`: still there, or saved below. */
static void find_caller_fp(struct walk *w, uint64_t slot)
{
	uint64_t fp = w->regs.r[DW_RBP];

	for (uint64_t at = w->regs.r[DW_RSP]; at <= slot; at += 8) {
		if (fp > slot && fp - slot < WALK_REACH && may_be_fp(w, fp)) {
			regs_set(&w->regs, DW_RBP, fp);
			return;
		}
		if (memory_read_u64(w->mem, at, &fp) < 0)
			break;
	}
	w->regs.valid &= ~(1u << DW_RBP);
}

/* Whether rules lead from `next` to the outermost frame, or to the next code without any. */
static bool rules_lead_home(struct walk *w, struct walk next)
{
	enum stack_end end = GOES_ON;

	for (uint64_t n = 0; end == GOES_ON && walk_may_scan(w, n); n++) {
		const struct step_rule *rule =
			step_rules_at(w->rules, w->mem, walk_lookup_pc(&next));

		if (rule->kind == STEP_CFI)
			end = walk_by_cfi(&next, rule);
		else if (rule->kind == STEP_CFI_ROW)
			end = walk_by_row(&next, rule);
		else
			return rule->kind == STEP_OUTERMOST || (n > 0 && rule->kind == STEP_FP);
	}
	return end == STACK_COMPLETE;
}

/*
 * Code that a library has made for itself (PCRE's) keeps to no form at all, but
 * what called it is a function with rules.  Its frame may hold old return addresses in
 * slots not written yet: from the true one on, the whole stack must come out.
 */
static enum stack_end scan_for_rules(struct walk *w)
{
	uint64_t sp = w->regs.r[DW_RSP], pc = walk_lookup_pc(w), ra;

	for (uint64_t slot = sp; walk_may_scan(w, slot - sp); slot += 8) {
		struct walk next = *w;

		if (memory_read_u64(w->mem, slot, &ra) < 0)
			break;
		if (step_rules_after_call(w->rules, w->mem, ra) != 1 ||
		    step_rules_at(w->rules, w->mem, ra - 1)->kind == STEP_FP ||
		    code_calls(w->rules->space, w->mem, ra, pc) == CODE_CALLS_OTHER)
			continue;
		find_caller_fp(&next, slot);
		if (step_return(&next, slot, HOW_SCAN) != GOES_ON || !rules_lead_home(w, next))
			continue;
		next.scanned = w->scanned;
		*w = next;
		return GOES_ON;
	}
	return STACK_NO_UNWIND_INFO;
}

/* Whether the frame at fp is not JIT code's own: a function with rules made it, called by name. */
static bool frame_is_callers(struct walk *w, uint64_t fp)
{
	uint64_t ra;

	return returns_at(w, fp + 8, &ra) &&
	       step_rules_at(w->rules, w->mem, ra - 1)->kind != STEP_FP &&
	       code_calls(w->rules->space, w->mem, ra, walk_lookup_pc(w)) == CODE_CALLS_OTHER;
}

/* Whether `slot` may begin a frame: a link up the stack, and the address after a call. */
static bool is_frame(struct walk *w, uint64_t slot, uint64_t *caller_fp)
{
	uint64_t ra;

	return memory_read_u64(w->mem, slot, caller_fp) == 0 && *caller_fp > slot &&
	       *caller_fp - slot < WALK_REACH && *caller_fp % 8 == 0 &&
	       returns_at(w, slot + 8, &ra);
}

/*
 * Where V8 takes a frame apart (in its deoptimizer) there is none to step from.
 * The next one up the stack is: two links in a row are no accident.
 */
static enum stack_end scan_for_frame(struct walk *w, enum step_code code)
{
	uint64_t sp = w->regs.r[DW_RSP], fp, next;
	enum stack_end end;

	for (uint64_t slot = sp; walk_may_scan(w, slot - sp); slot += 8) {
		if (!is_frame(w, slot, &fp) || !is_frame(w, fp, &next))
			continue;
		if (code == STEP_IN_JIT && frame_is_callers(w, slot) &&
		    scan_for_rules(w) == GOES_ON)
			return GOES_ON;
		end = step_frame(w, slot);
		w->how = HOW_SCAN;
		return end;
	}
	return STACK_NO_UNWIND_INFO;
}

/*
 * Code of a library without rules that makes no frames (musl's libc): the nearest
 * return address behind a call that does not lead elsewhere.
 */
static enum stack_end scan_for_caller(struct walk *w)
{
	uint64_t sp = w->regs.r[DW_RSP], pc = walk_lookup_pc(w), ra;

	for (uint64_t slot = sp; walk_may_scan(w, slot - sp); slot += 8) {
		if (memory_read_u64(w->mem, slot, &ra) < 0)
			break;
		if (step_rules_after_call(w->rules, w->mem, ra) != 1)
			continue;
		/* A program's first function jumps to what runs main(). */
		if (step_rules_at(w->rules, w->mem, ra - 1)->kind != STEP_OUTERMOST &&
		    code_calls(w->rules->space, w->mem, ra, pc) == CODE_CALLS_OTHER)
			continue;
		find_caller_fp(w, slot);
		return step_return(w, slot, HOW_SCAN);
	}
	return STACK_NO_UNWIND_INFO;
}

/* A leaf that has left its frame and is on its way to a ret. */
static enum stack_end leave_exit(struct walk *w)
{
	int reg = code_leaves_frame(w->rules->space, w->mem, w->regs.r[DW_RIP]);
	uint64_t sp = w->regs.r[DW_RSP], ra;

	if (reg < 0 || !regs_have(&w->regs, (unsigned)reg))
		return STACK_NO_UNWIND_INFO;
	ra = w->regs.r[reg];
	if (reg == CODE_RETURNS_AT_SP)
		return returns_at_sp(w, &ra) ? step_return(w, sp, HOW_FP) : STACK_NO_UNWIND_INFO;
	return step_rules_after_call(w->rules, w->mem, ra) == 1 ? step_to(w, ra, sp, HOW_FP)
								: STACK_NO_UNWIND_INFO;
}

/* A leaf that its next instruction, or the stack below it, tells to have no frame of its own. */
static enum stack_end leave_leaf(struct walk *w, enum step_code code)
{
	enum stack_end end = STACK_NO_UNWIND_INFO;
	uint64_t sp = w->regs.r[DW_RSP], ra;

	switch (code_frame_at(w->rules->space, w->mem, w->regs.r[DW_RIP])) {
	case CODE_NO_FRAME:
		/* Elsewhere a push of rbp may come after others. */
		if (code == STEP_IN_JIT || returns_at_sp(w, &ra))
			return step_return(w, sp, HOW_FP);
		break;
	case CODE_PUSHED:
		return step_frame(w, sp);
	case CODE_ANY:
		break;
	}
	if (code != STEP_IN_BARE_FILE)
		end = leave_exit(w);
	if (end == STACK_NO_UNWIND_INFO && leaf_has_no_frame(w, code))
		end = step_return(w, sp, HOW_SCAN);
	return end;
}

/* What is left to try where neither code nor frame pointer leads on. */
static enum stack_end scan(struct walk *w, enum step_code code)
{
	uint64_t ra;

	if (walk_is_exact(w) && returns_at_sp(w, &ra))
		return step_return(w, w->regs.r[DW_RSP], HOW_SCAN);
	if (scan_for_frame(w, code) == GOES_ON)
		return GOES_ON;
	return code == STEP_IN_JIT ? scan_for_rules(w) : scan_for_caller(w);
}

enum stack_end walk_by_fp(struct walk *w, const struct step_rule *rule)
{
	enum step_code code = rule->code; /* looking up other addresses may move the rule */
	enum stack_end end = STACK_NO_UNWIND_INFO;

	if (walk_is_exact(w))
		end = leave_leaf(w, code);
	if (end == STACK_NO_UNWIND_INFO && code == STEP_IN_JIT && w->how != HOW_FP &&
	    regs_have(&w->regs, DW_RBP) && frame_is_callers(w, w->regs.r[DW_RBP]))
		end = scan_for_rules(w);
	if (end == STACK_NO_UNWIND_INFO && code == STEP_IN_BARE_FILE)
		end = scan_for_caller(w);
	if (end == STACK_NO_UNWIND_INFO && regs_have(&w->regs, DW_RBP))
		end = step_frame(w, w->regs.r[DW_RBP]);
	return end == STACK_NO_UNWIND_INFO ? scan(w, code) : end;
}

enum stack_end walk_from_nowhere(struct walk *w)
{
	uint64_t ra;

	return returns_at_sp(w, &ra) ? step_return(w, w->regs.r[DW_RSP], HOW_FP) : STACK_NOT_CODE;
}

/* The registers of struct sigcontext, in the order of the kernel, by DWARF number. */
/* clang-format off */
static const uint8_t sigcontext[] = {
	8, 9, 10, 11, 12, 13, 14, 15, 5, 4, DW_RBP, DW_RBX, 1, DW_RAX, 2, DW_RSP, DW_RIP,
};
/* clang-format on */

/* A signal frame without rules (musl's), or with its handler's return in the kernel already. */
enum stack_end walk_by_sigreturn(struct walk *w, const struct step_rule *rule)
{
	enum { UC_MCONTEXT = 40 };
	uint64_t pc = w->regs.r[DW_RIP], at = w->regs.r[DW_RSP] + UC_MCONTEXT, value;

	if (walk_is_exact(w) && !code_is_sigreturn(w->rules->space, w->mem, pc - CODE_SIGRETURN))
		return walk_by_fp(w, rule);
	for (size_t i = 0; i < sizeof(sigcontext); i++, at += 8) {
		if (memory_read_u64(w->mem, at, &value) < 0)
			return walk_unreadable(w, at);
		regs_set(&w->regs, sigcontext[i], value);
	}
	w->how = HOW_SIGNAL;
	return GOES_ON;
}
