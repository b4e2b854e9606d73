#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/complain.h"
#include "core/strings.h"

/* docs/lagprof.1 is this command's output; the test golden.cli fails when they differ. */

/* Text for troff: a literal minus, no escape, no request at the start of a line. */
static void put_text(const char *s)
{
	for (const char *p = s; *p; p++) {
		if (*p == '\\')
			fputs("\\e", stdout);
		else if (*p == '-')
			fputs("\\-", stdout);
		else if ((p == s || p[-1] == '\n') && (*p == '.' || *p == '\''))
			printf("\\&%c", *p);
		else
			putchar(*p);
	}
}

static void print_examples(void)
{
	puts(".SH EXAMPLES\n.nf");
	for (const struct command *const *c = commands; *c; c++) {
		if (!(*c)->help || !(*c)->examples)
			continue;
		put_text((*c)->examples);
		putchar('\n');
	}
	puts(".fi");
}

static void print_commands(void)
{
	puts(".SH COMMANDS");
	for (const struct command *const *c = commands; *c; c++) {
		if (!(*c)->help)
			continue;
		printf(".TP\n.BR %s \" ", (*c)->name);
		put_text((*c)->operands);
		puts("\"");
		put_text((*c)->help);
		puts(".");
		if ((*c)->details) {
			put_text((*c)->details);
			putchar('\n');
		}
	}
}

/* "(run attach)": the commands that take it, when not all do; false if none does. */
static bool describe_commands(const struct option *o, struct strbuf *b)
{
	bool any = false;

	for (const struct command *const *c = commands; *c; c++) {
		if (!(*c)->help || !option_belongs(o, *c))
			continue;
		strbuf_printf(b, "%s%s", any ? " " : "\n(", (*c)->name);
		any = true;
	}
	if (any)
		strbuf_puts(b, ")");
	if (strcmp(o->commands, "*") == 0)
		b->len = 0;
	return any;
}

static void print_option(const struct option *o)
{
	struct strbuf takers = { 0 };

	if (!describe_commands(o, &takers)) {
		strbuf_destroy(&takers);
		return;
	}
	fputs(".TP\n.B ", stdout);
	if (o->letter)
		printf("\\-%c, ", o->letter);
	fputs("\\-\\-", stdout);
	put_text(o->name);
	if (o->argument)
		printf(" \\fI%s\\fR", o->argument);
	putchar('\n');
	put_text(o->help);
	if (o->values) {
		fputs("; one of ", stdout);
		put_text(o->values);
	}
	printf(".%.*s\n", (int)takers.len, takers.len ? takers.s : "");
	strbuf_destroy(&takers);
}

static int run_man(const struct options *o, int argc, char **argv)
{
	puts(".TH LAGPROF 1 \"\" \"lagprof " LAGPROF_VERSION "\"\n"
	     ".SH NAME\n"
	     "lagprof \\- find what blocks an event loop, from outside the process\n"
	     ".SH SYNOPSIS\n"
	     ".B lagprof\n"
	     ".I command\n"
	     "[\\fIoptions\\fR] ...\n"
	     ".SH DESCRIPTION\n"
	     "lagprof watches a process whose main thread runs an event loop (Node.js, Redis, "
	     "nginx,\n"
	     "Python asyncio, any program that sleeps in epoll, poll, select or io_uring) and says "
	     "which\n"
	     "call, at which file and line, kept the loop from polling, for how long, why, and "
	     "what to\n"
	     "do. The process is not modified, stopped or asked.\n"
	     ".PP\n"
	     "A turn is the time from the return of one poll to the entry of the next. A turn that "
	     "lasts\n"
	     "at least the threshold is a stall.");
	print_commands();
	puts(".SH OPTIONS");
	for (const struct option *opt = options_table; opt->name; opt++)
		print_option(opt);
	puts(".SH EXIT STATUS\n"
	     "\\fBrun\\fR exits with the status of its child, and ends by the signal that ended "
	     "it.\n"
	     "\\fBattach\\fR exits with 0 when the target ends, at Ctrl\\-C and after "
	     "\\-\\-duration, \\fBagent\\fR at Ctrl\\-C and SIGTERM.\n"
	     "Apart from these:\n"
	     ".TP\n.B 2\nwrong options or arguments\n"
	     ".TP\n.B 98\nlagprof could not observe enough to judge the budget\n"
	     ".TP\n.B 99\na budget was exceeded\n"
	     ".TP\n.B 125\nlagprof itself failed\n"
	     ".TP\n.B 126\nthe command to run cannot be executed\n"
	     ".TP\n.B 127\nthe command to run was not found\n"
	     ".SH ENVIRONMENT\n"
	     ".TP\n.B NO_COLOR\nif set and not empty, no color is used");
	print_examples();
	return STATUS_OK;
}

const struct command command_man = {
	.name = "man",
	.operands = "",
	.run = run_man,
};
