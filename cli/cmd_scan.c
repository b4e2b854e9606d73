#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/complain.h"
#include "cli/scan_report.h"
#include "cli/terminal.h"

static int report(const struct options *o, const struct scanning *s, struct error *err)
{
	const char *format = o->format ? o->format : "text";
	struct page page = { stdout, terminal_width(STDOUT_FILENO),
			     terminal_color(o, STDOUT_FILENO) };
	char root[PATH_MAX];

	if (strcmp(format, "json") == 0)
		scan_json(stdout, s);
	else if (strcmp(format, "sarif") == 0)
		return scan_sarif(stdout, s, getcwd(root, sizeof(root)) ? root : "", err);
	else if (!o->quiet)
		scan_text(&page, terminal_ascii(o), o->verbose, s);
	return 0;
}

/* Says what was not read; a few say enough. */
static void complain_unread(const struct sources *sources)
{
	enum { SAID_MAX = 10 };
	struct error err = { 0 };

	for (size_t i = 0; i < sources->n_unread && i < SAID_MAX; i++) {
		error_set(&err, -1, "cannot read %s: %s", sources->unread[i].path,
			  sources->unread[i].why);
		complain(STATUS_INCONCLUSIVE, &err);
	}
	if (sources->n_unread > SAID_MAX) {
		error_set(&err, -1, "cannot read %zu more files", sources->n_unread - SAID_MAX);
		error_fix(&err, "--format json, which lists them all");
		complain(STATUS_INCONCLUSIVE, &err);
	}
}

static bool exceeds(const struct options *o, const struct scanning *s)
{
	if (!o->fail_on)
		return false;
	return s->counts[REGEX_EXPONENTIAL] > 0 ||
	       (strcmp(o->fail_on, "polynomial") == 0 && s->counts[REGEX_POLYNOMIAL] > 0);
}

static enum exit_status status_of(const struct options *o, const struct scanning *s)
{
	struct error err = { 0 };

	complain_unread(&s->sources);
	if (exceeds(o, s))
		return STATUS_BUDGET;
	if (s->sources.n == 0 && s->sources.n_unread == 0) {
		error_set(&err, -1, "there is no JavaScript, TypeScript or Python source here");
		return (enum exit_status)complain(STATUS_INCONCLUSIVE, &err);
	}
	return s->sources.n_unread ? STATUS_INCONCLUSIVE : STATUS_OK;
}

static int run_scan(const struct options *o, int argc, char **argv)
{
	struct scanning s = { 0 };
	struct error err = { 0 };
	int status;

	if (argc < 1)
		return complain_usage("lagprof scan .", "scan takes files or folders");
	if (scanning_run(&s, argv, &err) < 0 || report(o, &s, &err) < 0)
		status = complain(STATUS_FAILED, &err);
	else
		status = (int)status_of(o, &s);
	scanning_free(&s);
	return status;
}

const struct command command_scan = {
	.name = "scan",
	.operands = "PATH...",
	.help = "find the dangerous patterns in source files",
	.examples = "lagprof scan .\n"
		    "lagprof scan --fail-on exponential src  # in a CI job\n"
		    "lagprof scan --format sarif . > lagprof.sarif\n",
	.details =
		"Reads the regex literals and RegExp(\"...\") of JavaScript and TypeScript and the "
		"calls of Python's re with literal patterns, and judges each pattern as `lagprof "
		"regex` does.  Of folders, what .gitignore files exclude is left out, and so are "
		"node_modules, .git and symbolic links.  The exit status is 99 if a pattern is as "
		"bad as --fail-on says, and 98 if a file could not be read or there is none.",
	.run = run_scan,
};
