#ifndef LAGPROF_SAMPLER_DEBUG_INFO_H
#define LAGPROF_SAMPLER_DEBUG_INFO_H

#include "core/arena.h"
#include "sampler/elf_file.h"

/*
 * Source lines and inlined functions from a file's DWARF, by libdw.  It may
 * take tens of microseconds an address: for the end of a session, never for a
 * sample.
 */
struct debug_info;

/*
 * Takes file over in any case.  alt, or NULL: the file its .gnu_debugaltlink names
 * (taken over as well).  NULL if it has no DWARF, or refers to one that is not given:
 * libdw would open any path that the file tells.
 */
struct debug_info *debug_info_open(struct elf_file *file, struct elf_file *alt);
void debug_info_close(struct debug_info *info);

/* Where a file says that its alternate debug file is: false if it has none. */
bool debug_info_alt(const struct elf_file *file, char *path, size_t path_size, char build_id[41]);

struct source_frame {
	const char *function; /* linkage name, or else the plain one; NULL unknown */
	const char *file; /* absolute and normalized, in the arena; NULL if unknown or relative */
	uint32_t line, column; /* of the address or the call; 0 unknown, or without a file */
	uint32_t define_line;  /* where the function begins */
};

/*
 * The functions at vaddr: inlined ones from the innermost out, then the one that
 * contains them.  Returns how many were filled in, at most max; 0 if nothing is
 * known.  Strings live as long as info.
 */
size_t debug_info_lookup(struct debug_info *info, struct arena *arena, uint64_t vaddr,
			 struct source_frame *out, size_t max);

#endif
