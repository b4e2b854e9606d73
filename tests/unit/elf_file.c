#include "sampler/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "core/arena.h"
#include "tests/test.h"

static struct elf_file *open_path(const char *path)
{
	struct elf_file *file = NULL;
	struct error err;

	elf_open(&file, open(path, O_RDONLY | O_CLOEXEC), &err);
	return file;
}

TEST(elf_own_program_has_segments_sections_and_unwind_tables)
{
	struct elf_file *file = open_path("/proc/self/exe");
	uint64_t vaddr, text_vaddr;
	size_t size;
	uint8_t *text, byte;

	CHECK(file != NULL);
	if (!file)
		return;
	CHECK(file->pie);
	CHECK(file->n_segments >= 2);
	CHECK(file->eh_frame_hdr && file->eh_frame_hdr_size > 12);
	CHECK(file->eh_frame && file->eh_frame_size > 100);
	CHECK_EQ(strlen(file->build_id), 40);
	text = elf_section(file, ".text", 64 << 20, &size, &text_vaddr);
	CHECK(text != NULL);
	CHECK_EQ(elf_read_vaddr(file, text_vaddr + size / 2, &byte, 1), 0);
	CHECK_EQ(byte, text[size / 2]);
	CHECK(elf_bytes_at_vaddr(file, text_vaddr) >= size);
	CHECK(elf_vaddr_of_offset(file, 0, &vaddr));
	CHECK_EQ(vaddr, 0);
	CHECK(!elf_section(file, ".text", size - 1, &size, NULL));
	CHECK(!elf_section(file, ".no_such_section", 1 << 20, &size, NULL));
	CHECK(!elf_section(file, ".bss", 1 << 20, &size, NULL));
	free(text);
	elf_close(file);
}

TEST(elf_open_refuses_what_is_no_program)
{
	static const char *const paths[] = { "/dev/null", "/", "/etc/passwd", "/proc/self/maps" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		CHECK(!open_path(paths[i]));
}

/* A program with one PT_LOAD, a build-id note and a compressed section. */
struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	Elf64_Shdr sh[3];
	struct {
		Elf64_Nhdr head;
		char name[4];
		uint8_t desc[8];
	} note;
	char names[32];
	struct {
		Elf64_Chdr head;
		uint8_t bytes[200];
	} packed;
};

static void make_image(struct image *im, const char *text)
{
	uLongf packed = sizeof(im->packed.bytes);

	*im = (struct image){ 0 };
	memcpy(im->eh.e_ident, "\177ELF\2\1\1", 7);
	im->eh.e_type = ET_DYN;
	im->eh.e_machine = EM_X86_64;
	im->eh.e_phoff = offsetof(struct image, ph);
	im->eh.e_phentsize = sizeof(Elf64_Phdr);
	im->eh.e_phnum = 2;
	im->eh.e_shoff = offsetof(struct image, sh);
	im->eh.e_shentsize = sizeof(Elf64_Shdr);
	im->eh.e_shnum = 3;
	im->eh.e_shstrndx = 1;
	im->ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
				  .p_flags = PF_R | PF_X,
				  .p_vaddr = 0x10000,
				  .p_filesz = sizeof(*im) };
	im->ph[1] = (Elf64_Phdr){ .p_type = PT_NOTE,
				  .p_offset = offsetof(struct image, note),
				  .p_vaddr = 0x10000 + offsetof(struct image, note),
				  .p_filesz = sizeof(im->note),
				  .p_align = 4 };
	im->note.head = (Elf64_Nhdr){ 4, 8, NT_GNU_BUILD_ID };
	memcpy(im->note.name, "GNU", 4);
	memcpy(im->note.desc, "\1\2\3\4\xab\xcd\xef\xff", 8);
	memcpy(im->names, "\0.names\0.packed", 16);
	im->sh[1] = (Elf64_Shdr){ .sh_name = 1,
				  .sh_type = SHT_STRTAB,
				  .sh_offset = offsetof(struct image, names),
				  .sh_size = 16 };
	compress(im->packed.bytes, &packed, (const Bytef *)text, strlen(text));
	im->packed.head = (Elf64_Chdr){ .ch_type = ELFCOMPRESS_ZLIB, .ch_size = strlen(text) };
	im->sh[2] = (Elf64_Shdr){ .sh_name = 8,
				  .sh_type = SHT_PROGBITS,
				  .sh_flags = SHF_COMPRESSED,
				  .sh_offset = offsetof(struct image, packed),
				  .sh_size = sizeof(im->packed.head) + packed };
}

TEST(elf_compressed_section_is_inflated_and_held_to_its_limit)
{
	const char *text = "to be, or not to be, or to be, or not to be";
	struct elf_file *file;
	struct error err;
	struct image im;
	uint8_t *bytes;
	size_t size;

	make_image(&im, text);
	CHECK_EQ(elf_open_image(&file, &im, sizeof(im), &err), 0);
	CHECK_STR(file->build_id, "01020304abcdefff");
	CHECK_EQ(file->build_id_vaddr, 0x10000 + offsetof(struct image, note.desc));
	bytes = elf_section(file, ".packed", 1000, &size, NULL);
	CHECK(bytes && size == strlen(text) && memcmp(bytes, text, size) == 0);
	free(bytes);
	CHECK(!elf_section(file, ".packed", strlen(text) - 1, &size, NULL));
	im.packed.head.ch_size++;
	CHECK(!elf_section(file, ".packed", 1000, &size, NULL));
	im.packed.head.ch_size = UINT64_MAX;
	CHECK(!elf_section(file, ".packed", 1 << 30, &size, NULL));
	elf_close(file);
}

TEST(elf_reads_never_leave_the_segment_or_the_file)
{
	struct elf_file *file;
	struct error err;
	struct image im;
	uint8_t buf[16];
	uint64_t bias;

	make_image(&im, "x");
	CHECK_EQ(elf_open_image(&file, &im, sizeof(im), &err), 0);
	CHECK_EQ(elf_read_vaddr(file, 0x10000, buf, 16), 0);
	CHECK(memcmp(buf, &im, 16) == 0);
	CHECK(elf_read_vaddr(file, 0xffff, buf, 1) < 0);
	CHECK(elf_read_vaddr(file, 0x10000 + sizeof(im) - 8, buf, 9) < 0);
	CHECK(elf_pread(file, sizeof(im) - 8, buf, 9) < 0);
	CHECK(elf_pread(file, UINT64_MAX, buf, 9) < 0);
	CHECK(elf_bias_of_mapping(file, 0x7000000, 0, true, &bias));
	CHECK_EQ(bias, 0x7000000 - 0x10000);
	CHECK(!elf_bias_of_mapping(file, 0x7000000, 0x1000, true, &bias));
	elf_close(file);
}

TEST(elf_bias_follows_the_executable_one_of_two_segments_in_a_page)
{
	/* As lld lays them out: both begin in file page 0, at different vaddrs. */
	struct elf_file file = {
		.fd = -1,
		.n_segments = 2,
		.segments = { { 0x200000, 0, 0x5f0, false }, { 0x2015f0, 0x5f0, 0x2000, true } },
	};
	uint64_t bias;

	CHECK(elf_bias_of_mapping(&file, 0x201000, 0, true, &bias));
	CHECK_EQ(bias, 0);
	CHECK(elf_bias_of_mapping(&file, 0x200000, 0, false, &bias));
	CHECK_EQ(bias, 0);
	CHECK(elf_bias_of_mapping(&file, 0x202000, 0x1000, true, &bias));
	CHECK_EQ(bias, 0);
}

TEST(elf_every_truncation_is_refused_or_read_within_bounds)
{
	struct image im;

	make_image(&im, "truncated");
	for (size_t size = 0; size <= sizeof(im); size++) {
		uint8_t *copy = xcalloc(1, size + 1), *bytes;
		struct elf_file *file;
		struct error err;
		size_t n;

		memcpy(copy, &im, size);
		copy = xrealloc(copy, size ? size : 1, 1);
		if (elf_open_image(&file, copy, size, &err) == 0) {
			bytes = elf_section(file, ".packed", 1000, &n, NULL);
			CHECK(!bytes || n == 9);
			free(bytes);
			elf_close(file);
		}
		free(copy);
	}
}
