#include "sampler/poll_key.h"

#include <stddef.h>
#include <sys/syscall.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

const struct poll_syscall poll_syscalls[] = {
	/* clang-format off */
	{ "epoll_wait",     SYS_epoll_wait,     POLL_KEY_EPOLL,    -1 },
	{ "epoll_pwait",    SYS_epoll_pwait,    POLL_KEY_EPOLL,    -1 },
	{ "epoll_pwait2",   SYS_epoll_pwait2,   POLL_KEY_EPOLL,    -1 },
	{ "poll",           SYS_poll,           0,                 -1 },
	{ "ppoll",          SYS_ppoll,          0,                 -1 },
	{ "select",         SYS_select,         0,                 -1 },
	{ "pselect6",       SYS_pselect6,       0,                 -1 },
	{ "io_uring_enter", SYS_io_uring_enter, POLL_KEY_IO_URING,  2 },
	{ NULL, 0, 0, 0 },
	/* clang-format on */
};

const struct poll_syscall *poll_syscall_find(int number)
{
	for (const struct poll_syscall *call = poll_syscalls; call->name; call++)
		if (call->number == number)
			return call;
	return NULL;
}
