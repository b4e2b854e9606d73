#include "sampler/call_path.h"

#include <errno.h>
#include <sys/syscall.h>

#include "sampler/code.h"

/* DWARF numbers of the registers that hold the arguments of a system call. */
enum { FIRST = 5, SECOND = 4, THIRD = 1 };

static const struct path_call {
	int number;
	unsigned reg;       /* that points to the name; of two names, to that which exists */
	const char *kernel; /* __x64_sys_… */
} path_calls[] = {
	/* clang-format off */
	{ SYS_open, FIRST, "open" },               { SYS_openat, SECOND, "openat" },
	{ SYS_openat2, SECOND, "openat2" },        { SYS_creat, FIRST, "creat" },
	{ SYS_stat, FIRST, "newstat" },            { SYS_lstat, FIRST, "newlstat" },
	{ SYS_newfstatat, SECOND, "newfstatat" },  { SYS_statx, SECOND, "statx" },
	{ SYS_statfs, FIRST, "statfs" },           { SYS_access, FIRST, "access" },
	{ SYS_faccessat, SECOND, "faccessat" },    { SYS_faccessat2, SECOND, "faccessat2" },
	{ SYS_readlink, FIRST, "readlink" },       { SYS_readlinkat, SECOND, "readlinkat" },
	{ SYS_unlink, FIRST, "unlink" },           { SYS_unlinkat, SECOND, "unlinkat" },
	{ SYS_rmdir, FIRST, "rmdir" },             { SYS_mkdir, FIRST, "mkdir" },
	{ SYS_mkdirat, SECOND, "mkdirat" },        { SYS_rename, FIRST, "rename" },
	{ SYS_renameat, SECOND, "renameat" },      { SYS_renameat2, SECOND, "renameat2" },
	{ SYS_link, FIRST, "link" },               { SYS_linkat, SECOND, "linkat" },
	{ SYS_symlink, SECOND, "symlink" },        { SYS_symlinkat, THIRD, "symlinkat" },
	{ SYS_mknod, FIRST, "mknod" },             { SYS_mknodat, SECOND, "mknodat" },
	{ SYS_chmod, FIRST, "chmod" },             { SYS_fchmodat, SECOND, "fchmodat" },
	{ SYS_chown, FIRST, "chown" },             { SYS_lchown, FIRST, "lchown" },
	{ SYS_fchownat, SECOND, "fchownat" },      { SYS_truncate, FIRST, "truncate" },
	{ SYS_utime, FIRST, "utime" },             { SYS_utimes, FIRST, "utimes" },
	{ SYS_futimesat, SECOND, "futimesat" },    { SYS_utimensat, SECOND, "utimensat" },
	{ SYS_setxattr, FIRST, "setxattr" },       { SYS_lsetxattr, FIRST, "lsetxattr" },
	{ SYS_getxattr, FIRST, "getxattr" },       { SYS_lgetxattr, FIRST, "lgetxattr" },
	{ SYS_listxattr, FIRST, "listxattr" },     { SYS_llistxattr, FIRST, "llistxattr" },
	{ SYS_removexattr, FIRST, "removexattr" }, { SYS_lremovexattr, FIRST, "lremovexattr" },
	{ SYS_chdir, FIRST, "chdir" },
	/* clang-format on */
};

static const struct path_call *find_kernel(const char *function)
{
	static const char prefix[] = "__x64_sys_";

	if (!function || strncmp(function, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof(path_calls) / sizeof(path_calls[0]); i++)
		if (strcmp(function + sizeof(prefix) - 1, path_calls[i].kernel) == 0)
			return &path_calls[i];
	return NULL;
}

/*
 * While the kernel is in a call, rax as it keeps it holds an error, and the wrapper has just
 * loaded the number: mov $number,%eax; syscall.
 */
static const struct path_call *find_by_code(struct space *space, struct memory *mem,
					    const struct regs *regs)
{
	enum { LOAD = 0xb8, SYSCALL_0 = 0x0f, SYSCALL_1 = 0x05 };
	uint8_t code[7];
	int32_t number;

	if ((int64_t)regs->r[DW_RAX] != -ENOSYS ||
	    code_read(space, mem, regs->r[DW_RIP] - sizeof(code), code, sizeof(code)) < 0 ||
	    code[0] != LOAD || code[5] != SYSCALL_0 || code[6] != SYSCALL_1)
		return NULL;
	memcpy(&number, code + 1, sizeof(number));
	for (size_t i = 0; i < sizeof(path_calls) / sizeof(path_calls[0]); i++)
		if (path_calls[i].number == number)
			return &path_calls[i];
	return NULL;
}

static bool is_sure(struct space *space, const struct memory *mem, uint64_t addr, size_t len)
{
	const struct mapping *m = space_find(space, addr);
	uint64_t offset = addr - mem->window_addr;

	if (offset < mem->window_len)
		return len < mem->window_len - offset;
	return m && m->ino && !m->anon && !m->write && len < m->end - addr;
}

bool call_path_is_call(const char *kernel)
{
	return find_kernel(kernel) != NULL;
}

bool call_path_read(struct space *space, struct memory *mem, const struct regs *regs,
		    const char *kernel, struct call_path *out)
{
	const struct path_call *call =
		kernel ? find_kernel(kernel) : find_by_code(space, mem, regs);
	ssize_t len;

	if (!call || !(regs->valid >> call->reg & 1))
		return false;
	len = memory_read_string(mem, regs->r[call->reg], out->text, sizeof(out->text));
	out->sure = len > 0 && is_sure(space, mem, regs->r[call->reg], (size_t)len);
	return len > 0;
}
