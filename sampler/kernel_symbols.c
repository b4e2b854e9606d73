#include "sampler/symbols.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

enum { MAX_SYMBOLS = 1 << 20, MAX_FUNCTION = 256 << 10 };

struct kernel_symbol {
	uint32_t addr; /* above base */
	uint32_t name; /* offset in names */
};

struct kernel_symbols {
	uint64_t base;           /* the first address in the list, which is the lowest */
	struct kernel_symbol *v; /* by address, one name each */
	size_t n, cap;
	struct strbuf names;
};

/* "ffffffff81000000 T _stext", with "\t[module]" behind it for a module's. */
static void take_line(struct kernel_symbols *ks, const char *line)
{
	char *end;
	uint64_t addr = strtoull(line, &end, 16);
	size_t len;

	if (end[0] != ' ' || !end[1] || !strchr("tTwW", end[1]) || end[2] != ' ')
		return;
	/* What is below or far above the kernel's text, or its padding before functions. */
	if (!ks->base)
		ks->base = addr;
	if (addr < ks->base || addr - ks->base > UINT32_MAX || !addr || ks->n == MAX_SYMBOLS ||
	    strncmp(end + 3, "__pfx_", 6) == 0)
		return;
	len = strcspn(end + 3, "\t\n");
	ARRAY_GROW(ks->v, ks->n, ks->cap);
	ks->v[ks->n++] =
		(struct kernel_symbol){ (uint32_t)(addr - ks->base), (uint32_t)ks->names.len };
	strbuf_add(&ks->names, end + 3, len);
	strbuf_add(&ks->names, "", 1);
}

/* Of several at one address the first that the kernel lists comes last, and is found: the others
 * are marks of sections. */
static int compare_symbols(const void *a, const void *b)
{
	const struct kernel_symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return (x->name < y->name) - (x->name > y->name);
}

struct kernel_symbols *kernel_symbols_load(void)
{
	struct kernel_symbols *ks = xcalloc(1, sizeof(*ks));
	FILE *f = fopen("/proc/kallsyms", "re");
	char *line = NULL;
	size_t cap = 0;

	while (f && getline(&line, &cap, f) > 0)
		take_line(ks, line);
	free(line);
	if (f)
		fclose(f);
	/* They stay as long as the session, and had room to grow to twice their size. */
	ks->v = xrealloc(ks->v, ks->n, sizeof(*ks->v));
	ks->names.s = xrealloc(ks->names.s, ks->names.len, 1);
	ks->names.cap = ks->names.len;
	if (ks->n)
		qsort(ks->v, ks->n, sizeof(*ks->v), compare_symbols);
	return ks;
}

const char *kernel_symbols_lookup(const struct kernel_symbols *ks, uint64_t addr)
{
	uint64_t offset = addr - ks->base;
	size_t low = 0, high = ks->n;

	if (addr < ks->base)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ks->v[middle].addr <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	/* It tells no sizes: the gap after the kernel's text belongs to nobody. */
	if (!low || offset - ks->v[low - 1].addr > MAX_FUNCTION)
		return NULL;
	return ks->names.s + ks->v[low - 1].name;
}

void kernel_symbols_free(struct kernel_symbols *ks)
{
	if (!ks)
		return;
	free(ks->v);
	strbuf_destroy(&ks->names);
	free(ks);
}
