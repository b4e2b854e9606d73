#include "sampler/symbols.h"

#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "sampler/debug_file.h"
#include "sampler/demangle.h"
#include "sampler/symbol_table.h"

enum {
	MAX_MINIDEBUG = 64 << 20, /* bytes of .gnu_debugdata, packed and unpacked */
	MAX_XZ_MEMORY = 64 << 20,
	MAX_DEMANGLED = 4096, /* bytes; longer names are cut */
};

struct symbols {
	struct symbol_table *table;
	bool stripped; /* no .symtab of its own */
	bool extended; /* the rest was looked for */
	int proc;      /* see struct debug_origin */
	char *path;
	struct elf_file *debug, *minidebug;
	uint8_t *minidebug_image;
};

static void symbols_free(struct elf_file *file)
{
	struct symbols *s = file->symbols;

	symbol_table_free(s->table);
	elf_close(s->debug);
	elf_close(s->minidebug);
	free(s->minidebug_image);
	free(s->path);
	free(s);
	file->symbols = NULL;
}

static struct symbols *symbols_of(struct elf_file *file)
{
	struct symbols *s = file->symbols;

	if (s)
		return s;
	s = xcalloc(1, sizeof(*s));
	s->proc = -1;
	file->symbols = s;
	file->symbols_free = symbols_free;
	return s;
}

static struct symbols *symbols_load(struct elf_file *file)
{
	struct symbols *s = symbols_of(file);

	if (!s->table) {
		s->table = symbol_table_new();
		s->stripped = !symbol_table_add(s->table, file);
	}
	return s;
}

/* malloc'ed; NULL if it is damaged or too large. */
static uint8_t *unpack_xz(const uint8_t *in, size_t in_size, size_t *size)
{
	lzma_stream xz = LZMA_STREAM_INIT;
	size_t cap = in_size * 4 < MAX_MINIDEBUG ? in_size * 4 : MAX_MINIDEBUG;
	uint8_t *out = NULL;
	lzma_ret rc;

	if (lzma_stream_decoder(&xz, MAX_XZ_MEMORY, 0) != LZMA_OK)
		return NULL;
	xz.next_in = in;
	xz.avail_in = in_size;
	do {
		if (xz.avail_out == 0) {
			cap *= out ? 2 : 1;
			out = xrealloc(out, cap, 1);
			xz.next_out = out + xz.total_out;
			xz.avail_out = cap - xz.total_out;
		}
		rc = lzma_code(&xz, LZMA_FINISH);
	} while (rc == LZMA_OK && cap < MAX_MINIDEBUG);
	*size = xz.total_out;
	lzma_end(&xz);
	if (rc == LZMA_STREAM_END)
		return out;
	free(out);
	return NULL;
}

/* Fedora's way: the local functions of a stripped file as a small ELF file inside it. */
static void add_minidebug(struct symbols *s, const struct elf_file *file)
{
	size_t packed_size, size = 0;
	uint8_t *packed = elf_section(file, ".gnu_debugdata", MAX_MINIDEBUG, &packed_size, NULL);
	struct error err;

	if (!packed)
		return;
	s->minidebug_image = unpack_xz(packed, packed_size, &size);
	free(packed);
	if (s->minidebug_image &&
	    elf_open_image(&s->minidebug, s->minidebug_image, size, &err) == 0)
		symbol_table_add(s->table, s->minidebug);
}

static void extend(struct symbols *s, const struct elf_file *file)
{
	struct debug_origin origin = { s->proc, s->path, file->build_id };

	s->extended = true;
	if (!s->stripped)
		return;
	s->debug = debug_file_open(&origin, file);
	if (!s->debug || !symbol_table_add(s->table, s->debug))
		add_minidebug(s, file);
}

void symbols_set_origin(struct elf_file *file, int proc, const char *path)
{
	struct symbols *s = symbols_of(file);

	if (s->path)
		return;
	s->proc = proc;
	s->path = xstrdup(path);
}

bool symbols_lookup(struct elf_file *file, uint64_t vaddr, struct symbol *out)
{
	struct symbols *s = symbols_load(file);

	if (!s->extended)
		extend(s, file);
	return symbol_table_lookup(s->table, vaddr, out);
}

bool symbols_find(struct elf_file *file, const char *name, struct symbol *out)
{
	return symbol_table_find(symbols_load(file)->table, name, out);
}

void symbols_each(struct elf_file *file, const char *prefix,
		  void (*each)(void *arg, const struct symbol *sym), void *arg)
{
	symbol_table_each(symbols_load(file)->table, prefix, each, arg);
}

const char *symbol_demangle(struct recording *rec, const char *name)
{
	char text[MAX_DEMANGLED];
	size_t whole, len;

	if (!name)
		return NULL;
	whole = demangle_strip(name);
	len = demangle(name, whole, text, sizeof(text));
	return strings_intern_n(&rec->strings, &rec->arena, len ? text : name, len ? len : whole);
}
