#include "sampler/elf_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "core/arena.h"

enum {
	PAGE = 4096,
	MAX_PROGRAM_HEADERS = 128,
	MAX_SECTIONS = 65536,
	MAX_SECTION_NAMES = 4 << 20, /* bytes of .shstrtab */
	MAX_NOTES = 64 << 10,        /* bytes of one PT_NOTE */
	MAX_BUILD_ID = 20,
};

#ifndef ELFCOMPRESS_ZSTD
enum { ELFCOMPRESS_ZSTD = 2 };
#endif

int elf_pread(const struct elf_file *file, uint64_t offset, void *buf, size_t len)
{
	uint8_t *out = buf;

	if (file->fd < 0) {
		if (offset > file->size || len > file->size - offset)
			return -EFAULT;
		memcpy(buf, file->image + offset, len);
		return 0;
	}
	if (offset > INT64_MAX || len > INT64_MAX - offset)
		return -EFAULT;
	while (len > 0) {
		ssize_t n = pread(file->fd, out, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EFAULT;
		out += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static const struct elf_segment *segment_at(const struct elf_file *file, uint64_t vaddr)
{
	for (size_t i = 0; i < file->n_segments; i++) {
		const struct elf_segment *s = &file->segments[i];

		if (vaddr >= s->vaddr && vaddr - s->vaddr < s->filesz)
			return s;
	}
	return NULL;
}

uint64_t elf_bytes_at_vaddr(const struct elf_file *file, uint64_t vaddr)
{
	const struct elf_segment *s = segment_at(file, vaddr);

	return s ? s->filesz - (vaddr - s->vaddr) : 0;
}

int elf_read_vaddr(const struct elf_file *file, uint64_t vaddr, void *buf, size_t len)
{
	const struct elf_segment *s = segment_at(file, vaddr);

	if (!s || len > s->filesz - (vaddr - s->vaddr))
		return -EFAULT;
	return elf_pread(file, s->offset + (vaddr - s->vaddr), buf, len);
}

bool elf_vaddr_of_offset(const struct elf_file *file, uint64_t offset, uint64_t *vaddr)
{
	for (size_t i = 0; i < file->n_segments; i++) {
		const struct elf_segment *s = &file->segments[i];

		if (offset >= s->offset && offset - s->offset < s->filesz) {
			*vaddr = s->vaddr + (offset - s->offset);
			return true;
		}
	}
	return false;
}

bool elf_bias_of_mapping(const struct elf_file *file, uint64_t start, uint64_t offset, bool exec,
			 uint64_t *bias)
{
	bool found = false;

	for (size_t i = 0; i < file->n_segments; i++) {
		const struct elf_segment *s = &file->segments[i];
		uint64_t first = s->offset & ~(uint64_t)(PAGE - 1);

		if (offset < first || offset >= s->offset + s->filesz)
			continue;
		if (found && s->exec != exec)
			continue;
		*bias = start - offset + s->offset - s->vaddr;
		found = true;
		if (s->exec == exec)
			break;
	}
	return found;
}

struct sections {
	Elf64_Shdr *headers;
	size_t n;
	char *names; /* NUL-terminated at names_size */
	size_t names_size;
};

static void sections_free(struct sections *s)
{
	free(s->headers);
	free(s->names);
}

static int sections_load_names(const struct elf_file *file, struct sections *s, size_t index)
{
	const Elf64_Shdr *strings = &s->headers[index];

	if (strings->sh_type == SHT_NOBITS || strings->sh_size > MAX_SECTION_NAMES)
		return -EFAULT;
	s->names_size = strings->sh_size;
	s->names = xcalloc(1, s->names_size + 1);
	return elf_pread(file, strings->sh_offset, s->names, s->names_size);
}

Elf64_Shdr *elf_section_headers(const struct elf_file *file, size_t *n, size_t *names)
{
	Elf64_Ehdr eh;
	Elf64_Shdr first, *headers;

	if (elf_pread(file, 0, &eh, sizeof(eh)) < 0 || !eh.e_shoff ||
	    eh.e_shentsize != sizeof(first) ||
	    elf_pread(file, eh.e_shoff, &first, sizeof(first)) < 0)
		return NULL;
	/* More sections than 16 bits can count: the first header tells. */
	*n = eh.e_shnum ? eh.e_shnum : first.sh_size;
	*names = eh.e_shstrndx == SHN_XINDEX ? first.sh_link : eh.e_shstrndx;
	if (*n == 0 || *n > MAX_SECTIONS || *n * sizeof(first) > file->size)
		return NULL;
	headers = xcalloc(*n, sizeof(first));
	if (elf_pread(file, eh.e_shoff, headers, *n * sizeof(first)) == 0)
		return headers;
	free(headers);
	return NULL;
}

static int sections_load(const struct elf_file *file, struct sections *s)
{
	size_t names;

	*s = (struct sections){ 0 };
	s->headers = elf_section_headers(file, &s->n, &names);
	if (s->headers && names < s->n && sections_load_names(file, s, names) == 0)
		return 0;
	sections_free(s);
	return -EFAULT;
}

static const Elf64_Shdr *sections_find(const struct sections *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->headers[i].sh_name < s->names_size &&
		    strcmp(s->names + s->headers[i].sh_name, name) == 0)
			return &s->headers[i];
	return NULL;
}

static bool decompress(unsigned type, uint8_t *out, size_t out_size, const uint8_t *in,
		       size_t in_size)
{
	uLongf n = out_size;

	if (type == ELFCOMPRESS_ZLIB)
		return uncompress(out, &n, in, in_size) == Z_OK && n == out_size;
	if (type == ELFCOMPRESS_ZSTD)
		return ZSTD_decompress(out, out_size, in, in_size) == out_size;
	return false;
}

/* Replaces a SHF_COMPRESSED section's bytes by what they stand for. */
static uint8_t *section_inflate(uint8_t *bytes, size_t max, size_t *size)
{
	uint8_t *out = NULL;
	Elf64_Chdr ch;

	if (*size < sizeof(ch))
		goto out;
	memcpy(&ch, bytes, sizeof(ch));
	if (!ch.ch_size || ch.ch_size > max)
		goto out;
	out = malloc(ch.ch_size);
	if (out &&
	    !decompress(ch.ch_type, out, ch.ch_size, bytes + sizeof(ch), *size - sizeof(ch))) {
		free(out);
		out = NULL;
	}
	*size = ch.ch_size;
out:
	free(bytes);
	return out;
}

uint8_t *elf_section(const struct elf_file *file, const char *name, size_t max, size_t *size,
		     uint64_t *vaddr)
{
	struct sections s;
	const Elf64_Shdr *h;
	uint8_t *bytes = NULL;

	if (sections_load(file, &s) < 0)
		return NULL;
	h = sections_find(&s, name);
	/* A section is never larger than its file, whatever its header says. */
	if (!h || h->sh_type == SHT_NOBITS || !h->sh_size || h->sh_size > max ||
	    h->sh_size > file->size)
		goto out;
	*size = h->sh_size;
	if (vaddr)
		*vaddr = h->sh_addr;
	bytes = malloc(*size);
	if (bytes && elf_pread(file, h->sh_offset, bytes, *size) < 0) {
		free(bytes);
		bytes = NULL;
	}
	if (bytes && h->sh_flags & SHF_COMPRESSED)
		bytes = section_inflate(bytes, max, size);
out:
	sections_free(&s);
	return bytes;
}

/* Finds the build-id among the notes; true once it is set.  base: the vaddr of notes, 0 unknown. */
static bool take_build_id(struct elf_file *file, const uint8_t *notes, size_t size, uint64_t base,
			  size_t align)
{
	Elf64_Nhdr n;
	size_t at = 0;

	while (size - at >= sizeof(n)) {
		size_t name, desc, next;

		memcpy(&n, notes + at, sizeof(n));
		name = at + sizeof(n);
		desc = (name + n.n_namesz + align - 1) & ~(align - 1);
		next = (desc + n.n_descsz + align - 1) & ~(align - 1);
		if (desc > size || n.n_descsz > size - desc)
			return false;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 && n.n_descsz &&
		    memcmp(notes + name, "GNU", 4) == 0) {
			size_t len = n.n_descsz < MAX_BUILD_ID ? n.n_descsz : MAX_BUILD_ID;

			for (size_t i = 0; i < len; i++)
				sprintf(file->build_id + 2 * i, "%02x", notes[desc + i]);
			file->build_id_vaddr = base ? base + desc : 0;
			return true;
		}
		if (next > size)
			return false;
		at = next;
	}
	return false;
}

static bool read_note_segment(struct elf_file *file, const Elf64_Phdr *ph)
{
	uint8_t *notes;
	bool found;

	if (!ph->p_filesz || ph->p_filesz > MAX_NOTES)
		return false;
	notes = xcalloc(1, ph->p_filesz);
	found = elf_pread(file, ph->p_offset, notes, ph->p_filesz) == 0 &&
		take_build_id(file, notes, ph->p_filesz, ph->p_vaddr, ph->p_align == 8 ? 8 : 4);
	free(notes);
	return found;
}

/* Detached debug files keep the section, but their program headers point nowhere. */
static void read_note_section(struct elf_file *file)
{
	size_t size;
	uint8_t *notes = elf_section(file, ".note.gnu.build-id", MAX_NOTES, &size, NULL);

	if (notes)
		take_build_id(file, notes, size, 0, 4);
	free(notes);
}

static void add_segment(struct elf_file *file, const Elf64_Phdr *ph)
{
	if (!ph->p_filesz || file->n_segments == ELF_MAX_SEGMENTS ||
	    ph->p_vaddr + ph->p_filesz < ph->p_vaddr || ph->p_offset + ph->p_filesz < ph->p_offset)
		return;
	file->segments[file->n_segments++] = (struct elf_segment){
		.vaddr = ph->p_vaddr,
		.offset = ph->p_offset,
		.filesz = ph->p_filesz,
		.exec = ph->p_flags & PF_X,
	};
}

static int read_program_headers(struct elf_file *file, const Elf64_Ehdr *eh)
{
	size_t n = eh->e_phnum < MAX_PROGRAM_HEADERS ? eh->e_phnum : MAX_PROGRAM_HEADERS;
	Elf64_Phdr ph[MAX_PROGRAM_HEADERS];

	if (n && eh->e_phentsize != sizeof(ph[0]))
		return -ENOEXEC;
	if (elf_pread(file, eh->e_phoff, ph, n * sizeof(ph[0])) < 0)
		return -ENOEXEC;
	for (size_t i = 0; i < n; i++) {
		if (ph[i].p_type == PT_LOAD) {
			add_segment(file, &ph[i]);
		} else if (ph[i].p_type == PT_GNU_EH_FRAME) {
			file->eh_frame_hdr = ph[i].p_vaddr;
			file->eh_frame_hdr_size = ph[i].p_filesz;
		} else if (ph[i].p_type == PT_NOTE && !file->build_id[0]) {
			read_note_segment(file, &ph[i]);
		}
	}
	return 0;
}

static void find_eh_frame(struct elf_file *file)
{
	struct sections s;
	const Elf64_Shdr *h;

	if (sections_load(file, &s) < 0)
		return;
	h = sections_find(&s, ".eh_frame");
	if (h && h->sh_type != SHT_NOBITS) {
		file->eh_frame = h->sh_addr;
		file->eh_frame_size = h->sh_size;
	}
	sections_free(&s);
}

static int read_headers(struct elf_file *file, struct error *err)
{
	Elf64_Ehdr eh;

	if (elf_pread(file, 0, &eh, sizeof(eh)) < 0 || memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0)
		return error_set(err, -ENOEXEC, "not an ELF file");
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh.e_machine != EM_X86_64 || (eh.e_type != ET_EXEC && eh.e_type != ET_DYN))
		return error_set(err, -ENOEXEC, "not an x86-64 program or library");
	file->pie = eh.e_type == ET_DYN;
	file->entry = eh.e_entry;
	if (read_program_headers(file, &eh) < 0)
		return error_set(err, -ENOEXEC, "its program headers cannot be read");
	if (!file->build_id[0])
		read_note_section(file);
	find_eh_frame(file);
	return 0;
}

static int elf_finish(struct elf_file **out, struct elf_file *file, struct error *err)
{
	int rc = read_headers(file, err);

	if (rc < 0)
		elf_close(file);
	else
		*out = file;
	return rc;
}

int elf_open(struct elf_file **out, int fd, struct error *err)
{
	struct elf_file *file = xcalloc(1, sizeof(*file));
	struct stat st;

	file->fd = fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		elf_close(file);
		return error_set(err, -ENOEXEC, "not a regular file");
	}
	file->size = (size_t)st.st_size;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	return elf_finish(out, file, err);
}

int elf_open_image(struct elf_file **out, const void *image, size_t size, struct error *err)
{
	struct elf_file *file = xcalloc(1, sizeof(*file));

	file->fd = -1;
	file->image = image;
	file->size = size;
	return elf_finish(out, file, err);
}

void elf_close(struct elf_file *file)
{
	if (!file)
		return;
	if (file->eh_free)
		file->eh_free(file);
	if (file->symbols_free)
		file->symbols_free(file);
	if (file->fd >= 0)
		close(file->fd);
	free(file);
}
