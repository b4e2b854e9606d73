#include "sampler/eh_index.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

/* Chromium has 40 MB of .eh_frame; the header's table is a fifth of that. */
enum { MAX_SECTION = 64 << 20 };

/* As in .eh_frame_hdr: both relative to `base`. */
struct eh_entry {
	int32_t start; /* first vaddr of a function */
	int32_t fde;   /* vaddr of its FDE */
};

struct eh_index {
	struct eh_section section;
	struct eh_section header; /* .eh_frame_hdr; empty if entries were made here */
	uint64_t base;
	struct eh_entry *made;
	const struct eh_entry *entries; /* by start; in header or made */
	size_t n;
};

struct eh_frame_header {
	uint8_t version, frame_encoding, count_encoding, table_encoding;
	int32_t frame;  /* .eh_frame, relative to this field */
	uint32_t count; /* entries follow */
};

static void eh_index_free(struct elf_file *file)
{
	free((uint8_t *)file->eh->section.bytes);
	free((uint8_t *)file->eh->header.bytes);
	free(file->eh->made);
	free(file->eh);
	file->eh = NULL;
}

/* size 0: as far as its segment goes. */
static bool load_section(const struct elf_file *file, struct eh_section *s, uint64_t vaddr,
			 uint64_t size)
{
	uint64_t room = elf_bytes_at_vaddr(file, vaddr);
	uint8_t *bytes;

	if (!size || size > room)
		size = room;
	if (!size || size > MAX_SECTION)
		return false;
	bytes = malloc(size);
	if (!bytes || elf_read_vaddr(file, vaddr, bytes, size) < 0) {
		free(bytes);
		return false;
	}
	*s = (struct eh_section){ .bytes = bytes, .size = size, .vaddr = vaddr };
	return true;
}

/* The table as linkers write it; any other is made anew from .eh_frame. */
static bool read_header(const struct elf_file *file, struct eh_frame_header *h, uint64_t *frame)
{
	if (!file->eh_frame_hdr || elf_read_vaddr(file, file->eh_frame_hdr, h, sizeof(*h)) < 0 ||
	    h->version != 1 || h->frame_encoding != (DW_EH_PE_pcrel | DW_EH_PE_sdata4))
		return false;
	*frame = file->eh_frame_hdr + offsetof(struct eh_frame_header, frame) + (uint64_t)h->frame;
	return true;
}

static bool load_table(const struct elf_file *file, struct eh_index *eh,
		       const struct eh_frame_header *h)
{
	uint64_t size = sizeof(*h) + (uint64_t)h->count * sizeof(struct eh_entry);

	if (h->count_encoding != DW_EH_PE_udata4 ||
	    h->table_encoding != (DW_EH_PE_datarel | DW_EH_PE_sdata4) || !h->count ||
	    size > elf_bytes_at_vaddr(file, file->eh_frame_hdr) ||
	    !load_section(file, &eh->header, file->eh_frame_hdr, size))
		return false;
	eh->base = file->eh_frame_hdr;
	eh->entries = (const struct eh_entry *)(eh->header.bytes + sizeof(*h));
	eh->n = h->count;
	return true;
}

static int compare_entries(const void *a, const void *b)
{
	const struct eh_entry *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Entry by entry, for static programs that were linked without a header. */
static void make_table(struct eh_index *eh)
{
	uint64_t next = 0, offset;
	size_t cap = 0;

	eh->base = eh->section.vaddr;
	while (eh_frame_next(&eh->section, &next, &offset)) {
		struct eh_fde fde;
		int64_t start;

		if (eh_fde_parse(&eh->section, offset, &fde) < 0 || fde.end == fde.start)
			continue;
		start = (int64_t)(fde.start - eh->base);
		if (start != (int32_t)start)
			continue;
		ARRAY_GROW(eh->made, eh->n, cap);
		eh->made[eh->n++] = (struct eh_entry){ (int32_t)start, (int32_t)offset };
	}
	if (eh->n)
		qsort(eh->made, eh->n, sizeof(eh->made[0]), compare_entries);
	eh->entries = eh->made;
}

static struct eh_index *eh_index_of(struct elf_file *file)
{
	struct eh_index *eh = file->eh;
	struct eh_frame_header h;
	uint64_t frame;
	bool header;

	if (eh)
		return eh;
	eh = file->eh = xcalloc(1, sizeof(*eh));
	file->eh_free = eh_index_free;
	header = read_header(file, &h, &frame);
	if (!header || frame == file->eh_frame)
		load_section(file, &eh->section, file->eh_frame, file->eh_frame_size);
	else
		load_section(file, &eh->section, frame, 0);
	if (eh->section.size && (!header || !load_table(file, eh, &h)))
		make_table(eh);
	return eh;
}

/* Index of the last entry that starts at or below vaddr, or -1. */
static ssize_t entry_below(const struct eh_index *eh, uint64_t vaddr)
{
	int64_t start = (int64_t)(vaddr - eh->base);
	size_t lo = 0, hi = eh->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (eh->entries[mid].start <= start)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (ssize_t)lo - 1;
}

/* 1: *fde covers vaddr; 0: none does; -EINVAL: one may, but is malformed. */
static int find_fde(const struct eh_index *eh, uint64_t vaddr, struct eh_fde *fde)
{
	ssize_t i = entry_below(eh, vaddr);
	uint64_t offset;

	if (i < 0)
		return 0;
	offset = eh->base + (uint64_t)eh->entries[i].fde - eh->section.vaddr;
	if (eh_fde_parse(&eh->section, offset, fde) < 0)
		return -EINVAL;
	return vaddr >= fde->start && vaddr < fde->end;
}

int eh_index_row(struct elf_file *file, uint64_t vaddr, struct cfi_row *row)
{
	const struct eh_index *eh = eh_index_of(file);
	struct eh_fde fde;
	int ret = find_fde(eh, vaddr, &fde);

	if (ret <= 0)
		return ret;
	return eh_fde_row(&eh->section, &fde, vaddr, row) < 0 ? -EINVAL : 1;
}

uint64_t eh_index_function(struct elf_file *file, uint64_t vaddr)
{
	struct eh_fde fde;

	return find_fde(eh_index_of(file), vaddr, &fde) > 0 ? fde.start : 0;
}

const struct eh_section *eh_index_section(struct elf_file *file)
{
	return &eh_index_of(file)->section;
}

static int section_read(const struct eh_section *s, uint64_t vaddr, void *buf, size_t len)
{
	uint64_t offset = vaddr - s->vaddr;

	if (offset > s->size || len > s->size - offset)
		return -EFAULT;
	memcpy(buf, s->bytes + offset, len);
	return 0;
}

int eh_index_read(struct elf_file *file, uint64_t vaddr, void *buf, size_t len)
{
	const struct eh_index *eh = eh_index_of(file);

	return section_read(&eh->section, vaddr, buf, len) == 0
		       ? 0
		       : section_read(&eh->header, vaddr, buf, len);
}

size_t eh_index_size(struct elf_file *file)
{
	return eh_index_of(file)->n;
}

bool eh_index_widest_gap(struct elf_file *file, uint64_t *start, uint64_t *end)
{
	struct eh_index *eh = eh_index_of(file);
	int64_t widest = 0;

	for (size_t i = 1; i < eh->n; i++) {
		int64_t gap = (int64_t)eh->entries[i].start - eh->entries[i - 1].start;

		if (gap <= widest)
			continue;
		widest = gap;
		*start = eh->base + (uint64_t)eh->entries[i - 1].start;
		*end = eh->base + (uint64_t)eh->entries[i].start;
	}
	return widest > 0;
}
