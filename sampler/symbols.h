#ifndef LAGPROF_SAMPLER_SYMBOLS_H
#define LAGPROF_SAMPLER_SYMBOLS_H

#include "core/recording.h"
#include "sampler/space.h"

/*
 * Names of native functions.  symbols_lookup() answers from .symtab, .dynsym
 * and, where the file is stripped, from its debug file or .gnu_debugdata.  It
 * honours sizes: an address past a symbol's end has no name rather than a wrong
 * one.  Of several names of one function it gives the one that people use.
 */
struct symbol {
	const char *name;    /* not demangled, no symbol version; lives as long as the file */
	uint64_t start, end; /* vaddr */
};
/*
 * Where debug files may be found: proc is /proc/PID, opened by the space (-1:
 * none), path is the file's in the target.  Only the first call before the first
 * lookup counts; without it only our own /usr/lib/debug is searched, by build-id.
 */
void symbols_set_origin(struct elf_file *file, int proc, const char *path);
/* False if no symbol covers vaddr.  Loads the tables on first use (about 30 ms for node). */
bool symbols_lookup(struct elf_file *file, uint64_t vaddr, struct symbol *out);
/* A function or variable by its exact name, in the file itself: false if absent. */
bool symbols_find(struct elf_file *file, const char *name, struct symbol *out);
/* All symbols of the file itself whose name begins with prefix, in order of name. */
void symbols_each(struct elf_file *file, const char *prefix,
		  void (*each)(void *arg, const struct symbol *sym), void *arg);

/*
 * C++ and Rust names as people write them, with template arguments but without
 * argument lists: "v8::internal::JsonParser<unsigned short>::ParseJson".  What
 * compilers append to copies of a function (".isra.0", ".cold") is dropped
 * from any name; the rest is unchanged.  Interned in rec.
 */
const char *symbol_demangle(struct recording *rec, const char *name);

/* Kernel function names from /proc/kallsyms; empty where it hides addresses. */
struct kernel_symbols;
struct kernel_symbols *kernel_symbols_load(void);
const char *kernel_symbols_lookup(const struct kernel_symbols *ks, uint64_t addr);
void kernel_symbols_free(struct kernel_symbols *ks);

/*
 * Once per recording, when it is finished: looks up file:line and inlined
 * functions of native frames by libdw, in the target's root if it still lives
 * (pid, 0: by path only), debug files by build-id and debuglink.  Sets
 * session.resolved.  Bounded in time by the number of distinct addresses.
 */
void symbols_resolve(struct recording *rec, pid_t pid);

#endif
