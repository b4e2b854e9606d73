#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/complain.h"
#include "cli/observe.h"

/* Ends as the child ended, so that whoever called lagprof sees no difference. */
static int end_like(int status)
{
	static const struct rlimit no_core = { 0, 0 };
	sigset_t set;
	int sig;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	sig = WTERMSIG(status);
	setrlimit(RLIMIT_CORE, &no_core); /* the child's core is the one that matters */
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	return 128 + sig;
}

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

static int launch(const struct options *o, char **argv, struct budgets *budgets)
{
	struct target target;
	struct observe ob = { .o = o, .target = &target, .command = argv, .budgets = budgets };
	struct error err = { 0 };
	bool exec_failed = false;
	sigset_t before;
	int ret, status;

	ob.signals = observe_signals(&before, &err);
	if (ob.signals < 0)
		return complain(STATUS_FAILED, &err);
	ret = target_launch(&target, argv, &before, &err);
	if (ret == 0)
		ret = observe_run(&ob, &exec_failed, &err);
	if (ret < 0 && err.msg[0])
		complain(STATUS_FAILED, &err);
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
	sigprocmask(SIG_SETMASK, &before, NULL);
	status = wait_for(&target);
	target_close(&target);
	return status_of_run(status, ret, ob.verdict);
}

static int run_run(const struct options *o, int argc, char **argv)
{
	struct budgets budgets;
	struct error err = { 0 };
	int status;

	if (argc < 1)
		return complain_usage("lagprof run node server.js", "run needs a command");
	if (budgets_parse(&budgets, o, &err) < 0)
		status = complain(STATUS_USAGE, &err);
	else
		status = launch(o, argv, &budgets);
	budgets_free(&budgets);
	return status;
}

const struct command command_run = {
	.name = "run",
	.operands = "[--] COMMAND [ARGUMENT...]",
	.help = "run a command and observe it until it ends",
	.examples = "lagprof run node server.js             # until it ends or Ctrl-C\n"
		    "lagprof run --threshold 50ms -- ./server --port 8080\n"
		    "lagprof run -o slow.lagprof --json report.json npm test\n",
	.details = "Standard input and output belong to the command; lagprof speaks on standard "
		   "error.  The exit status is the command's own.",
	.wraps = true,
	.run = run_run,
};
