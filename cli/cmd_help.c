#include "cli/help.h"

#include <string.h>

#include "cli/complain.h"
#include "core/strings.h"

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

enum { WIDTH = 80, LEFT = 26 };

/* Words up to column WIDTH, each line after the first indented; the cursor is at indent. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
	int column = indent;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column > indent && column + 1 + len > WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", len, text);
		column += len;
		text += len + (text[len] == ' ');
	}
	fputc('\n', out);
}

static void print_option(FILE *out, const struct option *o)
{
	char left[64];
	struct strbuf help = { 0 };

	snprintf(left, sizeof(left), "%c%c%s--%s%s%s", o->letter ? '-' : ' ',
		 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
		 o->argument ? " " : "", o->argument ? o->argument : "");
	fprintf(out, "  %-*s", LEFT - 2, left);
	if (strlen(left) >= LEFT - 2)
		fprintf(out, "\n%*s", LEFT, "");
	strbuf_puts(&help, o->help);
	if (o->values)
		strbuf_puts(&help, "; one of ");
	/* With blanks, so that a long list can be wrapped. */
	for (const char *v = o->values; v && *v; v++)
		strbuf_add(&help, *v == '|' ? ", " : v, *v == '|' ? 2 : 1);
	print_wrapped(out, help.s, LEFT);
	strbuf_destroy(&help);
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
	if (c->details) {
		fputc('\n', out);
		print_wrapped(out, c->details, 0);
	}
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
