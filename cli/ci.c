#include "cli/ci.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/output.h"

enum ci ci_service(void)
{
	const char *github = getenv("GITHUB_ACTIONS"), *gitlab = getenv("GITLAB_CI");

	if (github && strcmp(github, "true") == 0)
		return CI_GITHUB;
	return gitlab && gitlab[0] ? CI_GITLAB : CI_NONE;
}

/* Names in the text are the target's: none of its lines may act as a command of the service. */
static int put_inert(const struct report *report, const char *path, struct error *err)
{
	uint64_t token[2] = { 0 };
	int ret;

	if (getrandom(token, sizeof(token), 0) != sizeof(token))
		return error_set(err, -1, "no random bytes: %m");
	printf("::stop-commands::%016" PRIx64 "%016" PRIx64 "\n", token[0], token[1]);
	ret = output_render(&renderer_text, report, path, err);
	printf("::%016" PRIx64 "%016" PRIx64 "::\n", token[0], token[1]);
	return ret;
}

static int report_github(const struct options *o, const struct report *report, struct error *err)
{
	const char *summary = getenv("GITHUB_STEP_SUMMARY");
	int ret = o->quiet ? 0 : put_inert(report, o->output, err);

	if (ret == 0)
		ret = output_render(&renderer_github, report, NULL, err);
	if (ret == 0 && summary && summary[0])
		ret = output_append(&renderer_markdown, report, summary, err);
	return ret;
}

static int report_gitlab(const struct options *o, const struct report *report, struct error *err)
{
	const char *path = o->output ? o->output : "gl-code-quality-report.json";
	int ret = o->quiet ? 0 : output_render(&renderer_text, report, NULL, err);

	return ret == 0 ? output_render(&renderer_gitlab, report, path, err) : ret;
}

int ci_report(const struct options *o, const struct report *report, struct error *err)
{
	switch (ci_service()) {
	case CI_GITHUB:
		return report_github(o, report, err);
	case CI_GITLAB:
		return report_gitlab(o, report, err);
	default:
		return o->quiet && !o->output
			       ? 0
			       : output_render(&renderer_text, report, o->output, err);
	}
}
