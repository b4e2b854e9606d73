#include "cli/command.h"
#include "cli/complain.h"
#include "cli/launch.h"
#include "cli/pid.h"

#define PIDS "pgrep -af NAME shows the ids of running programs"

static int run_attach(const struct options *o, int argc, char **argv)
{
	struct speaker *speaker = speaker_lines(o, stderr);
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
		status = attach(o, pid, &budgets, speaker);
	budgets_free(&budgets);
	speaker->free(speaker);
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
