#ifndef LAGPROF_SAMPLER_TARGET_FILE_H
#define LAGPROF_SAMPLER_TARGET_FILE_H

#include "sampler/memory.h"
#include "sampler/space.h"

/*
 * Opens the ELF file behind a mapping of a process whose /proc folder is open
 * as proc and its memory mem, and sets *bias.  A deleted file, one in another mount namespace
 * and one that was replaced are all found by what the kernel keeps mapped, never by their name
 * alone.  NULL if there is none, or none that is the mapped one.
 */
struct elf_file *target_open_file(const struct process_memory *mem, int proc,
				  const struct mapping *m, uint64_t *bias);

/*
 * The vdso of the target, from its memory or else our own; *image is malloc'ed
 * and must outlive the file.
 */
struct elf_file *target_open_vdso(const struct process_memory *mem, const struct mapping *m,
				  void **image, uint64_t *bias);

/* A path whose last component is a symbolic link is refused. */
enum { TARGET_NO_LINK = 1 };
/*
 * Opens a regular file by its path inside the root of the target whose /proc
 * folder is open as proc, or inside our own root where proc is -1.  No link leads
 * out of that root, and nothing but a regular file is touched.  The fd, or -1.
 */
int target_open_path(int proc, const char *path, int flags);

#endif
