#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/complain.h"

/* What to offer for an operand or an option's value, told from the way the help names it. */
enum offer { OFFER_NOTHING, OFFER_WORDS, OFFER_FILE, OFFER_PID, OFFER_COMMAND_LINE };

static enum offer option_offer(const struct option *o)
{
	if (o->values)
		return OFFER_WORDS;
	return strcmp(o->argument, "FILE") == 0 ? OFFER_FILE : OFFER_NOTHING;
}

static enum offer operand_offer(const struct command *c)
{
	if (c->wraps)
		return OFFER_COMMAND_LINE;
	if (strstr(c->operands, "PID"))
		return OFFER_PID;
	if (strstr(c->operands, "FILE"))
		return OFFER_FILE;
	return c->operands[0] ? OFFER_WORDS : OFFER_NOTHING;
}

/* "auto|always" as "auto always". */
static void put_words(const char *values)
{
	for (; *values; values++)
		putchar(*values == '|' ? ' ' : *values);
}

static void put_command_names(void)
{
	for (const struct command *const *c = commands; *c; c++)
		if ((*c)->help)
			printf("%s ", (*c)->name);
}

static void put_operand_words(const struct command *c)
{
	if (strchr(c->operands, '|'))
		put_words(c->operands);
	else
		put_command_names();
}

/* Text inside '...' of any of the three shells. */
static void put_quoted(const char *s, const char *escape)
{
	for (; *s; s++) {
		if (*s == '\'')
			fputs("'\\''", stdout);
		else if (strchr(escape, *s))
			printf("\\%c", *s);
		else
			putchar(*s);
	}
}

/* A `case` arm for each option of c that takes a value. */
static void bash_values(const struct command *c)
{
	for (const struct option *o = options_table; o->name; o++) {
		if (!option_belongs(o, c) || !o->argument)
			continue;
		printf("\t%s:--%s", c->name, o->name);
		if (o->letter)
			printf("|%s:-%c", c->name, o->letter);
		fputs(") ", stdout);
		if (option_offer(o) == OFFER_WORDS) {
			fputs("words='", stdout);
			put_words(o->values);
			fputs("' ;;\n", stdout);
		} else {
			puts(option_offer(o) == OFFER_FILE ? "compopt -o default; return ;;"
							   : "return ;;");
		}
	}
}

static void bash_options(const struct command *c)
{
	printf("\t%s:-*) words='", c->name);
	for (const struct option *o = options_table; o->name; o++)
		if (option_belongs(o, c))
			printf("--%s ", o->name);
	puts("' ;;");
}

static void bash_operands(const struct command *c)
{
	printf("\t%s:*) ", c->name);
	switch (operand_offer(c)) {
	case OFFER_COMMAND_LINE:
		puts("compopt -o default; COMPREPLY=($(compgen -c -- \"$cur\")); return ;;");
		break;
	case OFFER_PID:
		puts("words=$(cd /proc && echo [0-9]*) ;;");
		break;
	case OFFER_FILE:
		puts("compopt -o default; return ;;");
		break;
	case OFFER_WORDS:
		fputs("words='", stdout);
		put_operand_words(c);
		puts("' ;;");
		break;
	case OFFER_NOTHING:
		puts(";;");
		break;
	}
}

static void bash_each(void (*print)(const struct command *c))
{
	for (const struct command *const *c = commands; *c; c++)
		if ((*c)->help)
			print(*c);
}

static void print_bash(void)
{
	puts("# bash completion of lagprof: eval \"$(lagprof completion bash)\"\n"
	     "_lagprof()\n"
	     "{\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=\n"
	     "\tlocal command=${COMP_WORDS[1]}\n\n"
	     "\tCOMPREPLY=()\n"
	     "\tif ((COMP_CWORD == 1)); then\n"
	     "\t\tprev= command=:");
	fputs("\t\twords='", stdout);
	put_command_names();
	puts("--help --version'\n"
	     "\tfi\n"
	     "\tcase $command:$prev in");
	bash_each(bash_values);
	puts("\tesac\n"
	     "\t[[ $words ]] || case $command:$cur in");
	bash_each(bash_options);
	bash_each(bash_operands);
	puts("\tesac\n"
	     "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	     "}\n"
	     "complete -F _lagprof lagprof");
}

static void zsh_option(const struct option *o)
{
	fputs("\t\t\t", stdout);
	if (o->letter)
		printf("'(-%c --%s)'{-%c,--%s}'", o->letter, o->name, o->letter, o->name);
	else
		printf("%s'--%s", o->type == OPTION_LIST ? "'*'" : "", o->name);
	putchar('[');
	put_quoted(o->help, "[]:");
	putchar(']');
	if (o->argument) {
		printf(":%s:", o->argument);
		if (option_offer(o) == OFFER_WORDS) {
			putchar('(');
			put_words(o->values);
			putchar(')');
		} else if (option_offer(o) == OFFER_FILE) {
			fputs("_files", stdout);
		}
	}
	puts("' \\");
}

static void zsh_command(const struct command *c)
{
	printf("\t%s)\n\t\t_arguments -S %s\\\n", c->name, c->wraps ? "-A '-*' " : "");
	for (const struct option *o = options_table; o->name; o++)
		if (option_belongs(o, c))
			zsh_option(o);
	switch (operand_offer(c)) {
	case OFFER_COMMAND_LINE:
		puts("\t\t\t'*::command line:_normal' ;;");
		break;
	case OFFER_PID:
		puts("\t\t\t'*:PID:_pids' ;;");
		break;
	case OFFER_FILE:
		puts("\t\t\t'*:FILE:_files' ;;");
		break;
	case OFFER_WORDS:
		fputs("\t\t\t'*:word:(", stdout);
		put_operand_words(c);
		puts(")' ;;");
		break;
	case OFFER_NOTHING:
		puts("\t\t\t;;");
		break;
	}
}

static void print_zsh(void)
{
	puts("#compdef lagprof\n"
	     "# zsh completion of lagprof: lagprof completion zsh > FOLDER_OF_FPATH/_lagprof\n"
	     "if ((CURRENT == 2)); then\n"
	     "\tlocal -a commands=(");
	for (const struct command *const *c = commands; *c; c++) {
		if (!(*c)->help)
			continue;
		printf("\t\t'%s:", (*c)->name);
		put_quoted((*c)->help, ":");
		puts("'");
	}
	puts("\t)\n"
	     "\t_describe command commands\n"
	     "else\n"
	     "\tshift words\n"
	     "\t((CURRENT--))\n"
	     "\tcase $words[1] in");
	bash_each(zsh_command);
	puts("\tesac\n"
	     "fi");
}

static void fish_option(const struct command *c, const struct option *o)
{
	printf("complete -c lagprof -n '__fish_seen_subcommand_from %s' -l %s", c->name, o->name);
	if (o->letter)
		printf(" -s %c", o->letter);
	if (o->argument && option_offer(o) == OFFER_WORDS) {
		fputs(" -xa '", stdout);
		put_words(o->values);
		putchar('\'');
	} else if (o->argument) {
		fputs(option_offer(o) == OFFER_FILE ? " -rF" : " -x", stdout);
	}
	fputs(" -d '", stdout);
	put_quoted(o->help, "");
	puts("'");
}

static void fish_command(const struct command *c)
{
	static const char *const operands[] = {
		[OFFER_FILE] = "-F",
		[OFFER_PID] = "-a '(__fish_complete_pids)'",
		[OFFER_COMMAND_LINE] = "-a '(__fish_complete_subcommand --fcs-skip=2)'",
	};
	enum offer offer = operand_offer(c);

	printf("complete -c lagprof -n __fish_use_subcommand -a %s -d '", c->name);
	put_quoted(c->help, "");
	puts("'");
	for (const struct option *o = options_table; o->name; o++)
		if (option_belongs(o, c))
			fish_option(c, o);
	if (offer == OFFER_NOTHING)
		return;
	printf("complete -c lagprof -n '__fish_seen_subcommand_from %s' ", c->name);
	if (offer != OFFER_WORDS) {
		puts(operands[offer]);
		return;
	}
	fputs("-a '", stdout);
	put_operand_words(c);
	puts("'");
}

static void print_fish(void)
{
	puts("# fish completion of lagprof: lagprof completion fish | source\n"
	     "complete -c lagprof -f");
	bash_each(fish_command);
}

static const struct {
	const char *name;
	void (*print)(void);
} shells[] = {
	{ "bash", print_bash },
	{ "zsh", print_zsh },
	{ "fish", print_fish },
};

static int run_completion(const struct options *o, int argc, char **argv)
{
	for (size_t i = 0; argc == 1 && i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i].name, argv[0]) == 0) {
			shells[i].print();
			return STATUS_OK;
		}
	}
	return complain_usage("lagprof completion bash",
			      "completion: say for which shell: bash, zsh or fish");
}

const struct command command_completion = {
	.name = "completion",
	.operands = "bash|zsh|fish",
	.help = "print the completion script of a shell",
	.examples = "eval \"$(lagprof completion bash)\"\n"
		    "lagprof completion zsh > \"${fpath[1]}/_lagprof\"\n"
		    "lagprof completion fish > ~/.config/fish/completions/lagprof.fish",
	.run = run_completion,
};
