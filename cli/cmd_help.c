#include "cli/help.h"

#include <string.h>

#include "cli/complain.h"
#include "cli/suggest.h"

void help_overview(FILE *out)
{
	fputs("lagprof finds what blocks an event loop, from outside the process.\n\n"
	      "usage: lagprof COMMAND [options] ...\n\n",
	      out);
	for (const struct command *const *c = commands; *c; c++)
		if ((*c)->help)
			fprintf(out, "  %-11s %s\n", (*c)->name, (*c)->help);
	fputs("\nlagprof help COMMAND tells more about one.  lagprof --version prints the "
	      "version.\n",
	      out);
}

static void print_option(FILE *out, const struct option *o)
{
	char letter[5] = "    ", left[64];

	if (o->letter)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->argument ? " " : "",
		 o->argument ? o->argument : "");
	fprintf(out, "  %-24s %s%s%s%s\n", left, o->help, o->values ? "; one of " : "",
		o->values ? o->values : "", "");
}

void help_command(FILE *out, const struct command *c)
{
	fprintf(out, "lagprof %s: %s\n", c->name, c->help);
	if (c->examples) {
		fputc('\n', out);
		for (const char *line = c->examples; *line;) {
			size_t len = strcspn(line, "\n");

			fprintf(out, "  %.*s\n", (int)len, line);
			line += len + (line[len] == '\n');
		}
	}
	fprintf(out, "\nusage: lagprof %s [options]%s%s\n\n", c->name, c->operands[0] ? " " : "",
		c->operands);
	for (const struct option *o = options_table; o->name; o++)
		if (option_belongs(o, c))
			print_option(out, o);
	if (c->details)
		fprintf(out, "\n%s\n", c->details);
}

static int run_help(const struct options *o, int argc, char **argv)
{
	const struct command *c;

	if (argc == 0) {
		help_overview(stdout);
		return STATUS_OK;
	}
	c = command_find(argv[0]);
	if (!c || !c->help)
		return complain_usage("lagprof help", "help: there is no command \"%s\"", argv[0]);
	help_command(stdout, c);
	return STATUS_OK;
}

const struct command command_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.help = "say what a command does, with examples",
	.examples = "lagprof help run",
	.run = run_help,
};
