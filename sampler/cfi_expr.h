#ifndef LAGPROF_SAMPLER_CFI_EXPR_H
#define LAGPROF_SAMPLER_CFI_EXPR_H

#include "sampler/memory.h"
#include "sampler/unwind.h"

/* A DWARF expression: hostile bytes. */
struct cfi_expr {
	const uint8_t *bytes;
	size_t size;
};

/*
 * Evaluates a DWARF expression of call frame information, bounded in stack and
 * steps.  first: what the stack begins with (the CFA), NULL: empty.
 * 0; -EINVAL for a malformed one; -EFAULT if a register or memory it needs
 * is not there.
 */
int cfi_expr_eval(struct cfi_expr expr, const struct regs *regs, struct memory *mem,
		  const uint64_t *first, uint64_t *value);

#endif
