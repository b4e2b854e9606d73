#ifndef LAGPROF_SAMPLER_EH_FRAME_H
#define LAGPROF_SAMPLER_EH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sampler/unwind.h"

/*
 * DWARF call frame information as .eh_frame holds it: pure, over bytes in
 * memory, all of them hostile.
 */
struct eh_section {
	const uint8_t *bytes; /* of .eh_frame */
	size_t size;
	uint64_t vaddr; /* of the first byte */
};

enum cfi_kind {
	CFI_SAME,       /* not saved: the register still holds its value */
	CFI_UNDEFINED,  /* lost; the return address: this is the outermost frame */
	CFI_OFFSET,     /* saved at CFA + value */
	CFI_VAL_OFFSET, /* is CFA + value */
	CFI_REGISTER,   /* is in register reg; the CFA: reg + value */
	CFI_EXPR,       /* saved at the address the expression gives; the CFA: is its value */
	CFI_VAL_EXPR,   /* is the expression's value */
};

struct cfi_rule {
	uint32_t kind; /* enum cfi_kind */
	uint32_t reg;  /* CFI_REGISTER; the length in bytes of an expression */
	int64_t value; /* an offset in bytes; of an expression in the section */
};

/* How to find a frame's caller: has no padding, so that equal rows are equal bytes. */
struct cfi_row {
	struct cfi_rule cfa; /* CFI_REGISTER or CFI_EXPR */
	struct cfi_rule regs[DW_N];
	uint64_t signal; /* 1: a signal frame, whose caller was interrupted and did not call */
};

/* One FDE with what it needs of its CIE. */
struct eh_fde {
	uint64_t start, end; /* vaddrs it covers */
	uint64_t code_align;
	int64_t data_align;
	uint8_t pointer_encoding; /* of its CIE */
	bool signal;
	const uint8_t *cie_code, *cie_code_end; /* instructions */
	const uint8_t *code, *code_end;
};

/* Parses the FDE at an offset of the section: 0, or -EINVAL. */
int eh_fde_parse(const struct eh_section *s, uint64_t offset, struct eh_fde *fde);
/*
 * Steps through all entries, CIEs too: starts at *next = 0 and sets *offset to
 * an entry's place and *next behind it.  False at the end.
 */
bool eh_frame_next(const struct eh_section *s, uint64_t *next, uint64_t *offset);
/* The row that holds at vaddr, which fde covers: 0, or -EINVAL. */
int eh_fde_row(const struct eh_section *s, const struct eh_fde *fde, uint64_t vaddr,
	       struct cfi_row *row);

#endif
