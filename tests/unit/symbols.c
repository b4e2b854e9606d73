#include "sampler/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/arena.h"
#include "sampler/debug_file.h"
#include "sampler/symbol_table.h"
#include "tests/test.h"

/* fixtures/elf/CMakeLists.txt builds one program in several forms: "", ".stripped", ".mini"... */
static struct elf_file *open_form(const char *form)
{
	struct elf_file *file = NULL;
	struct error err;
	char path[512];

	snprintf(path, sizeof(path), LAGPROF_BINARY_DIR "/fixtures/elf/names%s", form);
	if (elf_open(&file, open(path, O_RDONLY | O_CLOEXEC), &err) < 0)
		test_fail(__FILE__, __LINE__, "%s: %s", path, err.msg);
	return file;
}

/* Where the whole program has a symbol. */
static uint64_t address_of(const char *name)
{
	struct elf_file *file = open_form("");
	struct symbol symbol = { 0 };

	if (!symbols_find(file, name, &symbol))
		test_fail(__FILE__, __LINE__, "no symbol %s", name);
	elf_close(file);
	return symbol.start;
}

/* "" if there is none. */
static const char *name_at(struct elf_file *file, uint64_t vaddr)
{
	struct symbol symbol;

	return symbols_lookup(file, vaddr, &symbol) ? symbol.name : "";
}

TEST(symbols_of_a_whole_program_are_found_by_address)
{
	struct elf_file *file = open_form("");
	struct symbol symbol;

	CHECK(symbols_lookup(file, address_of("names_local") + 1, &symbol));
	CHECK_STR(symbol.name, "names_local");
	CHECK_EQ(symbol.start, address_of("names_local"));
	CHECK(symbol.end > symbol.start);
	CHECK_STR(name_at(file, symbol.end - 1), "names_local");
	elf_close(file);
}

TEST(symbols_give_the_name_that_people_use)
{
	struct elf_file *file = open_form("");

	/* not __names, which is shorter and global too, nor names_a, which is local */
	CHECK_STR(name_at(file, address_of("__names")), "names_global");
	elf_close(file);
}

TEST(symbols_end_where_their_size_says)
{
	struct elf_file *file = open_form("");

	CHECK_STR(name_at(file, address_of("names_sized_asm") + 2), "names_sized_asm");
	CHECK_STR(name_at(file, address_of("names_sized_asm") + 3), "");
	CHECK_STR(name_at(file, address_of("names_sized_asm") + 256), "");
	CHECK_STR(name_at(file, 0), "");
	CHECK_STR(name_at(file, UINT64_MAX), "");
	elf_close(file);
}

TEST(symbols_without_size_reach_to_the_next_symbol)
{
	struct elf_file *file = open_form("");
	uint64_t hidden = address_of("names_hidden_asm");

	CHECK_STR(name_at(file, address_of("names_bare_asm")), "names_bare_asm");
	CHECK_STR(name_at(file, hidden - 1), "names_bare_asm");
	CHECK_STR(name_at(file, hidden), "names_hidden_asm");
	CHECK_STR(name_at(file, hidden + 1), "");
	elf_close(file);
}

TEST(symbols_without_size_inside_a_function_are_its_labels)
{
	struct elf_file *file = open_form("");

	CHECK_STR(name_at(file, address_of("names_bare_label")), "names_sized_asm");
	CHECK_STR(name_at(file, address_of("names_in_inner")), "names_inlined");
	elf_close(file);
}

TEST(symbols_without_size_do_not_swallow_stripped_code)
{
	struct elf_file *file = open_form(".stripped");

	CHECK_STR(name_at(file, address_of("names_bare_asm")), "names_bare_asm");
	CHECK_STR(name_at(file, address_of("names_hidden_asm")), "");
	CHECK_STR(name_at(file, address_of("names_local")), "");
	CHECK_STR(name_at(file, address_of("names_global") + 4), "names_global");
	elf_close(file);
}

TEST(symbols_of_a_stripped_program_come_from_its_gnu_debugdata)
{
	struct elf_file *file = open_form(".mini");

	CHECK_STR(name_at(file, address_of("names_local")), "names_local");
	CHECK_STR(name_at(file, address_of("names_hidden_asm")), "names_hidden_asm");
	CHECK_STR(name_at(file, address_of("names_global") + 4), "names_global");
	elf_close(file);
}

TEST(symbols_of_a_stripped_program_come_from_the_file_that_its_debuglink_names)
{
	struct elf_file *file = open_form(".linked");

	symbols_set_origin(file, -1, LAGPROF_BINARY_DIR "/fixtures/elf/names.linked");
	CHECK_STR(name_at(file, address_of("names_local")), "names_local");
	elf_close(file);
}

TEST(symbols_of_a_debuglink_with_another_checksum_are_not_believed)
{
	struct elf_file *file = open_form(".linked");
	char command[1024], path[512];

	snprintf(command, sizeof(command),
		 "cd %s && cp %s/fixtures/elf/names.linked . && "
		 "cp %s/fixtures/elf/names.debug . && printf x >> names.debug",
		 test_tmpdir(), LAGPROF_BINARY_DIR, LAGPROF_BINARY_DIR);
	CHECK_EQ(system(command), 0);
	snprintf(path, sizeof(path), "%s/names.linked", test_tmpdir());
	symbols_set_origin(file, -1, path);
	CHECK_STR(name_at(file, address_of("names_local")), "");
	elf_close(file);
}

/* A child whose root is a folder of ours; -1 if we may not make one. */
static pid_t child_in(const char *root)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	if (pipe(ready) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		if (chroot(root) == 0 && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(ready[0]);
	return pid;
}

/* Makes a file another's by one bit of its build-id. */
static void spoil_build_id(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	static char bytes[1 << 16];
	ssize_t n = read(fd, bytes, sizeof(bytes));
	char *note = memmem(bytes, n > 0 ? (size_t)n : 0, "\x14\0\0\0\3\0\0\0GNU", 12);

	CHECK(note && n < (ssize_t)sizeof(bytes));
	if (note) {
		note[12] ^= 1;
		CHECK_EQ(pwrite(fd, bytes, (size_t)n, 0), n);
	}
	close(fd);
}

/* The name of names_local() by a debug file that lies where its build-id says in a target's root.
 */
static void check_debug_file(bool foreign, const char *expected)
{
	struct elf_file *file = open_form(".stripped");
	char folder[256], command[1024], path[64];
	pid_t pid;
	int proc;

	snprintf(folder, sizeof(folder), "%s/root/usr/lib/debug/.build-id/%.2s", test_tmpdir(),
		 file->build_id);
	snprintf(command, sizeof(command),
		 "mkdir -p %s && cp " LAGPROF_BINARY_DIR "/fixtures/elf/names.debug %s/%s.debug",
		 folder, folder, file->build_id + 2);
	CHECK_EQ(system(command), 0);
	if (foreign) {
		snprintf(command, sizeof(command), "%s/%s.debug", folder, file->build_id + 2);
		spoil_build_id(command);
	}
	snprintf(folder, sizeof(folder), "%s/root", test_tmpdir());
	pid = child_in(folder);
	if (pid > 0) {
		snprintf(path, sizeof(path), "/proc/%d", pid);
		proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		symbols_set_origin(file, proc, "/usr/bin/names");
		CHECK_STR(name_at(file, address_of("names_local")), expected);
		close(proc);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	elf_close(file);
}

TEST(symbols_of_a_stripped_program_come_from_the_debug_file_in_its_root)
{
	check_debug_file(false, "names_local");
}

TEST(symbols_of_a_debug_file_with_another_build_id_are_not_believed)
{
	check_debug_file(true, "");
}

TEST(symbols_are_found_by_name_whatever_they_are)
{
	struct elf_file *file = open_form("");
	struct symbol symbol;

	CHECK(symbols_find(file, "names_data", &symbol));
	CHECK_EQ(symbol.end - symbol.start, 4);
	CHECK(symbols_find(file, "names_a", &symbol));
	CHECK(symbols_find(file, "names_bare_label", &symbol));
	CHECK(!symbols_find(file, "names_", &symbol));
	CHECK(!symbols_find(file, "", &symbol));
	elf_close(file);
}

static void join(void *arg, const struct symbol *sym)
{
	strbuf_printf(arg, "%s ", sym->name);
}

TEST(symbols_are_listed_by_prefix_in_order_of_name)
{
	struct elf_file *file = open_form(".stripped");
	struct strbuf names = { 0 };

	symbols_each(file, "names_b", join, &names);
	CHECK_STR(names.s, "names_bare_asm names_bare_label ");
	strbuf_destroy(&names);
	elf_close(file);
}

TEST(symbols_of_libc_have_their_public_names_without_version)
{
	struct elf_file *file;
	struct symbol symbol;
	struct error err;
	int fd = open("/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || elf_open(&file, fd, &err) < 0)
		return;
	CHECK(symbols_find(file, "epoll_wait", &symbol));
	CHECK_STR(name_at(file, symbol.start + 3), "epoll_wait");
	CHECK(symbols_find(file, "malloc", &symbol));
	CHECK_STR(name_at(file, symbol.start + 3), "malloc");
	CHECK(symbols_find(file, "read", &symbol));
	CHECK_STR(name_at(file, symbol.start + 3), "read");
	elf_close(file);
}

/* A file of one page of code with the given symbols, in memory. */
struct elf_image {
	Elf64_Ehdr eh;
	Elf64_Phdr load;
	Elf64_Shdr sections[4]; /* none, .text, .symtab, .strtab */
	Elf64_Sym symbols[8];
	char strings[64];
};

static void image_make(struct elf_image *im, const Elf64_Sym *symbols, size_t n,
		       const char *strings)
{
	*im = (struct elf_image){
		.eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
			.e_phoff = offsetof(struct elf_image, load), .e_phnum = 1,
			.e_phentsize = sizeof(Elf64_Phdr), .e_shnum = 4,
			.e_shoff = offsetof(struct elf_image, sections),
			.e_shentsize = sizeof(Elf64_Shdr), .e_ehsize = sizeof(Elf64_Ehdr) },
		.load = { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x1000,
			  .p_filesz = sizeof(*im), .p_memsz = 0x1000 },
		.sections = {
			[1] = { .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
				.sh_addr = 0x1000, .sh_size = 0x1000 },
			[2] = { .sh_type = SHT_SYMTAB, .sh_link = 3, .sh_entsize = sizeof(Elf64_Sym),
				.sh_offset = offsetof(struct elf_image, symbols),
				.sh_size = n * sizeof(Elf64_Sym) },
			[3] = { .sh_type = SHT_STRTAB, .sh_size = sizeof(im->strings),
				.sh_offset = offsetof(struct elf_image, strings) },
		},
	};
	memcpy(im->symbols, symbols, n * sizeof(*symbols));
	memcpy(im->strings, strings, sizeof(im->strings));
}

#define FUNCTION(offset, from, size)                                                       \
	{                                                                                  \
		.st_name = (offset), .st_value = (from), .st_size = (size), .st_shndx = 1, \
		.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC)                             \
	}

static const char strings[64] = "\0outer\0inner\0late\0unterminated@v1";

TEST(symbols_nested_in_others_are_the_innermost)
{
	const Elf64_Sym symbols[] = { FUNCTION(1, 0x1000, 0x100), FUNCTION(7, 0x1020, 0x10),
				      FUNCTION(13, 0x1040, 0x200) };
	struct elf_file *file;
	struct error err;
	struct elf_image im;

	image_make(&im, symbols, 3, strings);
	CHECK_EQ(elf_open_image(&file, &im, sizeof(im), &err), 0);
	CHECK_STR(name_at(file, 0x1000), "outer");
	CHECK_STR(name_at(file, 0x102f), "inner");
	CHECK_STR(name_at(file, 0x1030), "outer");
	CHECK_STR(name_at(file, 0x1040), "late");
	CHECK_STR(name_at(file, 0x123f), "late");
	CHECK_STR(name_at(file, 0x1240), "");
	elf_close(file);
}

TEST(symbols_without_size_end_where_the_next_begins)
{
	const Elf64_Sym symbols[] = { FUNCTION(1, 0x1000, 0), FUNCTION(7, 0x1020, 0) };
	struct elf_file *file;
	struct symbol symbol;
	struct error err;
	struct elf_image im;

	image_make(&im, symbols, 2, strings);
	CHECK_EQ(elf_open_image(&file, &im, sizeof(im), &err), 0);
	CHECK(symbols_lookup(file, 0x101f, &symbol));
	CHECK_STR(symbol.name, "outer");
	CHECK_EQ(symbol.end, 0x1020);
	CHECK(symbols_lookup(file, 0x1fff, &symbol)); /* the last byte of .text */
	CHECK_EQ(symbol.end, 0x2000);
	CHECK_STR(name_at(file, 0x2000), "");
	elf_close(file);
}

TEST(symbols_that_lie_are_left_out)
{
	const Elf64_Sym symbols[] = {
		FUNCTION(1, 0x1000, UINT64_MAX), /* beyond every address */
		FUNCTION(63, 0x1010, 4),         /* no name */
		FUNCTION(100, 0x1020, 4),        /* name past the strings */
		FUNCTION(UINT32_MAX, 0x1030, 4),
		FUNCTION(18, UINT64_MAX - 8, 16), /* wraps */
		FUNCTION(18, 0, 16),              /* below the program */
		FUNCTION(18, 0x1040, 4),
	};
	struct elf_file *file;
	struct symbol symbol;
	struct error err;
	struct elf_image im;

	image_make(&im, symbols, 7, strings);
	CHECK_EQ(elf_open_image(&file, &im, sizeof(im), &err), 0);
	CHECK_STR(name_at(file, 0x1001), "outer");
	CHECK_STR(name_at(file, 0x1010), "");
	CHECK_STR(name_at(file, 0x1020), "");
	CHECK_STR(name_at(file, 0x1040), "unterminated");
	CHECK_STR(name_at(file, UINT64_MAX - 4), "");
	CHECK(symbols_find(file, "unterminated", &symbol));
	elf_close(file);
}

TEST(symbols_names_are_read_across_the_pieces_of_the_table)
{
	struct elf_file *file;
	struct error err;
	struct symbol symbol;
	size_t size = sizeof(struct elf_image) + (64 << 10);
	struct elf_image *im = xcalloc(1, size);
	char *table = (char *)(im + 1), name[300];
	Elf64_Sym symbols[] = { FUNCTION(4000, 0x1000, 4), FUNCTION(4096, 0x1010, 4),
				FUNCTION(8190, 0x1020, 4) };

	image_make(im, symbols, 3, strings);
	im->sections[3].sh_offset = sizeof(*im);
	im->sections[3].sh_size = 64 << 10;
	memset(table + 4000, 'a', 299);
	memset(table + 8190, 'b', 1);
	memset(name, 'a', 299);
	name[299] = '\0';
	CHECK_EQ(elf_open_image(&file, im, size, &err), 0);
	CHECK_STR(name_at(file, 0x1000), name);
	CHECK_STR(name_at(file, 0x1010), name + 96);
	CHECK_STR(name_at(file, 0x1020), "b");
	CHECK(symbols_find(file, name, &symbol));
	CHECK_EQ(symbol.start, 0x1000);
	elf_close(file);
	free(im);
}

/* The kernel's own list is the truth: skipped where it hides its addresses. */
TEST(symbols_of_the_kernel_are_found_by_address)
{
	struct kernel_symbols *ks = kernel_symbols_load();
	FILE *f = fopen("/proc/kallsyms", "r");
	unsigned long addr = 0;
	char name[128] = "", type;

	while (f && strcmp(name, "__x64_sys_read") != 0 &&
	       fscanf(f, "%lx %c %127s%*[^\n]", &addr, &type, name) == 3)
		;
	if (addr && strcmp(name, "__x64_sys_read") == 0) {
		CHECK_STR(kernel_symbols_lookup(ks, addr), "__x64_sys_read");
		CHECK_STR(kernel_symbols_lookup(ks, addr + 4), "__x64_sys_read");
	}
	CHECK(kernel_symbols_lookup(ks, 0x1000) == NULL);
	CHECK(kernel_symbols_lookup(ks, UINT64_MAX) == NULL);
	kernel_symbols_free(ks);
	if (f)
		fclose(f);
}
