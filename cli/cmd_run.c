#include "cli/command.h"
#include "cli/complain.h"
#include "cli/repeat.h"

static int run_run(const struct options *o, int argc, char **argv)
{
	struct budgets budgets;
	struct error err = { 0 };
	struct speaker *speaker;
	int status;

	if (argc < 1)
		return complain_usage("lagprof run node server.js", "run needs a command");
	speaker = speaker_choose(o, stderr);
	if (budgets_parse(&budgets, o, &err) < 0)
		status = complain(STATUS_USAGE, &err);
	else
		status = repeat_launch(o, argv, &budgets, speaker);
	budgets_free(&budgets);
	speaker->free(speaker);
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
