#ifndef LAGPROF_SAMPLER_STEP_RULES_H
#define LAGPROF_SAMPLER_STEP_RULES_H

#include "sampler/eh_frame.h"
#include "sampler/memory.h"
#include "sampler/space.h"

/*
 * How to step from an address to its caller, remembered by address.  A program
 * has few hundred different rules however many addresses are seen.
 */
enum step_kind {
	STEP_NOT_CODE,  /* no executable mapping */
	STEP_CFI,       /* CFA = reg + offset, return address just below it: nearly all */
	STEP_CFI_ROW,   /* any other row */
	STEP_FP,        /* no row covers it: a frame pointer, or a look at the code */
	STEP_SIGRETURN, /* the same, unless a signal handler returns to it, or just did */
	STEP_OUTERMOST, /* nothing called this */
};

/* The registers a callee saves, in the order of step_rule.saved. */
enum { STEP_SAVED = 6, STEP_NOT_SAVED = INT32_MIN };
extern const uint8_t step_saved_registers[STEP_SAVED]; /* rbp rbx r12 r13 r14 r15 */

/* Where code without a rule lies. */
enum step_code {
	STEP_IN_FILE,      /* among code that has rules */
	STEP_IN_BARE_FILE, /* in a file that has none to speak of (musl's libc) */
	STEP_IN_JIT,       /* in no file */
};

/* Has no padding: equal rules are equal bytes. */
struct step_rule {
	uint8_t kind;                     /* enum step_kind */
	uint8_t cfa_reg;                  /* STEP_CFI */
	uint8_t n_saved;                  /* how many of saved[] to look at */
	uint8_t code;                     /* STEP_FP, STEP_SIGRETURN: enum step_code */
	int32_t cfa_offset;               /* STEP_CFI */
	int32_t saved[STEP_SAVED];        /* offsets from the CFA, or STEP_NOT_SAVED */
	const struct eh_section *section; /* of the row's expressions */
	struct cfi_row row;               /* STEP_CFI_ROW */
};

struct step_pc {
	uint64_t pc;
	uint32_t rule;
	uint32_t after_call; /* pc + 1 is known to follow a call */
};

enum { STEP_PCS = 16384 };

struct step_rules {
	struct space *space;
	uint64_t generation; /* of the space, for which all this holds */
	struct step_pc *pcs; /* direct-mapped */
	struct step_rule *rules;
	size_t n, cap;
	uint32_t *slots; /* rule by content: index + 1 */
	uint64_t misses; /* a figure for tests and bench */
};

void step_rules_init(struct step_rules *s, struct space *space);
void step_rules_destroy(struct step_rules *s);
/* Forgets everything if the space has changed: before each stack. */
void step_rules_sync(struct step_rules *s);
/* Works out the rule of pc and keeps it in its slot. */
void step_rules_fill(struct step_rules *s, struct memory *mem, uint64_t pc, struct step_pc *slot);
/* code_after_call(), which is asked only once where the answer is yes. */
int step_rules_after_call(struct step_rules *s, struct memory *mem, uint64_t ra);

static inline struct step_pc *step_rules_slot(struct step_rules *s, uint64_t pc)
{
	return &s->pcs[pc * 0x9e3779b97f4a7c15 >> (64 - 14)];
}

/* The rule of pc (for a return address: that less 1).  Valid until the next call. */
static inline const struct step_rule *step_rules_at(struct step_rules *s, struct memory *mem,
						    uint64_t pc)
{
	struct step_pc *slot = step_rules_slot(s, pc);

	if (slot->pc != pc)
		step_rules_fill(s, mem, pc, slot);
	return &s->rules[slot->rule];
}

#endif
