#include <unistd.h>

#include "analyzers/analyze.h"
#include "analyzers/diff.h"
#include "cli/command.h"
#include "cli/complain.h"
#include "cli/terminal.h"
#include "core/recording_file.h"
#include "report/diff.h"
#include "sampler/symbols.h"

struct side {
	struct recording *rec; /* NULL: not read */
	struct diagnosis *d;
};

static int read_side(struct side *side, const char *path, struct error *err)
{
	int ret = recording_read(&side->rec, path, err);

	if (ret < 0)
		return ret;
	if (!side->rec->session.resolved)
		symbols_resolve(side->rec, 0);
	side->d = diagnose(side->rec);
	return 0;
}

static void free_side(struct side *side)
{
	if (!side->rec)
		return;
	diagnosis_free(side->d);
	recording_free(side->rec);
}

static void print(const struct options *o, const struct side *before, const struct side *after)
{
	struct diff_input inputs[] = { { before->rec, before->d }, { after->rec, after->d } };
	struct report reports[2] = { { .rec = before->rec, .diagnosis = before->d },
				     { .rec = after->rec, .diagnosis = after->d } };
	struct arena arena = { 0 };

	reports[1].ascii = terminal_ascii(o);
	reports[1].color = terminal_color(o, STDOUT_FILENO);
	reports[1].width = terminal_width(STDOUT_FILENO);
	diff_text(diff_make(&inputs[0], &inputs[1], &arena), &reports[0], &reports[1], stdout);
	arena_free(&arena);
}

static int run_diff(const struct options *o, int argc, char **argv)
{
	struct side before = { 0 }, after = { 0 };
	struct error err = { 0 };
	int ret;

	if (argc != 2)
		return complain_usage("lagprof diff before.lagprof after.lagprof",
				      "diff compares two recordings, not %d", argc);
	ret = read_side(&before, argv[0], &err);
	if (ret == 0)
		ret = read_side(&after, argv[1], &err);
	if (ret == 0)
		print(o, &before, &after);
	free_side(&before);
	free_side(&after);
	return ret < 0 ? complain(STATUS_FAILED, &err) : STATUS_OK;
}

const struct command command_diff = {
	.name = "diff",
	.operands = "BEFORE AFTER",
	.help = "say what is new, worse and gone between two recordings",
	.examples = "lagprof diff before.lagprof after.lagprof\n",
	.details = "Findings are matched by fingerprint, which no line number is part of.  Stalls "
		   "of the startup are left out.  The exit status is 0 whatever differs.",
	.run = run_diff,
};
