#include "sampler/shim/preloadable.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { MAX_INTERPRETERS = 5, HEAD = 4096 };

/* The first executable of that name in $PATH, as execvp() finds it. */
static bool find_in_path(const char *name, char *out, size_t size)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/')) {
		snprintf(out, size, "%s", name);
		return true;
	}
	if (!path)
		path = "/bin:/usr/bin";
	for (;;) {
		size_t len = strcspn(path, ":");

		snprintf(out, size, "%.*s%s%s", (int)len, path, len ? "/" : "", name);
		if (access(out, X_OK) == 0)
			return true;
		if (!path[len])
			return false;
		path += len + 1;
	}
}

static int refuse(const char *path, const char *why, struct error *err)
{
	error_set(err, -ENOTSUP, "no library can be preloaded into %s: it is %s", path, why);
	return error_fix(err, "lagprof run --probe proc");
}

static bool has_interpreter(const uint8_t *head, size_t n, const Elf64_Ehdr *header)
{
	Elf64_Phdr program;

	for (size_t i = 0; i < header->e_phnum; i++) {
		size_t at = header->e_phoff + i * sizeof(program);

		if (at > n || sizeof(program) > n - at)
			return false;
		memcpy(&program, head + at, sizeof(program));
		if (program.p_type == PT_INTERP)
			return true;
	}
	return false;
}

static int check_elf(const char *path, const uint8_t *head, size_t n, struct error *err)
{
	Elf64_Ehdr header;

	if (n < sizeof(header) || head[EI_CLASS] != ELFCLASS64)
		return refuse(path, "not a program for x86-64", err);
	memcpy(&header, head, sizeof(header));
	if (header.e_machine != EM_X86_64)
		return refuse(path, "not a program for x86-64", err);
	return has_interpreter(head, n, &header) ? 0 : refuse(path, "statically linked", err);
}

/* "#!/usr/bin/env node": the interpreter alone decides, what it runs is preloaded by it. */
static bool parse_script(char *head, char *interpreter, size_t size)
{
	char *name = head + 2, *end;

	name += strspn(name, " \t");
	end = name + strcspn(name, " \t\r\n");
	*end = '\0';
	snprintf(interpreter, size, "%s", name);
	return *name != '\0';
}

static bool changes_user(int fd)
{
	struct stat st;

	return (fstat(fd, &st) == 0 && st.st_mode & (S_ISUID | S_ISGID)) ||
	       fgetxattr(fd, "security.capability", NULL, 0) > 0;
}

int preloadable_check(const char *name, struct error *err)
{
	char path[PATH_MAX], next[PATH_MAX];
	char head[HEAD + 1];

	if (!find_in_path(name, path, sizeof(path)))
		return 0;
	for (int i = 0; i < MAX_INTERPRETERS; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		ssize_t n = fd >= 0 ? read(fd, head, HEAD) : -1;
		bool changes = fd >= 0 && changes_user(fd);

		if (fd >= 0)
			close(fd);
		if (changes)
			return refuse(path, "run with another user's rights", err);
		if (n < EI_NIDENT)
			return 0;
		head[n] = '\0';
		if (memcmp(head, ELFMAG, SELFMAG) == 0)
			return check_elf(path, (uint8_t *)head, (size_t)n, err);
		if (memcmp(head, "#!", 2) != 0 || !parse_script(head, next, sizeof(next)))
			return 0;
		memcpy(path, next, sizeof(path));
	}
	return 0;
}
