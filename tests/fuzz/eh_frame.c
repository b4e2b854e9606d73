/*
 * An ELF file whose headers and unwind tables are hostile: it is opened, searched,
 * and a stack of random words is unwound through it.  All must end, and soon.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "sampler/eh_index.h"
#include "sampler/unwind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STACK = 0x7ff000000000, WORDS = 256, MAX_SEGMENT = 1 << 20 };

/* Words that lead somewhere: up the stack, into the file, or nowhere. */
static void fill_stack(uint64_t *words, const struct elf_file *file, uint64_t bias, uint64_t seed)
{
	for (size_t i = 0; i < WORDS; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		if (seed >> 62 == 0 && file->n_segments)
			words[i] = bias + file->segments[0].vaddr + (seed >> 20) % 4096;
		else if (seed >> 62 == 1)
			words[i] = STACK + (seed >> 20) % (WORDS * 8);
		else
			words[i] = seed >> 62 == 2 ? seed : i;
	}
}

static void unwind_through(struct space *space, const struct elf_file *file, uint64_t bias)
{
	void *native = unwinder_native.create(space);
	struct raw_stack *stack = xcalloc(1, sizeof(*stack));
	uint64_t words[WORDS];

	for (uint64_t round = 0; round < 8; round++) {
		struct regs regs = { .valid = (1u << DW_N) - 1 };
		struct memory_dump mem;

		fill_stack(words, file, bias, round);
		for (size_t i = 0; i < DW_N; i++)
			regs.r[i] = words[i];
		regs.r[DW_RSP] = STACK;
		regs.r[DW_RIP] =
			bias + (round % 2 ? file->entry : file->segments[0].vaddr) + round * 16;
		memory_dump_init(&mem, STACK, words, sizeof(words), NULL);
		unwinder_native.unwind(native, &regs, &mem.base, stack);
		assert(stack->n >= 1 && stack->n <= RAW_STACK_MAX && stack->end < STACK_ENDS);
	}
	unwinder_native.destroy(native);
	free(stack);
}

static void search(struct elf_file *file)
{
	struct cfi_row row;
	uint64_t gap[2];
	size_t n;

	for (size_t i = 0; i < file->n_segments; i++)
		for (uint64_t at = 0; at < 512 && at < file->segments[i].filesz; at += 7)
			eh_index_row(file, file->segments[i].vaddr + at, &row);
	eh_index_widest_gap(file, &gap[0], &gap[1]);
	free(elf_section(file, ".text", MAX_SEGMENT, &n, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct space *space;
	struct elf_file *file;
	struct error err;
	uint64_t bias;

	if (elf_open_image(&file, data, size, &err) < 0)
		return 0;
	search(file);
	if (!file->n_segments ||
	    !elf_bias_of_mapping(file, 0x10000000, file->segments[0].offset & ~4095ull, true,
				 &bias)) {
		elf_close(file);
		return 0;
	}
	space = space_new(0);
	space_add_file(space,
		       &(struct mapping){ .start = 0x10000000,
					  .end = 0x10100000,
					  .offset = file->segments[0].offset & ~4095ull,
					  .exec = true,
					  .path = "fuzz" },
		       file);
	unwind_through(space, file, bias);
	space_free(space);
	return 0;
}
