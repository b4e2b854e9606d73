#ifndef LAGPROF_SAMPLER_EH_INDEX_H
#define LAGPROF_SAMPLER_EH_INDEX_H

#include "sampler/eh_frame.h"
#include "sampler/elf_file.h"

/*
 * Finds the unwind rules of a file's addresses: by .eh_frame_hdr's sorted table,
 * or by one that is made from .eh_frame where the linker left it out.  Loaded
 * on first use and freed with the file.
 */

/* 1: *row holds at vaddr; 0: no FDE covers it; -EINVAL: one does, but is malformed. */
int eh_index_row(struct elf_file *file, uint64_t vaddr, struct cfi_row *row);
/* The function (what one FDE covers) that holds vaddr: its first vaddr, 0 if none does. */
uint64_t eh_index_function(struct elf_file *file, uint64_t vaddr);
/* The bytes that rows' expressions lie in; empty if there are none. */
const struct eh_section *eh_index_section(struct elf_file *file);
/*
 * Copies bytes of .eh_frame or of .eh_frame_hdr from the copies in memory, for
 * unwinders that parse them themselves: 0, or -EFAULT.
 */
int eh_index_read(struct elf_file *file, uint64_t vaddr, void *buf, size_t len);
/* How many functions it knows. */
size_t eh_index_size(struct elf_file *file);
/*
 * The widest stretch between the starts of two neighbouring FDEs (where node
 * keeps V8's embedded builtins): false if there are no two.
 */
bool eh_index_widest_gap(struct elf_file *file, uint64_t *start, uint64_t *end);

#endif
