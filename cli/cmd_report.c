#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analyzers/analyze.h"
#include "cli/browser.h"
#include "cli/ci.h"
#include "cli/command.h"
#include "cli/complain.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/recording_file.h"
#include "core/redact.h"
#include "sampler/places.h"

/* Writes HTML to a file, beside the recording if no other is named, and shows it. */
static int show(const struct options *o, const struct report *report, const char *recording,
		struct error *err)
{
	const char *path = o->output;
	char name[4200];
	int ret;

	if (!path || strcmp(path, "-") == 0)
		path = output_beside(name, sizeof(name), recording, ".html");
	ret = output_render(&renderer_html, report, path, err);
	if (ret < 0)
		return ret;
	fprintf(stderr, "report: %s\n", path);
	browser_open(path);
	return 0;
}

static int write_report(const struct options *o, const struct report *report, const char *recording,
			struct error *err)
{
	if (o->open)
		return show(o, report, recording, err);
	/* What the CI service wants. */
	if (o->format && strcmp(o->format, "auto") == 0)
		return ci_report(o, report, err);
	return output_render(o->format ? renderer_find(o->format) : renderers[0], report, o->output,
			     err);
}

static int render(const struct options *o, struct recording *rec, const char *name,
		  struct error *err)
{
	struct diagnosis *diagnosis;
	struct report report;
	int ret;

	/* One that was cut short was not finished by the session that wrote it. */
	places_resolve(rec, 0, !o->no_source_maps);
	if (o->redact)
		recording_redact(rec);
	diagnosis = diagnose(rec);
	report = (struct report){
		.rec = rec,
		.diagnosis = diagnosis,
		.color = !o->output && terminal_color(o, STDOUT_FILENO),
		.ascii = terminal_ascii(o),
		.verbose = o->verbose,
		.width = o->output ? 0 : terminal_width(STDOUT_FILENO),
	};
	ret = write_report(o, &report, name, err);
	diagnosis_free(diagnosis);
	return ret;
}

static int run_report(const struct options *o, int argc, char **argv)
{
	struct error err = { 0 };
	struct recording *rec;
	int ret;

	if (argc != 1)
		return complain_usage("lagprof report FILE.lagprof",
				      "report: name one recording, not %d", argc);
	if (o->open && o->format && strcmp(o->format, "html") != 0)
		return complain_usage("lagprof report --open FILE.lagprof",
				      "report: --open shows HTML, not %s", o->format);
	ret = recording_read(&rec, argv[0], &err);
	if (ret < 0 && !err.fix[0])
		error_fix(&err, "lagprof run -o FILE.lagprof -- COMMAND makes a recording");
	if (ret < 0)
		return complain(STATUS_FAILED, &err);
	ret = render(o, rec, argv[0], &err);
	recording_free(rec);
	return ret < 0 ? complain(STATUS_FAILED, &err) : STATUS_OK;
}

const struct command command_report = {
	.name = "report",
	.operands = "FILE",
	.help = "show a recording, as text or in another format",
	.examples = "lagprof report server.lagprof\n"
		    "lagprof report --format json -o server.json server.lagprof\n"
		    "lagprof report --open server.lagprof      # the HTML page, in a browser\n"
		    "lagprof report --redact --format html -o share.html server.lagprof",
	.run = run_report,
};
