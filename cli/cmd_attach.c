#include <unistd.h>

#include "cli/command.h"
#include "cli/complain.h"
#include "cli/observe.h"
#include "cli/pid.h"

#define PIDS "pgrep -af NAME shows the ids of running programs"

static int attach(const struct options *o, pid_t pid, struct budgets *budgets)
{
	struct target target;
	struct observe ob = { .o = o, .target = &target, .budgets = budgets };
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

static int run_attach(const struct options *o, int argc, char **argv)
{
	struct budgets budgets;
	struct error err = { 0 };
	pid_t pid;
	int status;

	if (argc != 1)
		return complain_usage("lagprof attach PID", "attach takes one process id");
	if (pid_parse(argv[0], &pid) < 0)
		return complain_usage(PIDS, "\"%s\" is not a process id", argv[0]);
	if (budgets_parse(&budgets, o, &err) < 0)
		status = complain(STATUS_USAGE, &err);
	else
		status = attach(o, pid, &budgets);
	budgets_free(&budgets);
	return status;
}

const struct command command_attach = {
	.name = "attach",
	.operands = "PID",
	.help = "observe a running process until Ctrl-C",
	.examples = "lagprof attach 4242                    # until Ctrl-C or its end\n"
		    "lagprof attach --duration 30s 4242     # half a minute\n"
		    "lagprof attach $(pgrep -n redis-server)\n",
	.details =
		"The process is not stopped, changed or restarted.  The exit status is 0 when it "
		"ends, at Ctrl-C and after --duration.",
	.run = run_attach,
};
