#include "cli/options.h"

#include <errno.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "core/arena.h"
#include "core/duration.h"
#include "core/suggest.h"

#define FIELD(name) offsetof(struct options, name)

const struct option options_table[] = {
	/* clang-format off */
	{ "output", 'o', "FILE", "run attach top report check", OPTION_TEXT, FIELD(output), NULL,
	  "write the recording (report, check: the report) to FILE" },
	{ "format", 'f', "FORMAT", "report check", OPTION_TEXT, FIELD(format),
	  "auto|text|json|html|pprof|speedscope|cpuprofile|folded|sarif|junit|github|gitlab|markdown",
	  "what to write (text); auto: and what the CI service shows" },
	{ "format", 'f', "FORMAT", "scan", OPTION_TEXT, FIELD(format), "text|json|sarif",
	  "what to write (text)" },
	{ "format", 'f', "FORMAT", "diff", OPTION_TEXT, FIELD(format), "text|markdown",
	  "what to write (text); markdown: for a comment on a change" },
	{ "fail-on", 0, "VERDICT", "scan", OPTION_TEXT, FIELD(fail_on), "exponential|polynomial",
	  "fail with status 99 if a pattern is that bad or worse" },
	{ "json", 0, NULL, "doctor dump regex", OPTION_SWITCH, FIELD(as_json), NULL,
	  "print JSON instead of text" },
	{ "json", 0, "FILE", "run attach", OPTION_TEXT, FIELD(json), NULL,
	  "also write the report as JSON to FILE, - for standard output" },
	{ "html", 0, "FILE", "run attach top", OPTION_TEXT, FIELD(html), NULL,
	  "write the HTML report to FILE" },
	{ "no-html", 0, NULL, "run attach top", OPTION_SWITCH, FIELD(no_html), NULL,
	  "write no HTML report" },
	{ "open", 0, NULL, "run attach top report", OPTION_SWITCH, FIELD(open), NULL,
	  "show the HTML report in a browser" },
	{ "show-queries", 0, NULL, "run attach", OPTION_SWITCH, FIELD(show_queries), NULL,
	  "keep what follows the ? of requests, and arguments of commands" },
	{ "redact", 0, NULL, "run attach report", OPTION_SWITCH, FIELD(redact), NULL,
	  "hide arguments, folders, hosts and requests in the reports, not in the recording" },
	{ "no-source-maps", 0, NULL, "run attach top dump report check agent", OPTION_SWITCH, FIELD(no_source_maps), NULL,
	  "show lines of the JavaScript that ran, not of the source it was made from" },
	{ "threshold", 't', "TIME", "run attach top agent", OPTION_DURATION, FIELD(threshold), NULL,
	  "a turn that lasts this long is a stall (20ms)" },
	{ "duration", 'd', "TIME", "run attach top", OPTION_DURATION, FIELD(duration), NULL,
	  "stop observing after TIME; the target goes on" },
	{ "startup", 0, "TIME", "run attach top agent", OPTION_DURATION, FIELD(startup), NULL,
	  "count stalls of the first TIME as startup (until the target listens)" },
	{ "budget", 'b', "EXPR", "run attach check", OPTION_LIST, FIELD(budgets), NULL,
	  "fail with status 99 unless EXPR holds: 'lag.p99<50ms'; may be repeated" },
	{ "baseline", 0, "FILE", "run attach check", OPTION_TEXT, FIELD(baseline), NULL,
	  "the recording that budgets such as 'lag.p99<baseline*1.2+5ms' compare with" },
	{ "any-machine", 0, NULL, "run attach check", OPTION_SWITCH, FIELD(any_machine), NULL,
	  "compare with a baseline of another machine all the same" },
	{ "raise", 0, NULL, "baseline", OPTION_SWITCH, FIELD(raise), NULL,
	  "replace the baseline although the new recording is worse" },
	{ "config", 0, "FILE", "run attach check", OPTION_TEXT, FIELD(config), NULL,
	  "read budgets and allowances from FILE (lagprof.json, if there is one)" },
	{ "on-port", 0, "CMD", "run top", OPTION_TEXT, FIELD(on_port), NULL,
	  "run the shell command CMD once the target listens, on $PORT" },
	{ "on-stall", 0, "CMD", "run attach top", OPTION_TEXT, FIELD(on_stall), NULL,
	  "run the shell command CMD at each stall" },
	{ "engine", 0, "NAME", "regex", OPTION_CHOICE, FIELD(engine), "v8|pcre2|python",
	  "whose syntax and behaviour (v8)" },
	{ "flags", 0, "FLAGS", "regex", OPTION_TEXT, FIELD(flags), NULL,
	  "flags of patterns that are not written as /PATTERN/FLAGS" },
	{ "loops", 0, "WHICH", "run attach top agent", OPTION_CHOICE, FIELD(loops), "main|all",
	  "watch the main loop, or every thread that is one (main)" },
	{ "follow", 0, NULL, "run attach top", OPTION_SWITCH, FIELD(follow), NULL,
	  "watch the processes that the target starts, too" },
	{ "strict", 0, NULL, "run attach", OPTION_SWITCH, FIELD(strict), NULL,
	  "list every blocking call (files, DNS, children, sleeps) made while serving" },
	{ "freq", 'F', "HZ", "run attach top dump agent", OPTION_RATE, FIELD(freq), NULL,
	  "take HZ samples a second inside a stall (997)" },
	{ "probe", 0, "NAME", "run attach top agent", OPTION_TEXT, FIELD(probe), "auto|exact|light|user|shim|proc",
	  "where events come from (auto: the best that works here)" },
	{ "max-overhead", 0, "PERCENT", "run attach top agent", OPTION_PERCENT, FIELD(max_overhead), NULL,
	  "of its time that watching may take from the target, with --probe auto (1)" },
	{ "unwinder", 0, "NAME", "run attach top dump agent", OPTION_TEXT, FIELD(unwinder), "native|libunwind",
	  "how stacks are made (native)" },
	{ "name", 'n', "PATTERN", "agent", OPTION_LIST, FIELD(names), NULL,
	  "watch every process whose command or script has this name, * for any text; may be repeated" },
	{ "listen", 'l', "ADDRESS", "agent", OPTION_TEXT, FIELD(listen), NULL,
	  "where to serve (127.0.0.1:9095); unix:PATH for a socket that only you may open" },
	{ "expose", 0, NULL, "agent", OPTION_SWITCH, FIELD(expose), NULL,
	  "let --listen take an address that other machines reach" },
	{ "compat", 0, "NAMES", "agent", OPTION_CHOICE, FIELD(compat), "none|prom-client",
	  "serve the lag also as the gauges that dashboards for prom-client know (none)" },
	{ "tui", 0, NULL, "run", OPTION_SWITCH, FIELD(tui), NULL,
	  "show the live view of lagprof top" },
	{ "once", 0, NULL, "top", OPTION_SWITCH, FIELD(once), NULL,
	  "print one screen as text after --duration (2s) and end" },
	{ "quiet", 'q', NULL, "run attach check baseline scan agent", OPTION_SWITCH, FIELD(quiet), NULL,
	  "say only what went wrong" },
	{ "verbose", 'v', NULL, "run attach top report check scan", OPTION_SWITCH, FIELD(verbose), NULL,
	  "say more: every stack, and how things were seen" },
	{ "color", 0, "WHEN", "run attach top dump report check diff regex scan", OPTION_CHOICE, FIELD(color), "auto|always|never",
	  "color the output (auto: on a terminal, unless NO_COLOR is set)" },
	{ "ascii", 0, NULL, "run attach top dump report check diff regex doctor scan", OPTION_SWITCH, FIELD(ascii), NULL,
	  "use no character outside ASCII" },
	{ "help", 'h', NULL, "*", OPTION_SWITCH, FIELD(help), NULL,
	  "show this help" },
	{ 0 },
	/* clang-format on */
};

/* Is name one of the words of list? */
static bool has_word(const char *list, const char *name, char separator)
{
	size_t len = strlen(name);

	for (const char *word = list; word; word = strchr(word, separator)) {
		word += *word == separator;
		if (strncmp(word, name, len) == 0 && (word[len] == separator || word[len] == '\0'))
			return true;
	}
	return false;
}

bool option_belongs(const struct option *o, const struct command *c)
{
	return strcmp(o->commands, "*") == 0 || has_word(o->commands, c->name, ' ');
}

/* The index of word in "a|b|c", or -1. */
static int choice_index(const char *values, const char *word)
{
	size_t len = strlen(word);
	int index = 0;

	for (const char *v = values; v; v = strchr(v, '|'), index++) {
		v += *v == '|';
		if (strncmp(v, word, len) == 0 && (v[len] == '|' || v[len] == '\0'))
			return len > 0 ? index : -1;
	}
	return -1;
}

/* The nearest of the row's words, or the first. */
static int fix_choice(const struct option *row, const char *value, struct error *err)
{
	char words[200], *save = NULL;
	struct suggest near = { .word = value };

	snprintf(words, sizeof(words), "%s", row->values);
	for (char *w = strtok_r(words, "|", &save); w; w = strtok_r(NULL, "|", &save))
		suggest_offer(&near, w);
	return error_fix(err, "--%s %s", row->name, near.best ? near.best : words);
}

/* The index of value among the row's words. */
static int find_choice(const struct option *row, const char *value, struct error *err)
{
	int index = choice_index(row->values, value);

	if (index >= 0)
		return index;
	error_set(err, -EINVAL, "--%s: \"%s\" is not one of %s", row->name, value, row->values);
	return fix_choice(row, value, err);
}

static int set_choice(const struct option *row, int *field, const char *value, struct error *err)
{
	int index = find_choice(row, value, err);

	if (index < 0)
		return index;
	*field = index;
	return 0;
}

static int set_text(const struct option *row, const char **field, const char *value,
		    struct error *err)
{
	int index = row->values ? find_choice(row, value, err) : 0;

	if (index < 0)
		return index;
	*field = value;
	return 0;
}

static int set_duration(const struct option *row, nsec *field, const char *value, struct error *err)
{
	nsec ns;

	if (duration_parse(value, &ns) < 0 || ns == 0) {
		error_set(err, -EINVAL, "--%s: \"%s\" is not a length of time", row->name, value);
		return error_fix(err, "--%s 20ms (units: us, ms, s, m, h)", row->name);
	}
	*field = ns;
	return 0;
}

static int set_rate(const struct option *row, uint32_t *field, const char *value, struct error *err)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (value[0] < '0' || value[0] > '9' || *end || n < 1 || n > 20000) {
		error_set(err, -EINVAL, "--%s: \"%s\" is not a number from 1 to 20000", row->name,
			  value);
		return error_fix(err, "--%s 997", row->name);
	}
	*field = (uint32_t)n;
	return 0;
}

static int set_percent(const struct option *row, double *field, const char *value,
		       struct error *err)
{
	char *end;
	double percent = strtod(value, &end);

	if (*end == '%')
		end++;
	if (end == value || *end || !(percent > 0 && percent <= 100)) {
		error_set(err, -EINVAL, "--%s: \"%s\" is not a percentage above 0", row->name,
			  value);
		return error_fix(err, "--%s 0.5", row->name);
	}
	*field = percent / 100;
	return 0;
}

/* value is NULL for a switch; else it lives as long as o. */
static int set_option(struct options *o, const struct option *row, const char *value,
		      struct error *err)
{
	void *field = (char *)o + row->offset;
	struct option_list *list = field;

	switch (row->type) {
	case OPTION_SWITCH:
		*(bool *)field = true;
		return 0;
	case OPTION_TEXT:
		return set_text(row, field, value, err);
	case OPTION_LIST:
		list->items[list->n++] = value;
		return 0;
	case OPTION_DURATION:
		return set_duration(row, field, value, err);
	case OPTION_RATE:
		return set_rate(row, field, value, err);
	case OPTION_PERCENT:
		return set_percent(row, field, value, err);
	case OPTION_CHOICE:
		return set_choice(row, field, value, err);
	}
	abort();
}

static void set_defaults(struct options *o, int argc)
{
	size_t words = (size_t)argc + 1;

	*o = (struct options){
		.threshold = 20000000,
		.startup = STARTUP_AUTO,
		.freq = 997,
		.probe = "auto",
		.max_overhead = 0.01,
		.unwinder = "native",
		.flags = "",
	};
	/* No list is longer than the command line. */
	o->budgets.items = arena_alloc(&o->arena, words * sizeof(*o->budgets.items));
	o->names.items = arena_alloc(&o->arena, words * sizeof(*o->names.items));
	o->args = arena_alloc(&o->arena, words * sizeof(*o->args));
}

/* An option that this subcommand does not know: one of another, or the nearest it has. */
static int refuse_unknown(const struct command *c, const char *word, struct error *err)
{
	const char *name = word + strspn(word, "-");
	struct suggest near = { 0 };
	char bare[64];

	snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(name, "="), name);
	near.word = bare;
	error_set(err, -EINVAL, "%s: unknown option %s", c->name, word);
	error_fix(err, "lagprof %s --help", c->name);
	for (const struct option *o = options_table; o->name; o++) {
		if (option_belongs(o, c))
			suggest_offer(&near, o->name);
		else if (strcmp(o->name, bare) == 0)
			return error_set(err, -EINVAL, "%s has no option --%s (it belongs to: %s)",
					 c->name, bare, o->commands);
	}
	if (near.best)
		error_fix(err, "--%s", near.best);
	return err->code;
}

static int refuse(poptContext popt, int code, const struct command *c, struct error *err)
{
	const char *word = poptBadOption(popt, POPT_BADOPTION_NOALIAS);

	if (code == POPT_ERROR_BADOPT)
		return refuse_unknown(c, word, err);
	error_set(err, -EINVAL, "%s: %s: %s", c->name, word,
		  code == POPT_ERROR_NOARG ? "needs a value" : poptStrerror(code));
	return error_fix(err, "lagprof %s --help", c->name);
}

/* popt only takes the words apart: every option is a string to it, its val the row's number. */
static void make_popt_table(struct poptOption *table, const struct command *c)
{
	size_t n = 0;

	for (int i = 0; options_table[i].name; i++) {
		const struct option *o = &options_table[i];

		if (option_belongs(o, c))
			table[n++] = (struct poptOption){
				.longName = o->name,
				.shortName = o->letter,
				.argInfo = o->argument ? POPT_ARG_STRING : POPT_ARG_NONE,
				.val = i + 1,
			};
	}
	table[n] = (struct poptOption)POPT_TABLEEND;
}

static int read_options(struct options *o, const struct command *c, poptContext popt,
			struct error *err)
{
	int code = 0, ret = 0;

	while (ret == 0 && !o->help && (code = poptGetNextOpt(popt)) >= 0) {
		char *value = poptGetOptArg(popt);

		ret = set_option(o, &options_table[code - 1],
				 value ? arena_strdup(&o->arena, value) : NULL, err);
		free(value);
	}
	if (ret < 0)
		return ret;
	return o->help || code == -1 ? 0 : refuse(popt, code, c, err);
}

/* A part of argv. */
struct words {
	int n;
	char **v;
};

/* Options and operands; where the operands are a command, options end at the first. */
static int parse(struct options *o, const struct command *c, struct words words, bool wraps,
		 struct error *err)
{
	struct poptOption table[sizeof(options_table) / sizeof(options_table[0])];
	poptContext popt;
	int ret;

	make_popt_table(table, c);
	popt = poptGetContext(NULL, words.n, (const char **)words.v, table,
			      POPT_CONTEXT_KEEP_FIRST | (wraps ? POPT_CONTEXT_POSIXMEHARDER : 0));
	ret = read_options(o, c, popt, err);
	for (const char **arg = poptGetArgs(popt); arg && *arg; arg++)
		o->args[o->n_args++] = arena_strdup(&o->arena, *arg);
	poptFreeContext(popt);
	return ret;
}

int options_parse(struct options *o, const struct command *c, int argc, char **argv,
		  struct error *err)
{
	int ret, after;

	set_defaults(o, argc);
	ret = parse(o, c, (struct words){ argc, argv }, c->wraps, err);
	after = argc - o->n_args; /* the first operand */
	if (ret < 0 || o->n_args < 2 || !c->stands_alone || !c->stands_alone(o->args[0]) ||
	    (after > 0 && strcmp(argv[after - 1], "--") == 0))
		return ret;
	while (o->n_args > 1)
		o->args[--o->n_args] = NULL;
	return parse(o, c, (struct words){ argc - after - 1, argv + after + 1 }, false, err);
}

void options_free(struct options *o)
{
	arena_free(&o->arena);
}
