#ifndef LAGPROF_SAMPLER_SYMBOL_TABLE_H
#define LAGPROF_SAMPLER_SYMBOL_TABLE_H

#include <stdbool.h>

#include "sampler/elf_file.h"
#include "sampler/symbols.h"

/*
 * The symbols of one program or library, gathered from the files that
 * describe it: the file itself, its debug file, its .gnu_debugdata.  All of them
 * use the same addresses.
 *
 * Only positions are kept (20 bytes a symbol); names stay in the files and
 * are read in pieces when one is asked for.  What a file says is hostile: it can
 * make names wrong, but neither crash, nor hang, nor fill memory.
 */
struct symbol_table;

struct symbol_table *symbol_table_new(void);
void symbol_table_free(struct symbol_table *t);

/*
 * Adds the symbols of a file, which must outlive the table: .symtab, and
 * .dynsym where that is the larger.  Returns whether there was a .symtab.
 */
bool symbol_table_add(struct symbol_table *t, const struct elf_file *file);

/* The best name of the innermost function that covers vaddr: false if none does. */
bool symbol_table_lookup(struct symbol_table *t, uint64_t vaddr, struct symbol *out);
/* The symbol (function or data) of exactly that name, global before local: false if absent. */
bool symbol_table_find(struct symbol_table *t, const char *name, struct symbol *out);
/* Every symbol whose name begins with prefix, in order of name. */
void symbol_table_each(struct symbol_table *t, const char *prefix,
		       void (*each)(void *arg, const struct symbol *sym), void *arg);
/* Bytes held: a figure for tests and bench. */
size_t symbol_table_bytes(const struct symbol_table *t);

#endif
