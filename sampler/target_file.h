#ifndef LAGPROF_SAMPLER_TARGET_FILE_H
#define LAGPROF_SAMPLER_TARGET_FILE_H

#include "sampler/space.h"

/*
 * Opens the ELF file behind a mapping of process pid, whose /proc folder is open
 * as proc, and sets *bias.  A deleted file, one in another mount namespace and
 * one that was replaced are all found by what the kernel keeps mapped, never by
 * their name alone.  NULL if there is none, or none that is the mapped one.
 */
struct elf_file *target_open_file(pid_t pid, int proc, const struct mapping *m, uint64_t *bias);

/*
 * The vdso of the target, from its memory or else our own; *image is malloc'ed
 * and must outlive the file.
 */
struct elf_file *target_open_vdso(pid_t pid, const struct mapping *m, void **image, uint64_t *bias);

#endif
