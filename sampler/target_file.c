#include "sampler/target_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/arena.h"

enum { MAX_VDSO = 64 << 10 };

/* All of them open with O_PATH: nothing is touched before it is known to be a regular file. */

static int open_map_files(int proc, const struct mapping *m)
{
	char name[64];

	snprintf(name, sizeof(name), "map_files/%" PRIx64 "-%" PRIx64, m->start, m->end);
	return openat(proc, name, O_PATH | O_CLOEXEC);
}

static int open_exe(int proc, const struct mapping *m)
{
	return openat(proc, "exe", O_PATH | O_CLOEXEC);
}

static int open_path_in_root(int proc, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | flags,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int root, fd;

	if (path[0] != '/')
		return -1;
	root = proc < 0 ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)
			: openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	close(root);
	return fd;
}

static int open_in_root(int proc, const struct mapping *m)
{
	return open_path_in_root(proc, m->path, 0);
}

/* A chroot in our own mount namespace: the kernel writes the path as we see it. */
static int open_own_path(int proc, const struct mapping *m)
{
	return m->path[0] == '/' ? open(m->path, O_PATH | O_CLOEXEC) : -1;
}

/* clang-format off */
static const struct way {
	int (*open)(int proc, const struct mapping *m);
	bool any_dev;  /* the kernel itself says that this is the file: the inode is enough */
	bool build_id; /* another inode is believed if its build-id is the one in memory */
} ways[] = {
	{ open_map_files, .any_dev = true, .build_id = true },
	{ open_exe, .build_id = true },
	{ open_in_root, .build_id = true },
	{ open_own_path },
};
/* clang-format on */

static int reopen_regular(int path_fd, struct stat *st)
{
	char name[32];

	if (fstat(path_fd, st) < 0 || !S_ISREG(st->st_mode))
		return -1;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", path_fd);
	return open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int target_open_path(int proc, const char *path, int flags)
{
	int path_fd = open_path_in_root(proc, path, flags & TARGET_NO_LINK ? O_NOFOLLOW : 0), fd;
	struct stat st;

	if (path_fd < 0)
		return -1;
	fd = reopen_regular(path_fd, &st);
	close(path_fd);
	return fd;
}

/* btrfs and overlayfs show other device and inode numbers in maps than stat(2) tells. */
static bool same_build_id(const struct process_memory *mem, const struct elf_file *file,
			  uint64_t bias)
{
	size_t len = strlen(file->build_id) / 2;
	uint8_t bytes[sizeof(file->build_id) / 2];
	char hex[sizeof(file->build_id)] = "";

	if (!file->build_id_vaddr || !process_read(mem, bias + file->build_id_vaddr, bytes, len))
		return false;
	for (size_t i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
	return strcmp(hex, file->build_id) == 0;
}

static bool same_inode(const struct way *way, const struct stat *st, const struct mapping *m)
{
	return st->st_ino == m->ino &&
	       (way->any_dev || st->st_dev == makedev(m->dev_major, m->dev_minor));
}

static struct elf_file *open_by(const struct way *way, const struct process_memory *mem, int proc,
				const struct mapping *m, uint64_t *bias)
{
	int path_fd = way->open(proc, m), fd;
	struct elf_file *file;
	struct error err;
	struct stat st;

	if (path_fd < 0)
		return NULL;
	fd = reopen_regular(path_fd, &st);
	close(path_fd);
	if (fd < 0)
		return NULL;
	if (!way->build_id && !same_inode(way, &st, m)) {
		close(fd);
		return NULL;
	}
	if (elf_open(&file, fd, &err) < 0)
		return NULL;
	if (elf_bias_of_mapping(file, m->start, m->offset, m->exec, bias) &&
	    (same_inode(way, &st, m) || same_build_id(mem, file, *bias)))
		return file;
	elf_close(file);
	return NULL;
}

struct elf_file *target_open_file(const struct process_memory *mem, int proc,
				  const struct mapping *m, uint64_t *bias)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct elf_file *file = open_by(&ways[i], mem, proc, m, bias);

		if (file)
			return file;
	}
	return NULL;
}

struct elf_file *target_open_vdso(const struct process_memory *mem, const struct mapping *m,
				  void **image, uint64_t *bias)
{
	uint64_t own = getauxval(AT_SYSINFO_EHDR); /* the same kernel, so the same image */
	struct process_memory ours = { getpid(), MEMORY_BY_PID };
	size_t size = m->end - m->start; /* ours may be shorter */
	struct elf_file *file = NULL;
	struct error err;

	if (size > MAX_VDSO)
		return NULL;
	*image = xcalloc(1, size);
	if ((process_read(mem, m->start, *image, size) || process_read(&ours, own, *image, size)) &&
	    elf_open_image(&file, *image, size, &err) == 0 &&
	    elf_bias_of_mapping(file, m->start, 0, m->exec, bias))
		return file;
	elf_close(file);
	free(*image);
	*image = NULL;
	return NULL;
}
