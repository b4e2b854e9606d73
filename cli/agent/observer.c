#include "cli/agent/observer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Far above what it takes: a target that makes it grow is not to cost the machine its memory. */
static void limit_memory(void)
{
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes */
	static const struct rlimit limit = { 256 << 20, 256 << 20 };

	setrlimit(RLIMIT_DATA, &limit);
#endif
}

/* The agent's sockets are none of its business: clients would wait for it to close them. */
static void keep_only(int a, int b)
{
	int first = a < b ? a : b, second = a < b ? b : a;

	close_range(STDERR_FILENO + 1, (unsigned)first - 1, 0);
	if (second > first + 1)
		close_range((unsigned)first + 1, (unsigned)second - 1, 0);
	close_range((unsigned)second + 1, ~0u, 0);
}

/* In the child: it is not to outlive the agent. */
static void settle_in(pid_t agent, int fd, int window)
{
	keep_only(fd, window);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != agent)
		_exit(1);
	prctl(PR_SET_NAME, "lagprof-observe");
	limit_memory();
}

int observer_start(struct observer *ob, const struct options *o, pid_t target, struct error *err)
{
	pid_t agent = getpid();
	int fds[2];

	*ob = (struct observer){ .fd = -1 };
	ob->window = memfd_create("lagprof-window", MFD_CLOEXEC);
	if (ob->window < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
		error_set(err, -errno, "cannot start an observer: %s", strerror(errno));
		goto fail;
	}
	fflush(NULL);
	ob->pid = fork();
	if (ob->pid == 0) {
		settle_in(agent, fds[1], ob->window);
		observing(o, target, fds[1], ob->window);
	}
	close(fds[1]);
	ob->fd = fds[0];
	if (ob->pid > 0)
		return 0;
	error_set(err, -errno, "cannot start an observer: fork: %s", strerror(errno));
	error_fix(err, "allow more processes: ulimit -u, or pids.max of the cgroup");
	ob->pid = 0;
fail:
	observer_end(ob);
	return err->code;
}

bool observer_hear(struct observer *ob, struct news *news)
{
	ssize_t n = ob->fd >= 0 ? recv(ob->fd, news, sizeof(*news), MSG_DONTWAIT) : -1;

	if (n == (ssize_t)sizeof(*news)) {
		/* What reads the target is not to be relied on. */
		news->why[sizeof(news->why) - 1] = '\0';
		news->vitals.probe[sizeof(news->vitals.probe) - 1] = '\0';
		return true;
	}
	if (ob->fd < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return false;
	news->kind = NEWS_DIED;
	close(ob->fd);
	ob->fd = -1;
	return true;
}

void observer_ask(struct observer *ob, const struct question *q)
{
	if (ob->fd >= 0)
		send(ob->fd, q, sizeof(*q), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void observer_end(struct observer *ob)
{
	if (ob->fd >= 0)
		close(ob->fd);
	if (ob->window >= 0)
		close(ob->window);
	/* It has nothing that would be left behind. */
	if (ob->pid > 0) {
		kill(ob->pid, SIGKILL);
		waitpid(ob->pid, NULL, 0);
	}
	*ob = (struct observer){ .fd = -1, .window = -1 };
}

static nsec cpu_of(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return ((nsec)usage.ru_utime.tv_sec + (nsec)usage.ru_stime.tv_sec) * 1000000000 +
	       ((nsec)usage.ru_utime.tv_usec + (nsec)usage.ru_stime.tv_usec) * 1000;
}

nsec observer_cpu(void)
{
	return cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN);
}
