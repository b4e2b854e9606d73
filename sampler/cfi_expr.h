#ifndef LAGPROF_SAMPLER_CFI_EXPR_H
#define LAGPROF_SAMPLER_CFI_EXPR_H

#include "sampler/memory.h"
#include "sampler/unwind.h"

/*
 * Evaluates a DWARF expression of call frame information: hostile bytes, bounded
 * in stack and steps.  first: what the stack begins with (the CFA), NULL: empty.
 * 0; -EINVAL for a malformed one; -EFAULT if a register or memory it needs
 * is not there.
 */
int cfi_expr_eval(const uint8_t *bytes, size_t size, const struct regs *regs, struct memory *mem,
		  const uint64_t *first, uint64_t *value);

#endif
