#ifndef LAGPROF_SAMPLER_WALK_H
#define LAGPROF_SAMPLER_WALK_H

#include "sampler/step_rules.h"
#include "sampler/unwind.h"

/*
 * One unwinding by the native unwinder: the frame at hand, and the steps that
 * lead to its caller.
 */
struct walk {
	struct step_rules *rules;
	struct memory *mem;
	struct regs regs;    /* in the frame at hand */
	enum unwind_how how; /* it was reached */
	uint64_t leaf_sp;
	unsigned scanned; /* words searched so far */
};

enum {
	WALK_REACH = 8 << 20,     /* bytes: a stack's usual limit, and thus a frame's */
	WALK_SCAN = 4096,         /* bytes of stack searched for what no rule tells */
	WALK_MAX_SCANNED = 16384, /* words, in all of one stack: then it ends */
};

/* Registers without which no frame is one. */
enum { WALK_ALWAYS = 1u << DW_RSP | 1u << DW_RIP };

/* What a step returns when it has moved to the caller; else it is why the stack ends. */
static const enum stack_end GOES_ON = STACK_ENDS;

/* By the rules of .eh_frame (STEP_CFI, STEP_CFI_ROW). */
enum stack_end walk_by_cfi(struct walk *w, const struct step_rule *rule);
enum stack_end walk_by_row(struct walk *w, const struct step_rule *rule);
/* Where there are none (STEP_FP, STEP_SIGRETURN, and a leaf that is STEP_NOT_CODE). */
enum stack_end walk_by_fp(struct walk *w, const struct step_rule *rule);
enum stack_end walk_by_sigreturn(struct walk *w, const struct step_rule *rule);
enum stack_end walk_from_nowhere(struct walk *w);

/* The pc is where the frame runs, not where a callee will return to. */
static inline bool walk_is_exact(const struct walk *w)
{
	return w->how == HOW_LEAF || w->how == HOW_SIGNAL;
}

static inline uint64_t walk_lookup_pc(const struct walk *w)
{
	return w->regs.r[DW_RIP] - !walk_is_exact(w);
}

static inline bool regs_have(const struct regs *regs, unsigned reg)
{
	return regs->valid >> reg & 1;
}

static inline void regs_set(struct regs *regs, unsigned reg, uint64_t value)
{
	regs->r[reg] = value;
	regs->valid |= 1u << reg;
}

static inline void walk_to(struct walk *w, uint64_t pc, uint64_t sp, enum unwind_how how)
{
	w->regs.r[DW_RIP] = pc;
	w->regs.r[DW_RSP] = sp;
	w->how = how;
}

/* Whether a search may look at the word `offset` bytes from its start. */
static inline bool walk_may_scan(struct walk *w, uint64_t offset)
{
	return offset < WALK_SCAN && w->scanned++ < WALK_MAX_SCANNED;
}

/* Why a word of the stack could not be read: is it missing, or was it never one? */
enum stack_end walk_unreadable(const struct walk *w, uint64_t addr);

#endif
