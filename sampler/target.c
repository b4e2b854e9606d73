#include "sampler/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_pidfd(struct target *t, struct error *err)
{
	char path[32];
	int ret;

	t->pidfd = (int)syscall(SYS_pidfd_open, t->pid, 0);
	if (t->pidfd < 0) {
		ret = -errno;
		error_set(err, ret, "no process %d: %s", t->pid, strerror(-ret));
		if (ret == -ESRCH || ret == -EINVAL)
			error_fix(err, "pgrep -af NAME shows the ids of running programs");
		return ret == -EINVAL ? err->code = -ESRCH : ret;
	}
	snprintf(path, sizeof(path), "/proc/%d", t->pid);
	t->procfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->procfd < 0)
		return error_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	return 0;
}

/*
 * Reads variables until the other end is closed.  If that was lagprof's own end, they are
 * worth nothing.
 */
static void pass_gate(int gate, pid_t parent)
{
	static char room[PIPE_BUF + 1];
	size_t n = 0, len;
	ssize_t got = 1;

	while (n < sizeof(room) && (got > 0 || errno == EINTR)) {
		got = read(gate, room + n, sizeof(room) - n);
		n += got > 0 ? (size_t)got : 0;
		if (got == 0)
			break;
	}
	if (getppid() != parent)
		return;
	for (size_t at = 0; at < n; at += len + 1) {
		len = strnlen(room + at, n - at);
		if (at + len < n)
			putenv(room + at);
	}
}

/* In the child.  Returns only to _exit. */
static void run_child(int gate, int failure, char **argv, const sigset_t *mask, pid_t parent)
{
	int code;

	sigprocmask(SIG_SETMASK, mask, NULL);
	/* Released by the close of the other end: also if lagprof dies before it comes to it. */
	pass_gate(gate, parent);
	close(gate);
	execvp(argv[0], argv);
	code = errno;
	if (write(failure, &code, sizeof(code)) < 0)
		_exit(125);
	_exit(code == ENOENT ? 127 : 126);
}

int target_launch(struct target *t, char **argv, const void *mask, struct error *err)
{
	int gate[2] = { -1, -1 }, failure[2] = { -1, -1 };
	pid_t parent = getpid();

	*t = (struct target){ .pidfd = -1,
			      .procfd = -1,
			      .child = true,
			      .status = -1,
			      .gate = -1,
			      .failure = -1,
			      .command = argv[0] };
	if (pipe2(gate, O_CLOEXEC) < 0 || pipe2(failure, O_CLOEXEC) < 0)
		return error_set(err, -errno, "cannot create a pipe: %s", strerror(errno));
	fflush(NULL);
	t->pid = fork();
	if (t->pid < 0) {
		error_set(err, -errno, "cannot fork: %s", strerror(errno));
		return error_fix(err, "allow more processes: ulimit -u, or pids.max of the cgroup");
	}
	if (t->pid == 0) {
		close(gate[1]);
		close(failure[0]);
		run_child(gate[0], failure[1], argv, mask, parent);
	}
	close(gate[0]);
	close(failure[1]);
	t->gate = gate[1];
	t->failure = failure[0];
	return open_pidfd(t, err);
}

int target_release(struct target *t, char **argv, struct error *err)
{
	int code = 0;
	ssize_t n;

	close(t->gate);
	t->gate = -1;
	do
		n = read(t->failure, &code, sizeof(code));
	while (n < 0 && errno == EINTR);
	close(t->failure);
	t->failure = -1;
	if (n != (ssize_t)sizeof(code))
		return 0;
	error_set(err, -code, "cannot run %s: %s", argv[0], strerror(code));
	if (code == ENOENT && strchr(argv[0], '/'))
		error_fix(err, "check the path, and the program that its first line names");
	else if (code == ENOENT)
		error_fix(err, "check the spelling and $PATH: command -v %s", argv[0]);
	else if (code == EACCES)
		error_fix(err, "chmod +x %s, or name its interpreter", argv[0]);
	return -code;
}

ssize_t proc_read(int dir, const char *name, char *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	ssize_t n = fd < 0 ? -1 : 0;

	while (fd >= 0 && done < size - 1 && (n = read(fd, buf + done, size - 1 - done)) > 0)
		done += (size_t)n;
	if (fd >= 0)
		close(fd);
	buf[done] = '\0';
	return n < 0 ? -1 : (ssize_t)done;
}

char *proc_stat_state(char *text)
{
	char *p = strrchr(text, ')'); /* a name may hold any */

	return p && p[1] == ' ' && p[2] ? p + 2 : NULL;
}

ssize_t target_read(const struct target *t, const char *name, char *buf, size_t size)
{
	return proc_read(t->procfd, name, buf, size);
}

static int refuse(struct error *err, pid_t pid, const char *what)
{
	return error_set(err, -ENOTSUP, "process %d is %s", pid, what);
}

/* The effective user of the process; -1: unknown.  The owner of its /proc folder may be root. */
static long user_of(const struct target *t)
{
	char text[2048], *line;
	unsigned real, effective;

	if (target_read(t, "status", text, sizeof(text)) <= 0)
		return -1;
	line = strstr(text, "\nUid:");
	return line && sscanf(line, "\nUid: %u %u", &real, &effective) == 2 ? (long)effective : -1;
}

int target_explain_denial(const struct target *t, struct error *err)
{
	long user = user_of(t);

	if (user == (long)geteuid())
		error_set(err, -EPERM,
			  "process %d does not let its own user look into it: it called "
			  "prctl(PR_SET_DUMPABLE), or gave up rights that it had",
			  t->pid);
	else if (user >= 0)
		error_set(err, -EPERM,
			  "process %d has the rights of user %ld, who is not yours to look into",
			  t->pid, user);
	else
		error_set(err, -EPERM, "no right to look into process %d", t->pid);
	return error_fix(err,
			 t->child ? "start it as root: sudo lagprof run …"
				  : "as its user or as root: sudo lagprof attach %d",
			 t->pid);
}

bool target_denies(const struct target *t)
{
	char exe[8];

	return readlinkat(t->procfd, "exe", exe, sizeof(exe)) < 0 &&
	       (errno == EACCES || errno == EPERM);
}

/* -ENOTSUP with a reason if the process has no program that could run a loop. */
static int check_attachable(const struct target *t, struct error *err)
{
	struct thread_state state;
	char exe[8];

	if (t->pid == getpid())
		return refuse(err, t->pid, "lagprof itself");
	if (!thread_look(t, t->pid, &state))
		return error_set(err, -ESRCH, "no process %d: it has just ended", t->pid);
	if (readlinkat(t->procfd, "exe", exe, sizeof(exe)) >= 0)
		return 0;
	if (errno == EACCES || errno == EPERM)
		return target_explain_denial(t, err);
	if (state.state != 'Z')
		return refuse(err, t->pid, "a kernel thread: it has no program to profile");
	/* A leader that has called pthread_exit() is a zombie while other threads live on. */
	if (target_threads(t, NULL, 0) > 1)
		return 0;
	refuse(err, t->pid, "a zombie: it has ended and waits for its parent");
	return error_fix(err, "ps -o ppid= -p %d names the parent", t->pid);
}

int target_attach(struct target *t, pid_t pid, struct error *err)
{
	int ret;

	*t = (struct target){
		.pid = pid, .pidfd = -1, .procfd = -1, .status = -1, .gate = -1, .failure = -1
	};
	ret = open_pidfd(t, err);
	if (ret == 0)
		ret = check_attachable(t, err);
	/* What was read belongs to this process only if it still lives. */
	if (ret == 0 && !target_alive(t))
		ret = error_set(err, -ESRCH, "no process %d: it has just ended", pid);
	if (ret < 0)
		target_close(t);
	return ret;
}

bool target_alive(const struct target *t)
{
	struct pollfd p = { .fd = t->pidfd, .events = POLLIN };

	return t->pidfd >= 0 && poll(&p, 1, 0) == 0;
}

bool target_reap(struct target *t)
{
	int status;

	if (!t->child || t->reaped)
		return t->reaped;
	if (waitpid(t->pid, &status, WNOHANG) != t->pid)
		return false;
	t->reaped = true;
	t->status = status;
	return true;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void target_close(struct target *t)
{
	close_fd(&t->gate);
	close_fd(&t->failure);
	close_fd(&t->procfd);
	close_fd(&t->pidfd);
}

/* Where a link in /proc/PID leads, or NULL. */
static const char *read_link(const struct target *t, const char *name, struct recording *rec)
{
	char path[4096];
	ssize_t n = readlinkat(t->procfd, name, path, sizeof(path) - 1);

	if (n <= 0)
		return NULL;
	path[n] = '\0';
	return recording_intern(rec, path);
}

void target_describe(const struct target *t, struct recording *rec, struct target_info *info)
{
	enum { MAX_ARGS = 256 };
	static const size_t size = 64 * 1024;
	char *args = xcalloc(1, size);
	ssize_t n = target_read(t, "cmdline", args, size);

	info->pid = t->pid;
	info->argc = 0;
	if (n > 0) {
		info->argv = arena_alloc(&rec->arena, MAX_ARGS * sizeof(char *));
		for (char *arg = args; arg < args + n && info->argc < MAX_ARGS;
		     arg += strlen(arg) + 1)
			info->argv[info->argc++] = recording_intern(rec, arg);
		/* A title in place of the arguments leaves the rest of their room empty. */
		while (info->argc > 1 && !info->argv[1][0] && !info->argv[info->argc - 1][0])
			info->argc--;
	}
	free(args);
	info->exe = read_link(t, "exe", rec);
	info->cwd = read_link(t, "cwd", rec);
	info->threads = (uint32_t)target_threads(t, NULL, 0);
}

static bool parse_schedstat(const char *text, nsec *ran, nsec *waited)
{
	return sscanf(text, "%" SCNu64 " %" SCNu64, ran, waited) == 2;
}

bool thread_schedstat(const struct target *t, pid_t tid, nsec *ran, nsec *waited)
{
	char path[48], text[96];

	snprintf(path, sizeof(path), "task/%d/schedstat", tid);
	return target_read(t, path, text, sizeof(text)) > 0 && parse_schedstat(text, ran, waited);
}

bool process_schedstat(pid_t pid, nsec *ran, nsec *waited)
{
	char path[48], text[96];

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	return proc_read(AT_FDCWD, path, text, sizeof(text)) > 0 &&
	       parse_schedstat(text, ran, waited);
}

bool thread_look(const struct target *t, pid_t tid, struct thread_state *out)
{
	char path[48], text[512], *name, *state;

	*out = (struct thread_state){ .state = '?', .syscall = -1 };
	snprintf(path, sizeof(path), "task/%d/stat", tid);
	if (target_read(t, path, text, sizeof(text)) <= 0)
		return false;
	name = strchr(text, '(');
	state = proc_stat_state(text);
	if (!name || !state || name + 2 > state)
		return false;
	state[-2] = '\0';
	strncpy(out->name, name + 1, sizeof(out->name) - 1);
	out->state = *state;

	snprintf(path, sizeof(path), "task/%d/syscall", tid);
	if (target_read(t, path, text, sizeof(text)) <= 0)
		return true;
	if (sscanf(text,
		   "%d %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
		   " %" SCNx64 " %" SCNx64,
		   &out->syscall, &out->args[0], &out->args[1], &out->args[2], &out->args[3],
		   &out->args[4], &out->args[5], &out->sp, &out->pc) < 9)
		out->syscall = -1; /* "running", or blocked outside a system call */
	return true;
}

size_t target_threads(const struct target *t, pid_t *tids, size_t max)
{
	int fd = openat(t->procfd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	size_t n = 0;

	if (!dir) {
		close_fd(&fd);
		return 0;
	}
	while ((e = readdir(dir))) {
		pid_t tid = atoi(e->d_name);

		if (tid <= 0)
			continue;
		if (n < max)
			tids[n] = tid;
		n++;
	}
	closedir(dir);
	return n;
}

size_t target_thread_children(const struct target *t, pid_t tid, pid_t *pids, size_t max)
{
	char path[48], text[4096], *at = text, *end;
	size_t n = 0;

	snprintf(path, sizeof(path), "task/%d/children", tid);
	if (target_read(t, path, text, sizeof(text)) <= 0)
		return 0;
	for (long pid = strtol(at, &end, 10); end != at; pid = strtol(at = end, &end, 10))
		if (n++ < max)
			pids[n - 1] = (pid_t)pid;
	return n;
}

size_t target_children(const struct target *t, pid_t *pids, size_t max)
{
	enum { MAX_THREADS = 256 };
	pid_t tids[MAX_THREADS];
	size_t threads = target_threads(t, tids, MAX_THREADS), n = 0;

	for (size_t i = 0; i < threads && i < MAX_THREADS; i++)
		n += target_thread_children(t, tids[i], pids + (n < max ? n : max),
					    n < max ? max - n : 0);
	return n;
}

bool target_fd_polls(const struct target *t, int fd)
{
	char path[32], link[64];
	ssize_t n;

	snprintf(path, sizeof(path), "fd/%d", fd);
	n = readlinkat(t->procfd, path, link, sizeof(link) - 1);
	if (n <= 0)
		return false;
	link[n] = '\0';
	return strstr(link, "eventpoll") || strstr(link, "io_uring");
}
