#include "analyzers/syscalls.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
/* From the kernel's arch/x86/entry/syscalls/syscall_64.tbl, in order of number. */
static const struct syscall_rule rows[] = {
	{   0, "read",              CAUSE_SYNC_FS },
	{   1, "write",             CAUSE_SYNC_FS },
	{   2, "open",              CAUSE_SYNC_FS },
	{   3, "close",             CAUSE_SYNC_FS },
	{   4, "stat",              CAUSE_SYNC_FS },
	{   5, "fstat",             CAUSE_SYNC_FS },
	{   6, "lstat",             CAUSE_SYNC_FS },
	{   7, "poll",              CAUSE_SYNC_NET },
	{   8, "lseek",             CAUSE_SYNC_FS },
	{   9, "mmap",              CAUSE_LOCK_WAIT },
	{  10, "mprotect",          CAUSE_LOCK_WAIT },
	{  11, "munmap",            CAUSE_LOCK_WAIT },
	{  12, "brk",               CAUSE_LOCK_WAIT },
	{  16, "ioctl",             CAUSE_SYNC_FS },
	{  17, "pread64",           CAUSE_SYNC_FS },
	{  18, "pwrite64",          CAUSE_SYNC_FS },
	{  19, "readv",             CAUSE_SYNC_FS },
	{  20, "writev",            CAUSE_SYNC_FS },
	{  21, "access",            CAUSE_SYNC_FS },
	{  23, "select",            CAUSE_SYNC_NET },
	{  26, "msync",             CAUSE_SYNC_FS },
	{  28, "madvise",           CAUSE_LOCK_WAIT },
	{  34, "pause",             CAUSE_SLEEP },
	{  35, "nanosleep",         CAUSE_SLEEP },
	{  40, "sendfile",          CAUSE_SYNC_FS },
	{  42, "connect",           CAUSE_SYNC_NET },
	{  43, "accept",            CAUSE_SYNC_NET },
	{  44, "sendto",            CAUSE_SYNC_NET },
	{  45, "recvfrom",          CAUSE_SYNC_NET },
	{  46, "sendmsg",           CAUSE_SYNC_NET },
	{  47, "recvmsg",           CAUSE_SYNC_NET },
	{  56, "clone",             CAUSE_SYNC_CHILD },
	{  57, "fork",              CAUSE_SYNC_CHILD },
	{  58, "vfork",             CAUSE_SYNC_CHILD },
	{  61, "wait4",             CAUSE_SYNC_CHILD },
	{  65, "semop",             CAUSE_LOCK_WAIT },
	{  72, "fcntl",             CAUSE_LOCK_WAIT },
	{  73, "flock",             CAUSE_LOCK_WAIT },
	{  74, "fsync",             CAUSE_SYNC_FS },
	{  75, "fdatasync",         CAUSE_SYNC_FS },
	{  76, "truncate",          CAUSE_SYNC_FS },
	{  77, "ftruncate",         CAUSE_SYNC_FS },
	{  78, "getdents",          CAUSE_SYNC_FS },
	{  80, "chdir",             CAUSE_SYNC_FS },
	{  82, "rename",            CAUSE_SYNC_FS },
	{  83, "mkdir",             CAUSE_SYNC_FS },
	{  84, "rmdir",             CAUSE_SYNC_FS },
	{  85, "creat",             CAUSE_SYNC_FS },
	{  86, "link",              CAUSE_SYNC_FS },
	{  87, "unlink",            CAUSE_SYNC_FS },
	{  88, "symlink",           CAUSE_SYNC_FS },
	{  89, "readlink",          CAUSE_SYNC_FS },
	{  90, "chmod",             CAUSE_SYNC_FS },
	{  92, "chown",             CAUSE_SYNC_FS },
	{ 128, "rt_sigtimedwait",   CAUSE_SLEEP },
	{ 130, "rt_sigsuspend",     CAUSE_SLEEP },
	{ 137, "statfs",            CAUSE_SYNC_FS },
	{ 138, "fstatfs",           CAUSE_SYNC_FS },
	{ 162, "sync",              CAUSE_SYNC_FS },
	{ 187, "readahead",         CAUSE_SYNC_FS },
	{ 202, "futex",             CAUSE_LOCK_WAIT },
	{ 208, "io_getevents",      CAUSE_SYNC_FS },
	{ 217, "getdents64",        CAUSE_SYNC_FS },
	{ 220, "semtimedop",        CAUSE_LOCK_WAIT },
	{ 221, "fadvise64",         CAUSE_SYNC_FS },
	{ 230, "clock_nanosleep",   CAUSE_SLEEP },
	{ 232, "epoll_wait",        CAUSE_SYNC_NET },
	{ 247, "waitid",            CAUSE_SYNC_CHILD },
	{ 257, "openat",            CAUSE_SYNC_FS },
	{ 258, "mkdirat",           CAUSE_SYNC_FS },
	{ 262, "newfstatat",        CAUSE_SYNC_FS },
	{ 263, "unlinkat",          CAUSE_SYNC_FS },
	{ 264, "renameat",          CAUSE_SYNC_FS },
	{ 267, "readlinkat",        CAUSE_SYNC_FS },
	{ 269, "faccessat",         CAUSE_SYNC_FS },
	{ 270, "pselect6",          CAUSE_SYNC_NET },
	{ 271, "ppoll",             CAUSE_SYNC_NET },
	{ 275, "splice",            CAUSE_SYNC_FS },
	{ 277, "sync_file_range",   CAUSE_SYNC_FS },
	{ 281, "epoll_pwait",       CAUSE_SYNC_NET },
	{ 285, "fallocate",         CAUSE_SYNC_FS },
	{ 288, "accept4",           CAUSE_SYNC_NET },
	{ 295, "preadv",            CAUSE_SYNC_FS },
	{ 296, "pwritev",           CAUSE_SYNC_FS },
	{ 299, "recvmmsg",          CAUSE_SYNC_NET },
	{ 306, "syncfs",            CAUSE_SYNC_FS },
	{ 307, "sendmmsg",          CAUSE_SYNC_NET },
	{ 316, "renameat2",         CAUSE_SYNC_FS },
	{ 326, "copy_file_range",   CAUSE_SYNC_FS },
	{ 327, "preadv2",           CAUSE_SYNC_FS },
	{ 328, "pwritev2",          CAUSE_SYNC_FS },
	{ 332, "statx",             CAUSE_SYNC_FS },
	{ 426, "io_uring_enter",    CAUSE_SYNC_FS },
	{ 435, "clone3",            CAUSE_SYNC_CHILD },
	{ 437, "openat2",           CAUSE_SYNC_FS },
	{ 439, "faccessat2",        CAUSE_SYNC_FS },
	{ 441, "epoll_pwait2",      CAUSE_SYNC_NET },
};
/* clang-format on */

static int compare(const void *key, const void *row)
{
	return *(const int *)key - ((const struct syscall_rule *)row)->number;
}

bool syscall_polls(int number)
{
	const struct syscall_rule *rule = syscall_rule_find(number);

	return rule && rule->cause == CAUSE_SYNC_NET &&
	       (strstr(rule->name, "poll") || strstr(rule->name, "select"));
}

const struct syscall_rule *syscall_rule_find(int number)
{
	return bsearch(&number, rows, sizeof(rows) / sizeof(rows[0]), sizeof(rows[0]), compare);
}
