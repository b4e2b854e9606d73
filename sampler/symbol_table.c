#include "sampler/symbol_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/arena.h"
#include "core/strings.h"

enum {
	MAX_SOURCES = 4,
	MAX_SYMBOLS = 1 << 21, /* of one group; what a slot of the index can tell apart */
	MAX_ALIASES = 64,
	MAX_NESTING = 64,
	MAX_PROBES = 64,
	CHUNK = 4096,        /* of a string table */
	MAX_NAME = 4095,     /* bytes; longer names are cut */
	BATCH = 2048,        /* symbols read at once */
	REACH_STRIPPED = 64, /* bytes that a symbol without size names in a stripped file */
};
#define MAX_STRINGS ((uint64_t)1 << 28) /* bytes of a string table */
#define NONE        UINT32_MAX

/* A string table, read in chunks as names are asked for. */
struct source {
	const struct elf_file *file;
	uint64_t strings, strings_size; /* file offset, bytes */
	char **chunks; /* malloc'ed: CHUNK bytes and the rest of the last name; NULL: not read yet
			*/
	size_t n_chunks;
};

struct entry {
	uint32_t start, end; /* above table.base */
	uint32_t name;       /* offset in the string table of its source */
	uint32_t outer;      /* the nearest earlier one that ends past this one's start, or NONE */
	uint8_t source;
	bool local;
};

struct entries {
	struct entry *v;
	size_t n, cap;
};

/* Functions with a size and without one, and data (never looked up by address). */
enum group { SIZED, BARE, DATA, GROUPS };

struct symbol_table {
	uint64_t base; /* lowest vaddr of the first file */
	struct source sources[MAX_SOURCES];
	size_t n_sources;
	struct entries groups[GROUPS];
	bool sorted;
	/* By name: open addressing, power of two, hash << 24 | group * MAX_SYMBOLS + index, 0 =
	 * free. */
	uint64_t *slots;
	size_t n_slots; /* 0: not made yet */
};

struct section_headers {
	Elf64_Shdr *v;
	size_t n;
};

static const Elf64_Shdr *section_of_type(const struct section_headers *s, uint32_t type)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].sh_type == type && s->v[i].sh_link < s->n)
			return &s->v[i];
	return NULL;
}

static char *source_read_chunk(const struct source *s, size_t index)
{
	char buf[CHUNK + MAX_NAME + 1] = { 0 };
	uint64_t at = (uint64_t)index * CHUNK;
	size_t len =
		s->strings_size - at < sizeof(buf) - 1 ? s->strings_size - at : sizeof(buf) - 1;
	size_t keep;
	char *chunk;

	if (elf_pread(s->file, s->strings + at, buf, len) < 0)
		memset(buf, 0, sizeof(buf));
	keep = CHUNK + strlen(buf + CHUNK) + 1;
	chunk = xcalloc(1, keep);
	memcpy(chunk, buf, keep - 1);
	return chunk;
}

/* Never NULL; "" where there is none.  Without a symbol version ("@GLIBC_2.14"). */
static const char *entry_name(struct symbol_table *t, const struct entry *e)
{
	struct source *s = &t->sources[e->source];
	size_t index = e->name / CHUNK;
	char *name, *version;

	if (index >= s->n_chunks)
		return "";
	if (!s->chunks[index])
		s->chunks[index] = source_read_chunk(s, index);
	name = s->chunks[index] + e->name % CHUNK;
	version = *name ? strchr(name + 1, '@') : NULL;
	if (version)
		*version = '\0';
	return name;
}

static void take_symbol(struct symbol_table *t, const Elf64_Sym *sym,
			const struct section_headers *sections, bool dynamic)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);
	const Elf64_Shdr *section;
	struct entries *entries;
	struct entry e = { .source = (uint8_t)t->n_sources, .outer = NONE };
	uint64_t offset = sym->st_value - t->base, size = sym->st_size;
	enum group group = DATA;

	if (!sym->st_name || sym->st_shndx == SHN_UNDEF || sym->st_shndx >= sections->n ||
	    sym->st_value < t->base || offset >= UINT32_MAX)
		return;
	if (type != STT_NOTYPE && type != STT_OBJECT && type != STT_FUNC && type != STT_GNU_IFUNC)
		return;
	section = &sections->v[sym->st_shndx];
	if (section->sh_flags & SHF_EXECINSTR && type != STT_OBJECT)
		group = size ? SIZED : BARE;
	if (group == BARE) {
		/* Up to where code certainly ends; the next symbol will shorten it. */
		size = section->sh_addr + section->sh_size - sym->st_value;
		if (sym->st_value < section->sh_addr || size > section->sh_size)
			return;
		if (dynamic && size > REACH_STRIPPED)
			size = REACH_STRIPPED;
	}
	entries = &t->groups[group];
	if (entries->n == MAX_SYMBOLS)
		return;
	e.start = (uint32_t)offset;
	e.end = size < UINT32_MAX - offset ? (uint32_t)(offset + size) : UINT32_MAX;
	e.name = sym->st_name;
	e.local = ELF64_ST_BIND(sym->st_info) == STB_LOCAL;
	ARRAY_GROW(entries->v, entries->n, entries->cap);
	entries->v[entries->n++] = e;
}

static void add_section(struct symbol_table *t, const struct elf_file *file,
			const struct section_headers *sections, const Elf64_Shdr *table)
{
	const Elf64_Shdr *strings = &sections->v[table->sh_link];
	struct source *s = &t->sources[t->n_sources];
	size_t left = table->sh_size / sizeof(Elf64_Sym);
	uint64_t at = table->sh_offset;
	Elf64_Sym *batch;

	if (strings->sh_type != SHT_STRTAB || t->n_sources == MAX_SOURCES)
		return;
	batch = xcalloc(BATCH, sizeof(*batch));
	while (left > 0) {
		size_t n = left < BATCH ? left : BATCH;

		if (elf_pread(file, at, batch, n * sizeof(*batch)) < 0)
			break;
		for (size_t i = 0; i < n; i++)
			take_symbol(t, &batch[i], sections, table->sh_type == SHT_DYNSYM);
		at += n * sizeof(*batch);
		left -= n;
	}
	free(batch);
	*s = (struct source){ .file = file, .strings = strings->sh_offset };
	s->strings_size = strings->sh_size < file->size ? strings->sh_size : file->size;
	if (s->strings_size > MAX_STRINGS)
		s->strings_size = MAX_STRINGS;
	s->n_chunks = (s->strings_size + CHUNK - 1) / CHUNK;
	s->chunks = xcalloc(s->n_chunks, sizeof(*s->chunks));
	t->n_sources++;
}

bool symbol_table_add(struct symbol_table *t, const struct elf_file *file)
{
	struct section_headers sections;
	const Elf64_Shdr *all, *dynamic;
	size_t names;

	if (t->n_sources == 0 && file->n_segments > 0) {
		t->base = file->segments[0].vaddr;
		for (size_t i = 1; i < file->n_segments; i++)
			if (file->segments[i].vaddr < t->base)
				t->base = file->segments[i].vaddr;
	}
	sections.v = elf_section_headers(file, &sections.n, &names);
	if (!sections.v)
		return false;
	all = section_of_type(&sections, SHT_SYMTAB);
	dynamic = section_of_type(&sections, SHT_DYNSYM);
	if (all)
		add_section(t, file, &sections, all);
	/* .symtab repeats all of .dynsym, unless strip --keep-symbol thinned it. */
	if (dynamic && (!all || dynamic->sh_size > all->sh_size))
		add_section(t, file, &sections, dynamic);
	free(sections.v);
	t->sorted = false;
	free(t->slots);
	t->slots = NULL;
	t->n_slots = 0;
	return all != NULL;
}

/* By start; of those that start together the one that ends first is last: the innermost. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->end < y->end) - (x->end > y->end);
}

/* The last entry that starts at or before `at`, or NONE. */
static uint32_t last_starting_by(const struct entries *entries, uint32_t at)
{
	size_t low = 0, high = entries->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (entries->v[middle].start <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? (uint32_t)(low - 1) : NONE;
}

/* The innermost entry that covers `at`, or NONE. */
static uint32_t innermost(const struct entries *entries, uint32_t at)
{
	uint32_t i = last_starting_by(entries, at);

	for (int depth = 0; i != NONE && depth < MAX_NESTING; depth++) {
		if (entries->v[i].end > at)
			return i;
		i = entries->v[i].outer;
	}
	return NONE;
}

static void link_outer(struct entries *entries)
{
	for (size_t i = 1; i < entries->n; i++) {
		uint32_t outer = (uint32_t)(i - 1);

		while (outer != NONE && entries->v[outer].end <= entries->v[i].start)
			outer = entries->v[outer].outer;
		entries->v[i].outer = outer;
	}
}

/*
 * A symbol without size (assembly) names code up to the next symbol at most,
 * and inside a function that has a size it is only a label of it.
 */
static void shorten_bare(struct symbol_table *t)
{
	const struct entries *sized = &t->groups[SIZED];
	struct entries *bare = &t->groups[BARE];
	uint32_t next_bare = NONE;

	for (size_t i = bare->n; i-- > 0;) {
		struct entry *e = &bare->v[i];
		uint32_t before = last_starting_by(sized, e->start);
		uint32_t around = innermost(sized, e->start);
		size_t after = before == NONE ? 0 : (size_t)before + 1;

		if (i + 1 < bare->n && bare->v[i + 1].start > e->start)
			next_bare = bare->v[i + 1].start;
		if (e->end > next_bare)
			e->end = next_bare;
		if (after < sized->n && e->end > sized->v[after].start)
			e->end = sized->v[after].start;
		if (around != NONE && e->end > sized->v[around].end)
			e->end = sized->v[around].end;
	}
}

/* Gives back what growing left over. */
static void trim(struct entries *entries)
{
	entries->cap = entries->n;
	entries->v = xrealloc(entries->v, entries->cap, sizeof(*entries->v));
}

static void sort_table(struct symbol_table *t)
{
	struct entries *sized = &t->groups[SIZED], *bare = &t->groups[BARE];

	if (t->sorted)
		return;
	t->sorted = true;
	if (sized->n)
		qsort(sized->v, sized->n, sizeof(*sized->v), compare_entries);
	if (bare->n)
		qsort(bare->v, bare->n, sizeof(*bare->v), compare_entries);
	link_outer(sized);
	shorten_bare(t);
	for (size_t g = 0; g < GROUPS; g++)
		trim(&t->groups[g]);
}

/* How little a name is the one that people use: local, reserved, long ones are worse. */
static size_t name_rank(const struct entry *e, const char *name)
{
	size_t underscores = strspn(name, "_"), len = strlen(name);
	bool mangled = underscores == 1 && (name[1] == 'Z' || name[1] == 'R');

	if (!len)
		return SIZE_MAX;
	return (e->local ? 1 << 20 : 0) + (mangled ? 0 : underscores << 13) + len;
}

/* The best name among the entries that start with v[i] and cover `at`. */
static const struct entry *best_alias(struct symbol_table *t, const struct entries *entries,
				      size_t i, uint32_t at)
{
	const struct entry *best = NULL;
	const char *best_name = NULL;
	size_t best_rank = SIZE_MAX, first = i;
	uint32_t start = entries->v[i].start;

	while (first > 0 && entries->v[first - 1].start == start && i - first < MAX_ALIASES)
		first--;
	for (size_t j = first; j < entries->n && j < first + MAX_ALIASES; j++) {
		const struct entry *e = &entries->v[j];
		const char *name = entry_name(t, e);
		size_t rank = name_rank(e, name);

		if (e->start != start)
			break;
		if (e->end <= at || rank > best_rank ||
		    (rank == best_rank && best && strcmp(name, best_name) >= 0))
			continue;
		best = e;
		best_name = name;
		best_rank = rank;
	}
	return best;
}

static bool give(struct symbol_table *t, const struct entry *e, struct symbol *out)
{
	out->name = entry_name(t, e);
	out->start = t->base + e->start;
	out->end = t->base + e->end;
	return out->name[0] != '\0';
}

bool symbol_table_lookup(struct symbol_table *t, uint64_t vaddr, struct symbol *out)
{
	uint64_t offset = vaddr - t->base;

	if (vaddr < t->base || offset >= UINT32_MAX)
		return false;
	sort_table(t);
	for (enum group g = SIZED; g <= BARE; g++) {
		const struct entries *entries = &t->groups[g];
		uint32_t i = innermost(entries, (uint32_t)offset);
		const struct entry *e;

		if (i == NONE)
			continue;
		e = best_alias(t, entries, i, (uint32_t)offset);
		return e && give(t, e, out);
	}
	return false;
}

static const struct entry *entry_of_ref(const struct symbol_table *t, uint32_t ref)
{
	return &t->groups[ref / MAX_SYMBOLS].v[ref % MAX_SYMBOLS];
}

/* Calls `visit` for every symbol with its name, which has no NUL at its end. */
struct visit {
	void (*visit)(struct visit *self, uint32_t ref, const char *name, size_t len);
	struct symbol_table *table;
};

/*
 * The string table is read whole for that, into pages of its own: malloc would
 * keep the megabytes.  Names may overlap, so that their total could be far more
 * than the table's size in a hostile file; more than twice that is left out.
 */
static void visit_source(struct visit *v, uint8_t source)
{
	const struct source *s = &v->table->sources[source];
	size_t size = s->strings_size, left = 2 * size + MAX_NAME + 1;
	char *strings =
		mmap(NULL, size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (strings == MAP_FAILED)
		return;
	if (elf_pread(s->file, s->strings, strings, size) < 0)
		left = 0;
	for (uint32_t ref = 0; ref < GROUPS * MAX_SYMBOLS && left > MAX_NAME; ref++) {
		const struct entries *entries = &v->table->groups[ref / MAX_SYMBOLS];
		const struct entry *e;
		size_t len;

		if (ref % MAX_SYMBOLS >= entries->n) {
			ref |= MAX_SYMBOLS - 1; /* on to the next group */
			continue;
		}
		e = &entries->v[ref % MAX_SYMBOLS];
		if (e->source != source || e->name >= size)
			continue;
		len = strnlen(strings + e->name, MAX_NAME);
		left -= len;
		v->visit(v, ref, strings + e->name, len);
	}
	munmap(strings, size + 1);
}

/* Of a name without its symbol version. */
static uint64_t name_hash(const char *name, size_t len)
{
	const char *version = memchr(name, '@', len);

	return hash_bytes(0, name, version ? (size_t)(version - name) : len);
}

static void index_name(struct visit *v, uint32_t ref, const char *name, size_t len)
{
	struct symbol_table *t = v->table;
	uint64_t hash = name_hash(name, len), tag = hash >> 24;

	for (size_t probe = 0; probe < MAX_PROBES; probe++) {
		uint64_t *slot = &t->slots[(hash + probe) & (t->n_slots - 1)];
		bool same = *slot && *slot >> 24 == tag;

		if (*slot && !same)
			continue;
		if (!same ||
		    (entry_of_ref(t, *slot & 0xffffff)->local && !entry_of_ref(t, ref)->local))
			*slot = tag << 24 | ref;
		return;
	}
}

static void make_index(struct symbol_table *t)
{
	struct visit v = { .visit = index_name, .table = t };
	size_t n = 0;

	if (t->n_slots)
		return;
	sort_table(t); /* references are places in the sorted arrays */
	for (size_t g = 0; g < GROUPS; g++)
		n += t->groups[g].n;
	for (t->n_slots = 64; t->n_slots < n * 3 / 2; t->n_slots *= 2)
		;
	t->slots = xcalloc(t->n_slots, sizeof(*t->slots));
	for (size_t i = 0; i < t->n_sources; i++)
		visit_source(&v, (uint8_t)i);
}

bool symbol_table_find(struct symbol_table *t, const char *name, struct symbol *out)
{
	uint64_t hash = name_hash(name, strlen(name));

	make_index(t);
	for (size_t probe = 0; probe < MAX_PROBES; probe++) {
		uint64_t slot = t->slots[(hash + probe) & (t->n_slots - 1)];
		const struct entry *e;

		if (!slot)
			return false;
		if (slot >> 24 != hash >> 24)
			continue;
		e = entry_of_ref(t, slot & 0xffffff);
		if (strcmp(entry_name(t, e), name) == 0)
			return give(t, e, out);
	}
	return false;
}

struct prefix_visit {
	struct visit base;
	const char *prefix;
	size_t len;
	struct symbol *found;
	size_t n, cap;
};

static void collect_prefix(struct visit *v, uint32_t ref, const char *name, size_t len)
{
	struct prefix_visit *p = (struct prefix_visit *)v;

	if (len < p->len || memcmp(name, p->prefix, p->len) != 0)
		return;
	ARRAY_GROW(p->found, p->n, p->cap);
	p->n += give(v->table, entry_of_ref(v->table, ref), &p->found[p->n]);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

void symbol_table_each(struct symbol_table *t, const char *prefix,
		       void (*each)(void *arg, const struct symbol *sym), void *arg)
{
	struct prefix_visit p = { .base = { collect_prefix, t }, prefix, strlen(prefix) };

	sort_table(t);
	for (size_t i = 0; i < t->n_sources; i++)
		visit_source(&p.base, (uint8_t)i);
	if (p.n)
		qsort(p.found, p.n, sizeof(*p.found), compare_names);
	for (size_t i = 0; i < p.n; i++)
		each(arg, &p.found[i]);
	free(p.found);
}

struct symbol_table *symbol_table_new(void)
{
	return xcalloc(1, sizeof(struct symbol_table));
}

void symbol_table_free(struct symbol_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_sources; i++) {
		for (size_t j = 0; j < t->sources[i].n_chunks; j++)
			free(t->sources[i].chunks[j]);
		free(t->sources[i].chunks);
	}
	for (size_t g = 0; g < GROUPS; g++)
		free(t->groups[g].v);
	free(t->slots);
	free(t);
}

size_t symbol_table_bytes(const struct symbol_table *t)
{
	size_t bytes = sizeof(*t) + t->n_slots * sizeof(*t->slots);

	for (size_t g = 0; g < GROUPS; g++)
		bytes += t->groups[g].cap * sizeof(struct entry);
	for (size_t i = 0; i < t->n_sources; i++)
		for (size_t j = 0; j < t->sources[i].n_chunks; j++)
			bytes += t->sources[i].chunks[j] ? CHUNK : 0;
	return bytes;
}
