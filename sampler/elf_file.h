#ifndef LAGPROF_SAMPLER_ELF_FILE_H
#define LAGPROF_SAMPLER_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/*
 * An ELF file mapped by the target, read with pread as hostile input (it may
 * shrink or change while it is read).  Addresses are the file's own (p_vaddr).
 */
struct elf_segment {
	uint64_t vaddr, offset, filesz; /* neither vaddr + filesz nor offset + filesz wraps */
	bool exec;
};

enum { ELF_MAX_SEGMENTS = 16 };

struct elf_file {
	int fd; /* -1: the image is held in `image` (vdso) */
	const uint8_t *image;
	size_t size; /* bytes, when it was opened */
	uint64_t dev, ino;
	char build_id[41];       /* hex, "" if the file has none */
	uint64_t build_id_vaddr; /* of its bytes; 0 if they are not in a PT_LOAD */
	bool pie;                /* ET_DYN */
	uint64_t entry;          /* vaddr of its first instruction, 0 if none */
	struct elf_segment segments[ELF_MAX_SEGMENTS]; /* PT_LOAD */
	size_t n_segments;
	uint64_t eh_frame_hdr, eh_frame_hdr_size; /* vaddr; 0 if none */
	uint64_t eh_frame, eh_frame_size;         /* from sections, when there are any; else 0 */

	/* Made on first use by eh_index.c and symbols.c, which set what frees them as well. */
	struct eh_index *eh;
	void (*eh_free)(struct elf_file *file);
	struct symbols *symbols;
	void (*symbols_free)(struct elf_file *file);
};

/* Takes fd over in any case.  -ENOEXEC if it is not an x86-64 ELF file. */
int elf_open(struct elf_file **file, int fd, struct error *err);
/* The same from bytes that outlive the file (the vdso). */
int elf_open_image(struct elf_file **file, const void *image, size_t size, struct error *err);
/* NULL is fine. */
void elf_close(struct elf_file *file);

/* Reads exactly len bytes at a file offset: 0 or -EFAULT. */
int elf_pread(const struct elf_file *file, uint64_t offset, void *buf, size_t len);
/* Reads exactly len bytes at a vaddr inside a PT_LOAD's file part: 0 or -EFAULT. */
int elf_read_vaddr(const struct elf_file *file, uint64_t vaddr, void *buf, size_t len);
/* How many file bytes follow vaddr in its PT_LOAD; 0 if no segment covers it. */
uint64_t elf_bytes_at_vaddr(const struct elf_file *file, uint64_t vaddr);
/*
 * A malloc'ed copy of the section headers; NULL if they cannot be read.  *names is
 * the index of the section that holds their names: hostile, may be beyond n.
 */
Elf64_Shdr *elf_section_headers(const struct elf_file *file, size_t *n, size_t *names);
/*
 * A malloc'ed copy of a section's bytes (decompressed), and its vaddr (may be
 * NULL); NULL if absent, empty, without bytes in the file (NOBITS) or over max.
 */
uint8_t *elf_section(const struct elf_file *file, const char *name, size_t max, size_t *size,
		     uint64_t *vaddr);
/* File offset -> vaddr through the PT_LOADs: false if no segment covers it. */
bool elf_vaddr_of_offset(const struct elf_file *file, uint64_t offset, uint64_t *vaddr);
/*
 * The bias (address - vaddr) of a mapping of this file: `start` holds the
 * page at file offset `offset`.  Where two segments share that page, the
 * one that is as executable as the mapping counts.  False if none is there.
 */
bool elf_bias_of_mapping(const struct elf_file *file, uint64_t start, uint64_t offset, bool exec,
			 uint64_t *bias);

#endif
