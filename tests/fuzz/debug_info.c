/* A whole hostile ELF file with DWARF: source lines and inlined functions. */
#include "sampler/debug_info.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* libdw reads on when a string has no end; it runs in a sandbox.  What is tested is our use of it.
 */
const char *__asan_default_options(void)
{
	return "replace_str=0:intercept_strlen=0";
}

static void look_up(struct debug_info *info, const struct elf_segment *segment)
{
	struct arena arena = { 0 };
	struct source_frame frames[8];

	for (uint64_t at = 0; at < 32; at++) {
		uint64_t vaddr = segment->vaddr + at * (segment->filesz / 32 + 1);

		debug_info_lookup(info, &arena, vaddr, frames, 8);
	}
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct debug_info *info;
	struct elf_segment text;
	struct elf_file *file;
	struct error err;

	if (write(fd, data, size) != (ssize_t)size)
		__builtin_trap();
	if (elf_open(&file, fd, &err) < 0)
		return 0;
	text = file->segments[file->n_segments > 1]; /* of a small program the code is the second */
	info = debug_info_open(file, NULL);
	if (info)
		look_up(info, &text);
	debug_info_close(info);
	return 0;
}
