#include <string.h>
#include <unistd.h>

#include "analyzers/diff.h"
#include "cli/command.h"
#include "cli/complain.h"
#include "cli/loaded.h"
#include "cli/terminal.h"
#include "report/diff.h"

static void print(const struct options *o, const struct loaded *before, const struct loaded *after)
{
	struct diff_input inputs[] = { { before->rec, before->d }, { after->rec, after->d } };
	struct report reports[2] = { { .rec = before->rec, .diagnosis = before->d },
				     { .rec = after->rec, .diagnosis = after->d } };
	bool markdown = o->format && strcmp(o->format, "markdown") == 0;
	struct arena arena = { 0 };

	reports[1].ascii = terminal_ascii(o);
	reports[1].color = terminal_color(o, STDOUT_FILENO);
	reports[1].width = terminal_width(STDOUT_FILENO);
	(markdown ? diff_markdown : diff_text)(diff_make(&inputs[0], &inputs[1], &arena),
					       &reports[0], &reports[1], stdout);
	arena_free(&arena);
}

static int run_diff(const struct options *o, int argc, char **argv)
{
	struct loaded before = { 0 }, after = { 0 };
	struct error err = { 0 };
	int ret;

	if (argc != 2)
		return complain_usage("lagprof diff before.lagprof after.lagprof",
				      "diff compares two recordings, not %d", argc);
	ret = loaded_read(&before, argv[0], true, &err);
	if (ret == 0)
		ret = loaded_read(&after, argv[1], true, &err);
	if (ret == 0)
		print(o, &before, &after);
	loaded_free(&before);
	loaded_free(&after);
	return ret < 0 ? complain(STATUS_FAILED, &err) : STATUS_OK;
}

const struct command command_diff = {
	.name = "diff",
	.operands = "BEFORE AFTER",
	.help = "say what is new, worse and gone between two recordings",
	.examples =
		"lagprof diff before.lagprof after.lagprof\n"
		"lagprof diff --format markdown before.lagprof after.lagprof  # for a comment\n",
	.details = "Findings are matched by fingerprint, which no line number is part of.  Stalls "
		   "of the startup are left out.  The exit status is 0 whatever differs.",
	.run = run_diff,
};
