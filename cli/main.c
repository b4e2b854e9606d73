#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/complain.h"
#include "cli/help.h"
#include "core/suggest.h"

const struct command *const commands[] = {
	/* clang-format off */
	&command_run,
	&command_attach,
	&command_top,
	&command_dump,
	&command_report,
	&command_check,
	&command_diff,
	&command_baseline,
	&command_regex,
	&command_scan,
	&command_agent,
	&command_doctor,
	&command_completion,
	&command_help,
	&command_man,
	NULL,
	/* clang-format on */
};

const struct command *command_find(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

/* Only a command that exists may be offered as the fix. */
static int refuse_command(const char *word)
{
	struct suggest near = { .word = word };
	char fix[200] = "lagprof help";

	for (const struct command *const *c = commands; *c; c++)
		if ((*c)->help)
			suggest_offer(&near, (*c)->name);
	if (near.best)
		snprintf(fix, sizeof(fix), "lagprof %s", near.best);
	else if (word[strspn(word, "0123456789")] == '\0' && command_find("attach"))
		snprintf(fix, sizeof(fix), "lagprof attach %s", word);
	else if (word[0] != '-' && command_find("run"))
		snprintf(fix, sizeof(fix), "lagprof run -- %s ...", word);
	return complain_usage(fix, "unknown %s \"%s\"", word[0] == '-' ? "option" : "command",
			      word);
}

static int run_command(const struct command *c, int argc, char **argv)
{
	struct options o;
	struct error err = { 0 };
	int status;

	if (options_parse(&o, c, argc, argv, &err) < 0) {
		status = complain(STATUS_USAGE, &err);
	} else if (o.help && c->help) {
		help_command(stdout, c);
		status = STATUS_OK;
	} else {
		status = c->run(&o, o.n_args, o.args);
	}
	options_free(&o);
	return status;
}

/* A full disk or a closed pipe must not look like success. */
static int flush_stdout(int status)
{
	struct error err = { 0 };

	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	error_set(&err, -1, "standard output: %m");
	return status == STATUS_OK ? complain(STATUS_FAILED, &err) : status;
}

int main(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		help_overview(stderr);
		return STATUS_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("lagprof " LAGPROF_VERSION);
		return flush_stdout(STATUS_OK);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help_overview(stdout);
		return flush_stdout(STATUS_OK);
	}
	c = command_find(argv[1]);
	if (!c)
		return refuse_command(argv[1]);
	return flush_stdout(run_command(c, argc - 2, argv + 2));
}
