#include "cli/hooks.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void hook_reap(struct hook *hook)
{
	if (hook->pid > 0 && waitpid(hook->pid, NULL, WNOHANG) == hook->pid)
		hook->pid = 0;
}

/* In the child: standard output belongs to the target. */
static void run_shell(const char *command)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0); /* Ctrl-C is for the target and lagprof */
	dup2(STDERR_FILENO, STDOUT_FILENO);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* True in the child, which has its environment still to set. */
static bool start(struct hook *hook)
{
	hook_reap(hook);
	if (!hook->command)
		return false;
	if (hook->pid > 0) {
		hook->skipped++;
		return false;
	}
	hook->pid = fork();
	return hook->pid == 0;
}

static void set_number(const char *name, long long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", value);
	setenv(name, text, 1);
}

void hook_port(struct hook *hook, int port)
{
	if (!start(hook))
		return;
	set_number("PORT", port);
	run_shell(hook->command);
}

void hook_stall(struct hook *hook, int pid, const struct stall *stall,
		const struct stall_diagnosis *d, const char *title)
{
	const struct frame *culprit = d->culprit;

	if (!start(hook))
		return;
	set_number("LAGPROF_PID", pid);
	set_number("LAGPROF_LAG_MS", (long long)(stall->duration / 1000000));
	setenv("LAGPROF_CAUSE", cause_info[d->cause].id, 1);
	setenv("LAGPROF_TITLE", title ? title : "", 1);
	setenv("LAGPROF_FUNCTION", culprit && culprit->function ? culprit->function : "", 1);
	setenv("LAGPROF_FILE", culprit && culprit->file ? culprit->file : "", 1);
	set_number("LAGPROF_LINE", culprit ? culprit->line : 0);
	run_shell(hook->command);
}

void hook_finish(struct hook *hook, int timeout_ms)
{
	enum { STEP_MS = 10 };

	for (int waited = 0; hook->pid > 0 && waited < timeout_ms; waited += STEP_MS) {
		hook_reap(hook);
		if (hook->pid > 0)
			usleep(STEP_MS * 1000);
	}
	if (hook->pid > 0)
		kill(-hook->pid, SIGTERM);
}
