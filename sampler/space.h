#ifndef LAGPROF_SAMPLER_SPACE_H
#define LAGPROF_SAMPLER_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sampler/elf_file.h"
#include "sampler/image.h"

/*
 * The target's address space: its mappings in order of address, and the ELF
 * files behind them (each opened once, shared by all its mappings: node >= 22
 * maps its own builtins a second time at another bias).
 */
struct mapping {
	uint64_t start, end, offset;
	uint64_t ino;
	uint32_t dev_major, dev_minor;
	bool exec, write, anon; /* anon: no file behind it */
	bool deleted;           /* the file was unlinked; path is where it was */
	const char *path;       /* "" if none; "[stack]", "[vdso]", "//anon", a path */
	struct elf_file *file;  /* NULL until space_file(), and if there is none */
	bool file_tried;
	uint64_t bias; /* pc - bias = the file's vaddr; valid with file */
};

struct space;

/*
 * Opens files through /proc/PID/map_files, /proc/PID/exe and /proc/PID/root, in
 * that order, and believes none whose inode or build-id is not the mapped one.
 * pid 0: no process (fixtures).
 */
struct space *space_new(pid_t pid);
void space_free(struct space *space);
/* /proc/PID as an O_PATH fd that stays the space's, -1 if there is none: it never names another
 * process. */
int space_proc(const struct space *space);
/*
 * Reads /proc/PID/maps anew, keeping open files that are still mapped.  -ESTALE, and nothing
 * changes, if the program has been replaced by another since space_reset(); -ESRCH: it has ended.
 */
int space_refresh(struct space *space, struct error *err);
/* Is it still the space of the program that the process runs?  A few microseconds. */
enum image_state space_image(const struct space *space);
/* Its /proc/PID/mem, which stays the space's until space_reset(), or MEMORY_…. */
int space_memory(const struct space *space);
/* CLOCK_MONOTONIC ns from which on it is known to be; 0: not known. */
uint64_t space_since(const struct space *space);
/*
 * One new mapping (PERF_RECORD_MMAP2) replaces what it overlaps, unless it is a part of
 * what is known.  Copies the path, ignores file.
 */
void space_add(struct space *space, const struct mapping *m);
/* exec: everything is forgotten. */
void space_reset(struct space *space);
/* For fixtures: a space without a process; file may be NULL.  Takes file over (one file, many
 * mappings). */
void space_add_file(struct space *space, const struct mapping *m, struct elf_file *file);

/* The mapping that holds addr, or NULL.  Valid until the next change of the space. */
struct mapping *space_find(struct space *space, uint64_t addr);
/* Its ELF file, opened on first use; NULL if none or unreadable.  Sets m->bias. */
struct elf_file *space_file(struct space *space, struct mapping *m);
/* All mappings in order. */
const struct mapping *space_mappings(const struct space *space, size_t *n);
/* Grows with every change of an executable mapping: caches of pc -> something compare it. */
uint64_t space_generation(const struct space *space);

#endif
