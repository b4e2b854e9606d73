#include "sampler/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ALLOW(name)                                             \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* Memory, reading files that are open, the answer, the end.  What is not listed fails. */
static bool filter_calls(int answer)
{
	struct sock_filter filter[] = {
		/* clang-format off */
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		ALLOW(brk), ALLOW(mmap), ALLOW(munmap), ALLOW(mremap), ALLOW(mprotect),
		ALLOW(madvise), ALLOW(futex), ALLOW(clock_gettime), ALLOW(rt_sigprocmask),
		ALLOW(read), ALLOW(pread64), ALLOW(lseek), ALLOW(fstat), ALLOW(newfstatat),
		ALLOW(close), ALLOW(getpid), ALLOW(gettid), ALLOW(sched_yield), ALLOW(sigaltstack),
		ALLOW(exit), ALLOW(exit_group),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_write, 0, 3),
		LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)answer, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		/* clang-format on */
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Bytes of address space in use now. */
static size_t address_space(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	size_t pages = 0;

	if (f && fscanf(f, "%zu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * 4096;
}

static void limit(int what, size_t value)
{
	struct rlimit rlimit = { value, value };

	setrlimit(what, &rlimit);
}

static bool enter(const struct sandbox_limits *limits, int answer)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, limits->cpu_seconds);
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes of addresses */
	limit(RLIMIT_AS, address_space() + limits->memory);
#else
	(void)address_space;
#endif
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && filter_calls(answer);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Until the child closes its end, answers too much or takes too long. */
static void collect(int fd, const struct sandbox_limits *limits, struct strbuf *out)
{
	int64_t until = now_ms() + (int64_t)limits->wall_seconds * 1000, left;
	size_t from = out->len;
	char buf[16384];

	while ((left = until - now_ms()) > 0 && out->len - from < limits->max_answer) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		strbuf_add(out, buf, (size_t)n);
	}
}

int sandbox_run(void (*work)(void *arg, int answer), void *arg, const struct sandbox_limits *limits,
		struct strbuf *out)
{
	int fds[2], status, ret;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		if (!enter(limits, fds[1]))
			_exit(1);
		work(arg, fds[1]);
		_exit(0);
	}
	ret = pid < 0 ? -errno : 0;
	close(fds[1]);
	if (pid > 0) {
		collect(fds[0], limits, out);
		kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			ret = -ECHILD;
	}
	close(fds[0]);
	return ret;
}
