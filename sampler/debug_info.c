#include "sampler/debug_info.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_UNITS = 1 << 18,
	MAX_RANGES = 1 << 20, /* of units; of functions in a unit */
	MAX_DIES = 8 << 20,   /* of a unit */
	MAX_DEPTH = 128,      /* of DIEs in each other */
	MAX_OVERLAP = 16,     /* ranges looked back over for one that covers an address */
};

/* Addresses and what they belong to: a unit's index, or the offset of a function's DIE. */
struct range {
	Dwarf_Addr start, end;
	uint64_t owner;
};

struct ranges {
	struct range *v; /* by start, once sorted */
	size_t n, cap;
};

struct unit {
	Dwarf_Off die;
	bool indexed;
	struct ranges functions;
};

struct debug_info {
	struct elf_file *files[2]; /* the file and its alternate */
	Elf *elfs[2];
	Dwarf *dwarfs[2];
	struct unit *units;
	size_t n_units, cap_units;
	struct ranges ranges; /* of units */
};

static void add_ranges(struct ranges *ranges, Dwarf_Die *die, uint64_t owner)
{
	struct range r = { .owner = owner };
	Dwarf_Addr base;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &r.start, &r.end)) > 0) {
		if (r.start >= r.end || ranges->n == MAX_RANGES)
			continue;
		ARRAY_GROW(ranges->v, ranges->n, ranges->cap);
		ranges->v[ranges->n++] = r;
	}
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static void sort_ranges(struct ranges *ranges)
{
	if (ranges->n)
		qsort(ranges->v, ranges->n, sizeof(*ranges->v), compare_ranges);
}

/* Of several that cover vaddr the one that starts last. */
static const struct range *find_range(const struct ranges *ranges, uint64_t vaddr)
{
	size_t low = 0, high = ranges->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->v[middle].start <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i-- > 0 && low - i <= MAX_OVERLAP;)
		if (ranges->v[i].end > vaddr)
			return &ranges->v[i];
	return NULL;
}

static bool open_dwarf(struct debug_info *info, size_t i)
{
	/* Read, not mapped: a file that shrinks under a mapping kills who reads it. */
	info->elfs[i] = elf_begin(info->files[i]->fd, ELF_C_READ, NULL);
	info->dwarfs[i] = dwarf_begin_elf(info->elfs[i], DWARF_C_READ, NULL);
	return info->dwarfs[i] != NULL;
}

/*
 * Not by .debug_aranges: clang does not write it.  Units in .dwo files are left
 * out, because libdw would open whatever path they name.
 */
static void index_units(struct debug_info *info)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;
	uint8_t type;

	for (size_t i = 0; i < MAX_UNITS; i++) {
		if (dwarf_get_units(info->dwarfs[0], unit, &unit, NULL, &type, &die, NULL) != 0)
			break;
		if (type != DW_UT_compile)
			continue;
		add_ranges(&info->ranges, &die, info->n_units);
		ARRAY_GROW(info->units, info->n_units, info->cap_units);
		info->units[info->n_units++] = (struct unit){ .die = dwarf_dieoffset(&die) };
	}
	sort_ranges(&info->ranges);
}

bool debug_info_alt(const struct elf_file *file, char *path, size_t path_size, char build_id[41])
{
	size_t size, len;
	uint8_t *link = elf_section(file, ".gnu_debugaltlink", 64 << 10, &size, NULL);

	if (!link)
		return false;
	len = strnlen((char *)link, size);
	snprintf(path, path_size, "%.*s", (int)len, (char *)link);
	build_id[0] = '\0';
	for (size_t i = 0; i < 20 && len + 1 + i < size; i++)
		sprintf(build_id + 2 * i, "%02x", link[len + 1 + i]);
	free(link);
	return true;
}

static bool open_files(struct debug_info *info)
{
	char path[PATH_MAX], build_id[41];

	elf_version(EV_CURRENT);
	if (info->files[0]->fd < 0 || !open_dwarf(info, 0))
		return false;
	if (!debug_info_alt(info->files[0], path, sizeof(path), build_id))
		return true;
	if (!info->files[1] || info->files[1]->fd < 0 || !open_dwarf(info, 1))
		return false;
	dwarf_setalt(info->dwarfs[0], info->dwarfs[1]);
	return true;
}

struct debug_info *debug_info_open(struct elf_file *file, struct elf_file *alt)
{
	struct debug_info *info = xcalloc(1, sizeof(*info));

	info->files[0] = file;
	info->files[1] = alt;
	if (open_files(info))
		index_units(info);
	if (info->ranges.n)
		return info;
	debug_info_close(info);
	return NULL;
}

void debug_info_close(struct debug_info *info)
{
	if (!info)
		return;
	for (int i = 0; i < 2; i++) {
		dwarf_end(info->dwarfs[i]);
		elf_end(info->elfs[i]);
		elf_close(info->files[i]);
	}
	for (size_t i = 0; i < info->n_units; i++)
		free(info->units[i].functions.v);
	free(info->units);
	free(info->ranges.v);
	free(info);
}

/*
 * Every function of a unit that has code.  dwarf_getscopes() would walk through
 * the whole unit for each address, half a millisecond in C++.
 */
static void index_functions(struct unit *unit, Dwarf_Die *unit_die)
{
	Dwarf_Die path[MAX_DEPTH];
	int depth = 0;

	unit->indexed = true;
	if (dwarf_child(unit_die, &path[0]) != 0)
		return;
	for (int i = 0; i < MAX_DIES; i++) {
		if (dwarf_tag(&path[depth]) == DW_TAG_subprogram)
			add_ranges(&unit->functions, &path[depth], dwarf_dieoffset(&path[depth]));
		if (depth + 1 < MAX_DEPTH && dwarf_child(&path[depth], &path[depth + 1]) == 0) {
			depth++;
			continue;
		}
		while (dwarf_siblingof(&path[depth], &path[depth]) != 0)
			if (--depth < 0)
				goto out;
	}
out:
	sort_ranges(&unit->functions);
}

static bool find_function(struct debug_info *info, uint64_t vaddr, Dwarf_Die *unit_die,
			  Dwarf_Die *function)
{
	const struct range *r = find_range(&info->ranges, vaddr);
	struct unit *unit = r ? &info->units[r->owner] : NULL;

	memset(function, 0, sizeof(*function));
	if (!unit || !dwarf_offdie(info->dwarfs[0], unit->die, unit_die))
		return false;
	if (!unit->indexed)
		index_functions(unit, unit_die);
	r = find_range(&unit->functions, vaddr);
	if (r)
		dwarf_offdie(info->dwarfs[0], r->owner, function);
	return true;
}

/* "/a/./b/../c" -> "/a/c", in place. */
static void normalize(char *path)
{
	char *out = path;

	for (char *in = path, *next; *in; in = next) {
		size_t len;

		in += strspn(in, "/");
		len = strcspn(in, "/");
		next = in + len;
		if (len == 2 && in[0] == '.' && in[1] == '.') {
			while (out > path && *--out != '/')
				;
		} else if (len && !(len == 1 && in[0] == '.')) {
			*out++ = '/';
			memmove(out, in, len);
			out += len;
		}
	}
	*out = '\0';
}

/* NULL if what the compiler wrote is relative to nowhere. */
static const char *absolute(struct arena *arena, Dwarf_Die *unit, const char *path)
{
	Dwarf_Attribute attr;
	const char *dir;
	char *joined;

	if (!path || !path[0])
		return NULL;
	if (path[0] == '/') {
		joined = arena_strdup(arena, path);
	} else {
		dir = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attr));
		if (!dir || dir[0] != '/')
			return NULL;
		joined = arena_printf(arena, "%s/%s", dir, path);
	}
	normalize(joined);
	return joined[0] ? joined : NULL;
}

static uint32_t number(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attr;
	Dwarf_Word value = 0;

	dwarf_formudata(dwarf_attr_integrate(die, name, &attr), &value);
	return value <= UINT32_MAX ? (uint32_t)value : 0;
}

static void take_function(Dwarf_Die *die, struct source_frame *out)
{
	Dwarf_Attribute attr;

	out->function = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attr));
	if (!out->function)
		out->function = dwarf_diename(die);
	out->define_line = number(die, DW_AT_decl_line);
}

static void take_line(struct arena *arena, Dwarf_Die *unit, uint64_t vaddr,
		      struct source_frame *out)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, vaddr);
	int row = 0, column = 0;

	if (!line)
		return;
	out->file = absolute(arena, unit, dwarf_linesrc(line, NULL, NULL));
	if (!out->file || dwarf_lineno(line, &row) != 0 || dwarf_linecol(line, &column) != 0)
		return;
	out->line = (uint32_t)row;
	out->column = (uint32_t)column;
}

/* Where the inlined function `die` was called from. */
static void take_call(struct arena *arena, Dwarf_Die *unit, Dwarf_Die *die,
		      struct source_frame *out)
{
	uint32_t file = number(die, DW_AT_call_file);
	Dwarf_Files *files;
	size_t n;

	if (dwarf_getsrcfiles(unit, &files, &n) != 0 || file >= n)
		return;
	out->file = absolute(arena, unit, dwarf_filesrc(files, file, NULL, NULL));
	if (!out->file)
		return;
	out->line = number(die, DW_AT_call_line);
	out->column = number(die, DW_AT_call_column);
}

/*
 * The function and the functions inlined into it around vaddr, outermost first.
 * Blocks between them are stepped over.
 */
static size_t find_chain(Dwarf_Die *function, uint64_t vaddr, Dwarf_Die *chain, size_t max)
{
	Dwarf_Die die;
	size_t n = 1;

	chain[0] = *function;
	if (dwarf_child(function, &die) != 0)
		return n;
	for (int i = 0; i < MAX_DIES; i++) {
		int tag = dwarf_tag(&die);
		bool inside = (tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block) &&
			      dwarf_haspc(&die, vaddr) == 1;

		if (inside && tag == DW_TAG_inlined_subroutine && n < max)
			chain[n++] = die;
		if ((inside ? dwarf_child(&die, &die) : dwarf_siblingof(&die, &die)) != 0)
			break;
	}
	return n;
}

size_t debug_info_lookup(struct debug_info *info, struct arena *arena, uint64_t vaddr,
			 struct source_frame *out, size_t max)
{
	Dwarf_Die unit, function, chain[MAX_DEPTH];
	size_t n;

	if (max == 0 || !find_function(info, vaddr, &unit, &function))
		return 0;
	memset(out, 0, max * sizeof(*out));
	take_line(arena, &unit, vaddr, &out[0]);
	if (!function.addr)
		return out[0].file ? 1 : 0;
	n = find_chain(&function, vaddr, chain, max < MAX_DEPTH ? max : MAX_DEPTH);
	for (size_t i = 0; i < n; i++) {
		Dwarf_Die *die = &chain[n - 1 - i];

		take_function(die, &out[i]);
		if (i + 1 < n)
			take_call(arena, &unit, die, &out[i + 1]);
	}
	return n;
}
