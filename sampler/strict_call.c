#include "sampler/strict_call.h"

#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { RDX = 1, RDI = 5, R10 = 10 }; /* by DWARF number */

const struct strict_syscall strict_syscalls[] = {
	/* clang-format off */
	{ SYS_open,            0, 0 },
	{ SYS_openat,          0, 0 },
	{ 437 /* openat2 */,   0, 0 },
	{ SYS_creat,           0, 0 },
	{ SYS_stat,            0, 0 },
	{ SYS_lstat,           0, 0 },
	{ SYS_newfstatat,      0, 0 },
	{ SYS_statx,           0, 0 },
	{ SYS_access,          0, 0 },
	{ SYS_faccessat,       0, 0 },
	{ 439 /* faccessat2 */, 0, 0 },
	{ SYS_readlink,        0, 0 },
	{ SYS_getdents64,      0, 0 },
	{ SYS_mkdir,           0, 0 },
	{ SYS_mkdirat,         0, 0 },
	{ SYS_rmdir,           0, 0 },
	{ SYS_unlink,          0, 0 },
	{ SYS_unlinkat,        0, 0 },
	{ SYS_rename,          0, 0 },
	{ SYS_renameat,        0, 0 },
	{ SYS_renameat2,       0, 0 },
	{ SYS_truncate,        0, 0 },
	{ SYS_fsync,           0, 0 },
	{ SYS_fdatasync,       0, 0 },
	{ SYS_pread64,         0, 0 },
	{ SYS_pwrite64,        0, 0 },
	{ SYS_copy_file_range, 0, 0 },
	{ SYS_nanosleep,       0, 0 },
	{ SYS_clock_nanosleep, 0, 0 },
	{ SYS_fork,            0, 0 },
	{ SYS_vfork,           0, 0 },
	{ SYS_clone,           RDI, CLONE_THREAD },
	{ SYS_wait4,           RDX, WNOHANG },
	{ SYS_waitid,          R10, WNOHANG },
	/* clang-format on */
	{ -1, 0, 0 },
};

bool strict_call_counts(int number, const struct regs *regs)
{
	for (const struct strict_syscall *call = strict_syscalls; call->number >= 0; call++)
		if (call->number == number)
			return (regs->r[call->reg] & call->mask) == 0;
	return false;
}
