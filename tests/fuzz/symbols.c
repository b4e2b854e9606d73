/* A whole hostile ELF file: its symbol tables, string tables and packed debug data. */
#include "sampler/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(void *arg, const struct symbol *sym)
{
	size_t *letters = arg;

	*letters += strlen(sym->name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_file *file;
	struct symbol symbol;
	struct error err;
	size_t letters = 0;

	if (elf_open_image(&file, data, size, &err) < 0)
		return 0;
	/* A build-id would only make us look for files that are not there. */
	file->build_id[0] = '\0';
	for (size_t i = 0; i < file->n_segments; i++)
		for (uint64_t at = 0; at < 64; at++)
			if (symbols_lookup(file, file->segments[i].vaddr + at * 97, &symbol))
				letters += strlen(symbol.name);
	symbols_find(file, "main", &symbol);
	symbols_each(file, "", visit, &letters);
	elf_close(file);
	return 0;
}
