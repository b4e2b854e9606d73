#include "cli/launch.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/capture.h"
#include "cli/complain.h"
#include "cli/observe.h"

#define PIDS "pgrep -af NAME shows the ids of running programs"

/* After the observation: the child may live on (--duration, a second Ctrl-C). */
static int wait_for(struct target *target)
{
	int status;

	if (target->reaped)
		return target->status;
	while (waitpid(target->pid, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	return status;
}

/* A Ctrl-C that came as the child ended was the child's: it must not end lagprof now. */
static void drain(int signals)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		;
}

static int status_of_exec(int code)
{
	return code == -ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_EXECUTE;
}

/* The child's own failure comes first, then lagprof's, then the verdict. */
static int status_of_run(int child, int ret, enum verdict verdict)
{
	if (child != 0)
		return end_like(child);
	return ret < 0 ? STATUS_FAILED : (int)budgets_status(verdict);
}

/* Under the live view what the target writes goes to a file. */
static int launch_target(struct observe *ob, struct capture *capture, const sigset_t *mask,
			 struct error *err)
{
	int ret;

	if (!ob->speaker->screen)
		return target_launch(ob->target, ob->command, mask, err);
	ret = capture_begin(capture, ob->o->output, err);
	if (ret < 0)
		return ret;
	ob->capture = capture;
	ret = target_launch(ob->target, ob->command, mask, err);
	capture_end(capture);
	return ret;
}

int launch(const struct options *o, char **argv, struct budgets *budgets, struct speaker *speaker)
{
	struct target target;
	struct observe ob = {
		.o = o, .target = &target, .command = argv, .speaker = speaker, .budgets = budgets
	};
	struct capture capture = { 0 };
	struct error err = { 0 };
	bool exec_failed = false;
	sigset_t before;
	int ret, status;

	ob.signals = observe_signals(&before, &err);
	if (ob.signals < 0)
		return complain(STATUS_FAILED, &err);
	ret = launch_target(&ob, &capture, &before, &err);
	if (ret == 0)
		ret = observe_run(&ob, &exec_failed, &err);
	if (ret < 0 && err.msg[0])
		complain(STATUS_FAILED, &err);
	if (ret < 0 && (exec_failed || target.gate >= 0))
		capture_drop(&capture);
	if (exec_failed) {
		wait_for(&target);
		target_close(&target);
		return status_of_exec(ret);
	}
	/* Could not observe before the child was let go: it has not run, and will not. */
	if (ret < 0 && target.gate >= 0) {
		kill(target.pid, SIGKILL);
		wait_for(&target);
		target_close(&target);
		return STATUS_FAILED;
	}
	drain(ob.signals);
	close(ob.signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	status = wait_for(&target);
	target_close(&target);
	return status_of_run(ob.quit ? 0 : status, ret, ob.verdict);
}

int attach(const struct options *o, pid_t pid, struct budgets *budgets, struct speaker *speaker)
{
	struct target target;
	struct observe ob = { .o = o, .target = &target, .speaker = speaker, .budgets = budgets };
	struct error err = { 0 };
	bool exec_failed;
	int ret = target_attach(&target, pid, &err);

	if (ret < 0 && !err.fix[0])
		error_fix(&err, PIDS);
	if (ret < 0)
		return complain(STATUS_FAILED, &err);
	ob.signals = observe_signals(NULL, &err);
	ret = ob.signals < 0 ? ob.signals : observe_run(&ob, &exec_failed, &err);
	if (ob.signals >= 0)
		close(ob.signals);
	target_close(&target);
	if (ret < 0)
		return err.msg[0] ? complain(STATUS_FAILED, &err) : STATUS_FAILED;
	return (int)budgets_status(ob.verdict);
}
