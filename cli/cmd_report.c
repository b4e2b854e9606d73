#include <unistd.h>

#include "analyzers/analyze.h"
#include "cli/ci.h"
#include "cli/command.h"
#include "cli/complain.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/recording_file.h"
#include "sampler/symbols.h"

/* renderer NULL: what the CI service wants. */
static int render(const struct options *o, const struct renderer *renderer, struct recording *rec,
		  struct error *err)
{
	struct diagnosis *diagnosis;
	struct report report;
	int ret;

	/* One that was cut short was not finished by the session that wrote it. */
	if (!rec->session.resolved)
		symbols_resolve(rec, 0);
	diagnosis = diagnose(rec);
	report = (struct report){
		.rec = rec,
		.diagnosis = diagnosis,
		.color = !o->output && terminal_color(o, STDOUT_FILENO),
		.ascii = terminal_ascii(o),
		.verbose = o->verbose,
		.width = o->output ? 0 : terminal_width(STDOUT_FILENO),
	};
	ret = renderer ? output_render(renderer, &report, o->output, err)
		       : ci_report(o, &report, err);
	diagnosis_free(diagnosis);
	return ret;
}

static int run_report(const struct options *o, int argc, char **argv)
{
	const struct renderer *renderer = o->format ? renderer_find(o->format) : renderers[0];
	struct error err = { 0 };
	struct recording *rec;
	int ret;

	if (argc != 1)
		return complain_usage("lagprof report FILE.lagprof",
				      "report: name one recording, not %d", argc);
	ret = recording_read(&rec, argv[0], &err);
	if (ret < 0 && !err.fix[0])
		error_fix(&err, "lagprof run -o FILE.lagprof -- COMMAND makes a recording");
	if (ret < 0)
		return complain(STATUS_FAILED, &err);
	ret = render(o, renderer, rec, &err);
	recording_free(rec);
	return ret < 0 ? complain(STATUS_FAILED, &err) : STATUS_OK;
}

const struct command command_report = {
	.name = "report",
	.operands = "FILE",
	.help = "show a recording, as text or in another format",
	.examples = "lagprof report server.lagprof\n"
		    "lagprof report --format json -o server.json server.lagprof",
	.run = run_report,
};
