/*
 * The cost of naming native code, beside libdwfl's: `bench_symbols [ELF]` (default: node).
 * Loads the tables, looks up random addresses of functions, and does the same by
 * dwfl_module_addrinfo() for a few of them.
 */
#include "sampler/symbols.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sampler/symbol_table.h"

enum { LOOKUPS = 200000, DWFL_LOOKUPS = 200 };

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* In the largest executable segment. */
static uint64_t random_vaddr(const struct elf_file *file)
{
	const struct elf_segment *text = &file->segments[0];

	for (size_t i = 1; i < file->n_segments; i++)
		if (file->segments[i].exec && file->segments[i].filesz > text->filesz)
			text = &file->segments[i];
	return text->vaddr + ((uint64_t)random() << 4) % text->filesz;
}

static double lookups(struct symbol_table *t, const struct elf_file *file)
{
	struct symbol symbol;
	double from;
	int named = 0;

	srandom(1);
	from = seconds();
	for (int i = 0; i < LOOKUPS; i++)
		named += symbol_table_lookup(t, random_vaddr(file), &symbol);
	from = seconds() - from;
	printf("  %.3f us a lookup, %.1f %% of random addresses named, %.2f MB held\n",
	       from / LOOKUPS * 1e6, 100.0 * named / LOOKUPS, (double)symbol_table_bytes(t) / 1e6);
	return from / LOOKUPS;
}

static double own(const struct elf_file *file)
{
	struct symbol_table *t = symbol_table_new();
	struct symbol symbol;
	double from = seconds(), cost;

	symbol_table_add(t, file);
	symbol_table_lookup(t, random_vaddr(file), &symbol);
	printf("own table: loaded and sorted in %.1f ms, %.2f MB\n", (seconds() - from) * 1e3,
	       (double)symbol_table_bytes(t) / 1e6);
	printf("  cold:");
	lookups(t, file);
	printf("  warm:");
	cost = lookups(t, file);
	from = seconds();
	symbol_table_find(t, "no such symbol", &symbol);
	printf("  index by name in %.1f ms, %.2f MB held, heap in use %.2f MB\n",
	       (seconds() - from) * 1e3, (double)symbol_table_bytes(t) / 1e6,
	       (double)mallinfo2().uordblks / 1e6 + (double)mallinfo2().hblkhd / 1e6);
	symbol_table_free(t);
	return cost;
}

static double dwfl(const char *path, const struct elf_file *file)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
	};
	Dwfl *d = dwfl_begin(&callbacks);
	Dwfl_Module *module = dwfl_report_offline(d, "bench", path, -1);
	double from;
	GElf_Sym sym;
	GElf_Off offset;

	dwfl_report_end(d, NULL, NULL);
	dwfl_module_addrinfo(module, random_vaddr(file), &offset, &sym, NULL, NULL, NULL);
	srandom(1);
	from = seconds();
	for (int i = 0; i < DWFL_LOOKUPS; i++)
		dwfl_module_addrinfo(module, random_vaddr(file), &offset, &sym, NULL, NULL, NULL);
	from = (seconds() - from) / DWFL_LOOKUPS;
	printf("dwfl_module_addrinfo: %.1f us a lookup\n", from * 1e6);
	dwfl_end(d);
	return from;
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/usr/bin/node";
	struct elf_file *file;
	struct error err;
	double mine, theirs;

	if (elf_open(&file, open(path, O_RDONLY | O_CLOEXEC), &err) < 0) {
		printf("%s: %s\n", path, err.msg);
		return 1;
	}
	printf("%s\n", path);
	mine = own(file);
	theirs = dwfl(path, file);
	printf("%.0fx\n", theirs / mine);
	elf_close(file);
	return 0;
}
