#ifndef LAGPROF_CLI_CI_H
#define LAGPROF_CLI_CI_H

#include "cli/options.h"
#include "report/renderer.h"

enum ci { CI_NONE, CI_GITHUB, CI_GITLAB };

/* The CI service that runs this process, by its environment. */
enum ci ci_service(void);

/*
 * `--format auto`: the text on standard output, unless quiet, and what the CI
 * service shows: for GitHub annotations and the job summary, for GitLab a Code
 * Quality report (-o, or gl-code-quality-report.json).
 */
int ci_report(const struct options *o, const struct report *report, struct error *err);

#endif
