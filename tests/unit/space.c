#include "sampler/space.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/arena.h"
#include "sampler/maps.h"
#include "tests/test.h"

TEST(maps_line_gives_every_field)
{
	char line[] =
		"7f0000001000-7f0000003000 r-xp 0001f000 fe:01 1234   /usr/lib/a b.so (deleted)";
	char anon[] = "3fe000-3ff000 rw-p 00000000 00:00 0";
	char vdso[] = "7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0     [vdso]";
	struct mapping m;

	CHECK(maps_parse_line(line, &m));
	CHECK_EQ(m.start, 0x7f0000001000);
	CHECK_EQ(m.end, 0x7f0000003000);
	CHECK_EQ(m.offset, 0x1f000);
	CHECK_EQ(m.dev_major, 0xfe);
	CHECK_EQ(m.dev_minor, 1);
	CHECK_EQ(m.ino, 1234);
	CHECK(m.exec && !m.write && !m.anon && m.deleted);
	CHECK_STR(m.path, "/usr/lib/a b.so");
	CHECK(maps_parse_line(anon, &m));
	CHECK(!m.exec && m.write && m.anon);
	CHECK_STR(m.path, "");
	CHECK(maps_parse_line(vdso, &m));
	CHECK_STR(m.path, "[vdso]");
}

TEST(maps_line_that_is_none_is_refused)
{
	static const char *const lines[] = { "",
					     "x",
					     "1000-2000",
					     "2000-1000 r-xp 0 0:0 0 /x",
					     "1000-2000 r-xp zz 0:0 0",
					     "1000-2000 r 0 0:0 0 /x" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *line = xstrdup(lines[i]);
		struct mapping m;

		CHECK(!maps_parse_line(line, &m));
		free(line);
	}
}

static void check_space(struct space *space, const char *want)
{
	const struct mapping *m;
	char got[500] = "";
	size_t n;

	m = space_mappings(space, &n);
	for (size_t i = 0; i < n; i++)
		sprintf(got + strlen(got), "%s%llx-%llx+%llx%s", i ? " " : "",
			(unsigned long long)m[i].start, (unsigned long long)m[i].end,
			(unsigned long long)m[i].offset, m[i].path);
	CHECK_STR(got, want);
}

TEST(space_new_mapping_cuts_out_what_it_overlaps)
{
	struct space *space = space_new(0);
	uint64_t before = space_generation(space);

	space_add(space, &(struct mapping){ .start = 0x5000, .end = 0x9000, .path = "a" });
	space_add(space, &(struct mapping){ .start = 0x1000, .end = 0x2000, .path = "b" });
	check_space(space, "1000-2000+0b 5000-9000+0a");
	space_add(space, &(struct mapping){ .start = 0x6000, .end = 0x7000, .path = "c" });
	check_space(space, "1000-2000+0b 5000-6000+0a 6000-7000+0c 7000-9000+2000a");
	space_add(space, &(struct mapping){ .start = 0x1800, .end = 0x8000, .path = "d" });
	check_space(space, "1000-1800+0b 1800-8000+0d 8000-9000+3000a");
	CHECK(!space_find(space, 0xfff));
	CHECK_STR(space_find(space, 0x17ff)->path, "b");
	CHECK_STR(space_find(space, 0x1800)->path, "d");
	CHECK(!space_find(space, 0x9000));
	CHECK(space_generation(space) > before);
	before = space_generation(space);
	space_reset(space);
	check_space(space, "");
	CHECK(space_generation(space) > before);
	space_free(space);
}

TEST(space_mapping_that_is_part_of_a_known_one_changes_nothing)
{
	struct space *space = space_new(0);
	struct mapping jit = {
		.start = 0x1000, .end = 0x9000, .exec = true, .anon = true, .path = ""
	};
	struct mapping file = {
		.start = 0x20000, .end = 0x30000, .exec = true, .ino = 7, .path = "f"
	};
	uint64_t generation;

	space_add(space, &jit);
	space_add(space, &file);
	generation = space_generation(space);
	jit.start = 0x3000;
	jit.write = true;
	space_add(space, &jit);
	file.start = 0x21000;
	file.offset = 0x1000;
	space_add(space, &file);
	CHECK_EQ(space_generation(space), generation);
	check_space(space, "1000-9000+0 20000-30000+0f");
	file.offset = 0x2000;
	space_add(space, &file);
	CHECK(space_generation(space) > generation);
	check_space(space, "1000-9000+0 20000-21000+0f 21000-30000+2000f");
	jit.exec = false;
	space_add(space, &jit);
	check_space(space, "1000-3000+0 3000-9000+0 20000-21000+0f 21000-30000+2000f");
	space_free(space);
}

/* The file behind addr of process pid holds the bytes that are at `code` in this one. */
static bool file_holds(struct space *space, uint64_t addr, const void *code)
{
	struct mapping *m = space_find(space, addr);
	struct elf_file *file = m ? space_file(space, m) : NULL;
	uint8_t bytes[32];

	return file && elf_read_vaddr(file, addr - m->bias, bytes, sizeof(bytes)) == 0 &&
	       memcmp(bytes, code, sizeof(bytes)) == 0;
}

TEST(space_of_this_process_has_its_files_and_the_vdso)
{
	struct space *space = space_new(getpid());
	struct error err;
	const struct mapping *all;
	struct elf_file *file;
	bool vdso = false;
	size_t n;

	CHECK_EQ(space_refresh(space, &err), 0);
	CHECK(file_holds(space, (uintptr_t)file_holds, file_holds));
	CHECK(file_holds(space, (uintptr_t)strtol, strtol));
	all = space_mappings(space, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].path, "[vdso]") == 0)
			vdso = file_holds(space, all[i].start, (void *)(uintptr_t)all[i].start);
	CHECK(vdso);
	file = space_file(space, space_find(space, (uintptr_t)file_holds));
	CHECK_EQ(space_refresh(space, &err), 0);
	CHECK(space_file(space, space_find(space, (uintptr_t)file_holds)) == file);
	space_free(space);
}

TEST(space_generation_grows_only_when_code_is_mapped)
{
	struct space *space = space_new(getpid());
	struct error err;
	uint64_t generation;
	void *data, *code;

	CHECK_EQ(space_refresh(space, &err), 0);
	generation = space_generation(space);
	data = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ(space_refresh(space, &err), 0);
	CHECK_EQ(space_generation(space), generation);
	CHECK(space_find(space, (uintptr_t)data) != NULL);
	code = mmap(NULL, 1 << 20, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ(space_refresh(space, &err), 0);
	CHECK(space_generation(space) > generation);
	CHECK(!space_file(space, space_find(space, (uintptr_t)code)));
	munmap(data, 1 << 20);
	munmap(code, 1 << 20);
	space_free(space);
}

TEST(space_of_a_dead_process_says_so)
{
	pid_t pid = fork();
	struct space *space;
	struct error err;

	if (pid == 0)
		_exit(0);
	space = space_new(pid);
	waitpid(pid, NULL, 0);
	CHECK(space_refresh(space, &err) < 0);
	CHECK(strstr(err.msg, "maps") != NULL);
	space_free(space);
}

static void copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	struct stat st;

	fstat(in, &st);
	while (sendfile(out, in, NULL, (size_t)st.st_size) > 0)
		;
	close(in);
	close(out);
}

/* Starts a copy of sleep(1) at path, in its own mount namespace with `over` hidden if not NULL. */
static pid_t start_copy(const char *path, const char *over)
{
	char exe[64], link[512] = "";
	pid_t pid;

	copy_file("/bin/sleep", path);
	pid = fork();
	if (pid == 0) {
		if (over && (unshare(CLONE_NEWNS) < 0 ||
			     mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
			     mount("none", over, "tmpfs", 0, NULL) < 0))
			_exit(1);
		if (over)
			copy_file("/bin/sleep", path);
		execl(path, path, "30", NULL);
		_exit(1);
	}
	snprintf(exe, sizeof(exe), "/proc/%d/exe", pid);
	for (int i = 0; i < 1000 && strcmp(link, path) != 0; i++) {
		ssize_t n = readlink(exe, link, sizeof(link) - 1);

		link[n > 0 ? n : 0] = '\0';
		usleep(2000);
	}
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Its executable mapping at path, refreshed until the loader has come to it. */
static struct mapping *mapping_of(struct space *space, const char *path)
{
	const struct mapping *all;
	struct error err;
	size_t n;

	if (space_refresh(space, &err) < 0)
		return NULL;
	all = space_mappings(space, &n);
	for (size_t i = 0; i < n; i++)
		if (all[i].exec && strcmp(all[i].path, path) == 0)
			return space_find(space, all[i].start);
	return NULL;
}

TEST(space_opens_a_program_that_was_deleted_or_replaced)
{
	struct space *space;
	struct mapping *m;
	char path[200];
	struct stat st;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/deleted", test_tmpdir());
	pid = start_copy(path, NULL);
	stat(path, &st);
	unlink(path);
	copy_file("/bin/true", path);
	space = space_new(pid);
	m = mapping_of(space, path);
	CHECK(m && m->deleted);
	CHECK(m && space_file(space, m));
	CHECK(m && m->file && m->file->ino == st.st_ino);
	space_free(space);
	stop(pid);
}

/* Whether a process may have mounts of its own: not without rights, nor where / is no mount
 * (chroot). */
static bool may_mount(void)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWNS) < 0 ||
		      mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0);
	waitpid(pid, &status, 0);
	return status == 0;
}

TEST(space_opens_a_program_that_only_its_own_mount_namespace_has)
{
	struct space *space;
	struct mapping *m;
	char path[200];
	pid_t pid;

	if (!may_mount())
		return;
	snprintf(path, sizeof(path), "%s/hidden", test_tmpdir());
	pid = start_copy(path, test_tmpdir());
	space = space_new(pid);
	m = mapping_of(space, path);
	CHECK(m && space_file(space, m));
	space_free(space);
	stop(pid);
}

TEST(space_does_not_open_another_file_a_fifo_or_a_text)
{
	struct space *space = space_new(getpid());
	struct mapping m = { .start = 0x10000, .end = 0x20000, .exec = true };
	char other[200], fifo[200], text[200];
	const char *const paths[] = { other, fifo, text, "/dev/zero", "/proc/self/exe", "" };
	struct stat st;

	snprintf(other, sizeof(other), "%s/other", test_tmpdir());
	snprintf(fifo, sizeof(fifo), "%s/fifo", test_tmpdir());
	snprintf(text, sizeof(text), "%s/text", test_tmpdir());
	copy_file("/bin/true", other);
	mkfifo(fifo, 0600);
	copy_file("/etc/passwd", text);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		m.path = paths[i];
		m.ino = 1;
		if (paths[i] != other && stat(paths[i], &st) == 0 && paths[i] != paths[4]) {
			m.ino = st.st_ino;
			m.dev_major = major(st.st_dev);
			m.dev_minor = minor(st.st_dev);
		}
		space_add(space, &m);
		CHECK(!space_file(space, space_find(space, 0x10000)));
	}
	/* The same file with its right inode is opened: it is the inode that was refused. */
	stat(other, &st);
	m = (struct mapping){ .start = 0x10000,
			      .end = 0x20000,
			      .path = other,
			      .ino = st.st_ino,
			      .dev_major = major(st.st_dev),
			      .dev_minor = minor(st.st_dev) };
	space_add(space, &m);
	CHECK(space_file(space, space_find(space, 0x10000)) != NULL);
	space_free(space);
}

TEST(space_one_file_at_two_biases_is_opened_once)
{
	struct space *space = space_new(getpid());
	struct error err;
	uint64_t start;
	struct mapping *own, second;
	struct elf_file *file;

	CHECK_EQ(space_refresh(space, &err), 0);
	own = space_find(space, (uintptr_t)file_holds);
	file = space_file(space, own);
	second = *own;
	start = own->start;
	second.start = 0x10000;
	second.end = 0x10000 + (own->end - start);
	space_add(space, &second);
	CHECK(space_file(space, space_find(space, 0x10000)) == file);
	CHECK(file_holds(space, (uintptr_t)file_holds - start + 0x10000, file_holds));
	space_free(space);
}
