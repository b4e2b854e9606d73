#include <string.h>
#include <unistd.h>

#include "cli/budgets.h"
#include "cli/ci.h"
#include "cli/command.h"
#include "cli/complain.h"
#include "cli/loaded.h"
#include "cli/output.h"
#include "cli/terminal.h"

static int write_report(const struct options *o, const struct report *report, struct error *err)
{
	const char *format = o->format ? o->format : "text";

	if (strcmp(format, "auto") == 0)
		return ci_report(o, report, err);
	if (o->quiet && !o->output && strcmp(format, "text") == 0)
		return 0;
	return output_render(renderer_find(format), report, o->output, err);
}

/* Judges one recording. */
static int check_file(const struct options *o, struct budgets *budgets, const char *path,
		      struct error *err)
{
	struct report report = { .ascii = terminal_ascii(o),
				 .verbose = o->verbose,
				 .color = !o->output && terminal_color(o, STDOUT_FILENO),
				 .width = o->output ? 0 : terminal_width(STDOUT_FILENO) };
	struct loaded l;
	int ret = loaded_read(&l, path, !o->no_source_maps, err);

	if (ret < 0)
		return ret;
	report.rec = l.rec;
	report.diagnosis = l.d;
	report.budget = budgets_check(budgets, l.rec, l.d);
	ret = write_report(o, &report, err);
	loaded_free(&l);
	return ret;
}

/* Is there room for the reports of several recordings? */
static bool fits_several(const struct options *o)
{
	const struct renderer *renderer = o->format ? renderer_find(o->format) : &renderer_text;

	if (o->output)
		return false;
	return renderer ? renderer->repeats : ci_service() != CI_GITLAB;
}

/* Where the verdict on several recordings is said in words; NULL: nowhere. */
static FILE *totals_to(const struct options *o, int n)
{
	bool text = !o->format || strcmp(o->format, "text") == 0 || strcmp(o->format, "auto") == 0;

	return n > 1 && text && !o->quiet ? stdout : NULL;
}

static int run_check(const struct options *o, int argc, char **argv)
{
	struct budgets budgets;
	struct error err = { 0 };
	int status;

	if (argc < 1)
		return complain_usage("lagprof check --budget 'lag.p99<50ms' FILE.lagprof",
				      "check takes one or more recordings");
	if (argc > 1 && !fits_several(o))
		return complain_usage("lagprof check for each recording",
				      "check writes one recording in this format, not %d", argc);
	if (budgets_parse(&budgets, o, &err) < 0) {
		status = complain(STATUS_USAGE, &err);
		goto out;
	}
	if (budgets.terms.n == 0) {
		status = complain_usage("lagprof check --budget 'lag.p99<50ms' FILE.lagprof",
					"check needs a budget, of --budget or lagprof.json");
		goto out;
	}
	for (int i = 0; i < argc; i++) {
		int ret = check_file(o, &budgets, argv[i], &err);

		if (ret < 0) {
			status = complain(STATUS_FAILED, &err);
			goto out;
		}
	}
	status = (int)budgets_status(budgets_total(&budgets, o, totals_to(o, argc)));
out:
	budgets_free(&budgets);
	return status;
}

const struct command command_check = {
	.name = "check",
	.operands = "FILE...",
	.help = "judge recordings by budgets, for a CI job",
	.examples =
		"lagprof check --budget 'lag.p99<50ms' --budget 'stall.max<500ms' a.lagprof\n"
		"lagprof check -q --budget 'stall.count{cause=sync_crypto}==0' a.lagprof\n"
		"lagprof check --format auto --budget 'lag.p99<50ms' a.lagprof  # in a CI job\n",
	.details =
		"The exit status is 0 when every budget is met, 99 when one is exceeded and 98 "
		"when too little was observed to tell.  --format auto adds to the text what GitHub "
		"Actions (annotations and a job summary) or GitLab CI "
		"(gl-code-quality-report.json) show.",
	.run = run_check,
};
