#include "sampler/proc/glance.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sampler/poll_key.h"
#include "sampler/target.h"

static nsec now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

static int open_file(int procfd, pid_t tid, const char *name, struct error *err)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "task/%d/%s", tid, name);
	fd = openat(procfd, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	return error_set(err, errno == ENOENT ? -ESRCH : -errno, "cannot open /proc/PID/%s: %s",
			 path, strerror(errno));
}

/* The file opens for anybody; reading it takes the right to trace the thread. */
static int check_rights(int fd, struct error *err)
{
	char text[256];

	if (pread(fd, text, sizeof(text), 0) >= 0)
		return 0;
	if (errno == ESRCH)
		return error_set(err, -ESRCH, "the thread has just ended");
	error_set(err, -errno, "the kernel does not let this user look into the process: %s",
		  strerror(errno));
	return error_fix(err, "run as its user, with kernel.yama.ptrace_scope=0, or as root; or "
			      "start it with lagprof run");
}

int glancer_open(struct glancer *g, int procfd, pid_t tid, struct error *err)
{
	int ret;

	*g = (struct glancer){ -1, -1, -1 };
	g->syscall = open_file(procfd, tid, "syscall", err);
	ret = g->syscall < 0 ? g->syscall : check_rights(g->syscall, err);
	if (ret == 0) {
		g->stat = open_file(procfd, tid, "stat", err);
		ret = g->stat < 0 ? g->stat : 0;
	}
	if (ret < 0) {
		glancer_close(g);
		return ret;
	}
	/* A kernel without it: turns are found, but not split. */
	g->schedstat = open_file(procfd, tid, "schedstat", &(struct error){ 0 });
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void glancer_close(struct glancer *g)
{
	close_fd(g->syscall);
	close_fd(g->schedstat);
	close_fd(g->stat);
	*g = (struct glancer){ -1, -1, -1 };
}

static ssize_t read_text(int fd, char *text, size_t size)
{
	ssize_t n = fd >= 0 ? pread(fd, text, size - 1, 0) : -1;

	text[n > 0 ? n : 0] = '\0';
	return n;
}

void glancer_look_at_schedule(const struct glancer *g, struct glance *out)
{
	char text[96];

	if (read_text(g->schedstat, text, sizeof(text)) > 0)
		out->has_sched = sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &out->exec,
					&out->delay, &out->switches_in) == 3;
}

static enum glance_kind parse_call(const char *text, struct glance *out)
{
	int n = sscanf(text,
		       "%d %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
		       " %" SCNx64 " %" SCNx64,
		       &out->number, &out->args[0], &out->args[1], &out->args[2], &out->args[3],
		       &out->args[4], &out->args[5], &out->sp, &out->pc);

	if (n == 9)
		return GLANCE_CALL;
	if (sscanf(text, "-1 %" SCNx64 " %" SCNx64, &out->sp, &out->pc) == 2)
		return GLANCE_ASLEEP;
	return GLANCE_RUNNING;
}

void glancer_look(const struct glancer *g, struct glance *out)
{
	char text[256];
	ssize_t n;

	*out = (struct glance){ .at = now_ns(), .number = -1 };
	n = read_text(g->syscall, text, sizeof(text));
	if (n < 0 && (errno == EPERM || errno == EACCES))
		out->kind = GLANCE_DENIED;
	if (n <= 0)
		return;
	out->kind = parse_call(text, out);
	if (out->kind != GLANCE_CALL)
		out->number = -1;
	glancer_look_at_schedule(g, out);
}

char glancer_state(const struct glancer *g)
{
	char text[1024], *p;

	if (read_text(g->stat, text, sizeof(text)) <= 0)
		return '?';
	p = proc_stat_state(text);
	return p ? *p : '?';
}

uint64_t glance_poll_key(const struct glance *g)
{
	const struct poll_syscall *call =
		g->kind == GLANCE_CALL ? poll_syscall_find(g->number) : NULL;

	if (!call || (call->wait_argument >= 0 && !g->args[call->wait_argument]))
		return 0;
	return call->key_class ? call->key_class | (uint32_t)g->args[0] : g->sp;
}

void glance_regs(const struct glance *g, struct regs *out)
{
	*out = (struct regs){ 0 };
	out->r[DW_RSP] = g->sp;
	out->r[DW_RIP] = g->pc;
	out->valid = 1u << DW_RSP | 1u << DW_RIP;
}
