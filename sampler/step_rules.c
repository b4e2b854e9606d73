#include "sampler/step_rules.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/strings.h"
#include "sampler/code.h"
#include "sampler/eh_index.h"

const uint8_t step_saved_registers[STEP_SAVED] = { DW_RBP, DW_RBX, 12, 13, 14, 15 };

enum {
	MAX_RULES = 8192, /* of one generation; then all is forgotten */
	RULE_SLOTS = 2 * MAX_RULES,
	ENTRY_CODE = 64, /* bytes of a _start */
};

void step_rules_init(struct step_rules *s, struct space *space)
{
	*s = (struct step_rules){ .space = space };
	s->pcs = xcalloc(STEP_PCS, sizeof(*s->pcs));
	s->slots = xcalloc(RULE_SLOTS, sizeof(*s->slots));
}

void step_rules_destroy(struct step_rules *s)
{
	free(s->pcs);
	free(s->slots);
	free(s->rules);
}

void step_rules_sync(struct step_rules *s)
{
	if (s->generation == space_generation(s->space) && s->n < MAX_RULES)
		return;
	/* A free slot holds a pc that belongs into another: no pc ever finds it there. */
	for (size_t i = 0; i < STEP_PCS; i++)
		s->pcs[i] = (struct step_pc){ .pc = i == 0 };
	memset(s->slots, 0, RULE_SLOTS * sizeof(*s->slots));
	s->n = 0;
	s->generation = space_generation(s->space);
}

/* Index of an equal rule, new or known. */
static uint32_t intern_rule(struct step_rules *s, const struct step_rule *rule)
{
	/* Seeded, so that a target cannot make its rules collide. */
	size_t slot = hash_bytes((uintptr_t)s, rule, sizeof(*rule)) % RULE_SLOTS;

	for (; s->slots[slot]; slot = (slot + 1) % RULE_SLOTS)
		if (memcmp(&s->rules[s->slots[slot] - 1], rule, sizeof(*rule)) == 0)
			return s->slots[slot] - 1;
	/* One stack sees few new rules; a full table is emptied before the next. */
	assert(s->n < RULE_SLOTS - 1);
	ARRAY_GROW(s->rules, s->n, s->cap);
	s->rules[s->n++] = *rule;
	s->slots[slot] = (uint32_t)s->n;
	return s->slots[slot] - 1;
}

/* Fills rule from the row if it has the shape that nearly all have. */
static bool compact_row(struct step_rule *rule, const struct cfi_row *row)
{
	const struct cfi_rule *ra = &row->regs[DW_RIP];

	if (row->signal || row->cfa.kind != CFI_REGISTER ||
	    row->cfa.value != (int32_t)row->cfa.value || ra->kind != CFI_OFFSET ||
	    ra->value != -8 || row->regs[DW_RSP].kind != CFI_SAME)
		return false;
	rule->cfa_reg = (uint8_t)row->cfa.reg;
	rule->cfa_offset = (int32_t)row->cfa.value;
	for (size_t i = 0; i < STEP_SAVED; i++) {
		const struct cfi_rule *r = &row->regs[step_saved_registers[i]];

		rule->saved[i] = STEP_NOT_SAVED;
		if (r->kind == CFI_SAME)
			continue;
		if (r->kind != CFI_OFFSET || r->value != (int32_t)r->value)
			return false;
		rule->saved[i] = (int32_t)r->value;
		rule->n_saved = (uint8_t)(i + 1);
	}
	rule->kind = STEP_CFI;
	return true;
}

/* Compilers write a rule for every few hundred bytes of code. */
static bool is_bare(struct elf_file *file)
{
	enum { PER_RULE = 16 << 10 };
	uint64_t code = 0;

	for (size_t i = 0; i < file->n_segments; i++)
		code += file->segments[i].exec ? file->segments[i].filesz : 0;
	return code / PER_RULE > eh_index_size(file);
}

static void rule_without_row(struct step_rules *s, struct memory *mem, uint64_t pc,
			     struct elf_file *file, struct step_rule *rule)
{
	const struct mapping *m = space_find(s->space, pc);

	rule->code = is_bare(file) ? STEP_IN_BARE_FILE : STEP_IN_FILE;
	if (file->entry && pc - m->bias - file->entry < ENTRY_CODE)
		rule->kind = STEP_OUTERMOST;
	else if (code_is_sigreturn(s->space, mem, pc + 1) ||
		 code_is_sigreturn(s->space, mem, pc - CODE_SIGRETURN))
		rule->kind = STEP_SIGRETURN;
	else
		rule->kind = STEP_FP;
}

void step_rules_fill(struct step_rules *s, struct memory *mem, uint64_t pc, struct step_pc *slot)
{
	struct mapping *m = space_find(s->space, pc);
	struct elf_file *file;
	struct step_rule rule;
	struct cfi_row row;

	memset(&rule, 0, sizeof(rule));
	s->misses++;
	if (!m || !m->exec) {
		rule.kind = STEP_NOT_CODE;
	} else if (!(file = space_file(s->space, m))) {
		rule.kind = STEP_FP;
		rule.code = STEP_IN_JIT;
	} else if (eh_index_row(file, pc - m->bias, &row) != 1) {
		rule_without_row(s, mem, pc, file, &rule);
	} else if (!compact_row(&rule, &row)) {
		memset(&rule, 0, sizeof(rule));
		rule.kind = STEP_CFI_ROW;
		rule.row = row;
		rule.section = eh_index_section(file);
	}
	*slot = (struct step_pc){ .pc = pc, .rule = intern_rule(s, &rule) };
}

int step_rules_after_call(struct step_rules *s, struct memory *mem, uint64_t ra)
{
	struct step_pc *slot = step_rules_slot(s, ra - 1);
	const struct mapping *m;
	int rc;

	/* Any word may be asked for: those that are no code must not take a slot. */
	if (slot->pc != ra - 1) {
		m = space_find(s->space, ra - 1);
		if (!m || !m->exec)
			return -EFAULT;
		step_rules_fill(s, mem, ra - 1, slot);
	}
	if (slot->after_call)
		return 1;
	/* A no is not kept: JIT code may be written anew. */
	rc = code_after_call(s->space, mem, ra);
	slot->after_call = rc > 0;
	return rc;
}
