#include "cli/options.h"

#include "cli/command.h"
#include "core/suggest.h"
#include "report/renderer.h"
#include "sampler/probe.h"
#include "tests/test.h"

static const struct command run = { .name = "run", .wraps = true };
static const struct command report = { .name = "report" };

/* Splits line at blanks and parses it as the words after c's name. */
static int parse(struct options *o, const struct command *c, const char *line, struct error *err)
{
	static char copy[256];
	char *argv[32];
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	return options_parse(o, c, argc, argv, err);
}

/* What the error of a bad line says, "message|fix"; "" if it was good. */
static const char *complaint(const struct command *c, const char *line)
{
	static char text[700];
	struct options o;
	struct error err = { 0 };

	text[0] = '\0';
	if (parse(&o, c, line, &err) < 0)
		snprintf(text, sizeof(text), "%s|%s", err.msg, err.fix);
	options_free(&o);
	return text;
}

TEST(options_have_the_defaults_of_the_help)
{
	struct options o;
	struct error err;

	CHECK_EQ(parse(&o, &run, "", &err), 0);
	CHECK_EQ(o.threshold, 20000000);
	CHECK_EQ(o.duration, 0);
	CHECK_EQ(o.startup, STARTUP_AUTO);
	CHECK_EQ(o.freq, 997);
	CHECK_STR(o.probe, "auto");
	CHECK_STR(o.unwinder, "native");
	CHECK_EQ(o.n_args, 0);
	CHECK(o.args[0] == NULL);
	CHECK_EQ(o.budgets.n, 0);
	options_free(&o);
}

static bool is_number(const char *operand)
{
	return *operand >= '0' && *operand <= '9';
}

TEST(options_go_on_after_an_operand_that_is_no_command)
{
	static const struct command top = { .name = "run",
					    .wraps = true,
					    .stands_alone = is_number };
	struct options o;
	struct error err;

	CHECK_EQ(parse(&o, &top, "-t 5ms 42 -o y", &err), 0);
	CHECK_EQ(o.threshold, 5000000);
	CHECK_STR(o.output, "y");
	CHECK_EQ(o.n_args, 1);
	CHECK_STR(o.args[0], "42");
	CHECK(o.args[1] == NULL);
	options_free(&o);
	CHECK_EQ(parse(&o, &top, "-- 42 -o y", &err), 0);
	CHECK(o.output == NULL);
	CHECK_EQ(o.n_args, 3);
	options_free(&o);
	CHECK_EQ(parse(&o, &top, "node -o y", &err), 0);
	CHECK_EQ(o.n_args, 3);
	options_free(&o);
}

TEST(options_of_the_wrapped_command_are_left_to_it)
{
	struct options o;
	struct error err;

	CHECK_EQ(parse(&o, &run, "-t 5ms node --inspect s.js -o y -- z", &err), 0);
	CHECK_EQ(o.threshold, 5000000);
	CHECK(o.output == NULL);
	CHECK_EQ(o.n_args, 7);
	CHECK_STR(o.args[0], "node");
	CHECK_STR(o.args[1], "--inspect");
	CHECK_STR(o.args[5], "--");
	CHECK(o.args[7] == NULL);
	options_free(&o);
}

TEST(options_end_at_two_dashes)
{
	struct options o;
	struct error err;

	CHECK_EQ(parse(&o, &run, "--quiet -- --help -o x", &err), 0);
	CHECK(o.quiet);
	CHECK(!o.help);
	CHECK_EQ(o.n_args, 3);
	CHECK_STR(o.args[0], "--help");
	options_free(&o);
}

TEST(options_may_follow_the_file_of_a_command_that_wraps_nothing)
{
	struct options o;
	struct error err;

	CHECK_EQ(parse(&o, &report, "a.lagprof --format=json -", &err), 0);
	CHECK_STR(o.format, "json");
	CHECK_EQ(o.n_args, 2);
	CHECK_STR(o.args[1], "-");
	options_free(&o);
}

TEST(options_take_every_kind_of_value)
{
	struct options o;
	struct error err;

	CHECK_EQ(parse(&o, &run,
		       "--budget a<1 -b b --loops all --color=never -F 100 --startup 10s "
		       "--json - --no-html x",
		       &err),
		 0);
	CHECK_EQ(o.budgets.n, 2);
	CHECK_STR(o.budgets.items[0], "a<1");
	CHECK_STR(o.budgets.items[1], "b");
	CHECK_EQ(o.loops, LOOPS_ALL);
	CHECK_EQ(o.color, COLOR_NEVER);
	CHECK_EQ(o.freq, 100);
	CHECK_EQ(o.startup, 10000000000);
	CHECK_STR(o.json, "-");
	CHECK(o.no_html);
	options_free(&o);
}

TEST(options_name_the_nearest_when_unknown)
{
	CHECK_STR(complaint(&run, "--treshold 5ms x"),
		  "run: unknown option --treshold|--threshold");
	CHECK_STR(complaint(&run, "--thresh=5ms x"),
		  "run: unknown option --thresh=5ms|--threshold");
	CHECK_STR(complaint(&run, "--qiuet x"), "run: unknown option --qiuet|--quiet");
	CHECK_STR(complaint(&run, "--zzzzzzz x"),
		  "run: unknown option --zzzzzzz|lagprof run --help");
	CHECK_STR(complaint(&run, "-Z x"), "run: unknown option -Z|lagprof run --help");
}

TEST(options_of_another_command_are_told_apart_from_unknown_ones)
{
	CHECK(strstr(complaint(&report, "--threshold 5ms x"), "belongs to: run"));
}

TEST(options_say_how_a_value_is_written)
{
	CHECK(strstr(complaint(&run, "--threshold 5 x"), "\"5\" is not a length of time|"));
	CHECK(strstr(complaint(&run, "--threshold 0 x"), "is not a length of time|"));
	CHECK(strstr(complaint(&run, "--freq 20001 x"), "1 to 20000|"));
	CHECK(strstr(complaint(&run, "--freq -1 x"), "1 to 20000|"));
	CHECK(strstr(complaint(&run, "--freq 99999999999999999999 x"), "1 to 20000|"));
	CHECK_STR(complaint(&run, "--color sometimes x"),
		  "--color: \"sometimes\" is not one of auto|always|never|--color auto");
	CHECK(strstr(complaint(&run, "--color= x"), "is not one of"));
	CHECK(strstr(complaint(&run, "--color au x"), "is not one of"));
	CHECK(strstr(complaint(&run, "--output"), "needs a value|"));
	CHECK(strstr(complaint(&run, "--quiet=3 x"), "--quiet=3: "));
}

TEST(options_help_is_looked_at_before_anything_after_it)
{
	struct options o;
	struct error err;

	CHECK_EQ(parse(&o, &run, "--help --nonsense", &err), 0);
	CHECK(o.help);
	options_free(&o);
}

/* Does any command take both? */
static bool share_a_command(const struct option *a, const struct option *b)
{
	char words[128], *rest = words, *word;

	if (strcmp(a->commands, "*") == 0 || strcmp(b->commands, "*") == 0)
		return true;
	snprintf(words, sizeof(words), "%s", a->commands);
	while ((word = strsep(&rest, " "))) {
		struct command c = { .name = word };

		if (option_belongs(b, &c))
			return true;
	}
	return false;
}

TEST(options_of_one_command_each_have_a_name_of_their_own)
{
	for (const struct option *a = options_table; a->name; a++) {
		for (const struct option *b = a + 1; b->name; b++) {
			CHECK(!share_a_command(a, b) || strcmp(a->name, b->name) != 0);
			/* A letter means the same to all commands. */
			CHECK(!a->letter || a->letter != b->letter ||
			      strcmp(a->name, b->name) == 0);
		}
	}
}

TEST(suggest_prefers_the_nearest_and_stays_silent_when_none_is_near)
{
	struct suggest s = { .word = "rnu" }, far = { .word = "frobnicate" };

	suggest_offer(&s, "report");
	suggest_offer(&s, "run");
	suggest_offer(&s, "help");
	CHECK_STR(s.best, "run");
	suggest_offer(&far, "report");
	CHECK(far.best == NULL);
}

/* Calls check() with each word of the values of a command's option. */
static void each_value(const struct command *c, const char *name, void (*check)(const char *word))
{
	char words[200], *save;

	for (const struct option *o = options_table; o->name; o++) {
		if (strcmp(o->name, name) != 0 || !option_belongs(o, c))
			continue;
		snprintf(words, sizeof(words), "%s", o->values);
		for (char *word = strtok_r(words, "|", &save); word;
		     word = strtok_r(NULL, "|", &save))
			check(word);
	}
}

static int renderers_found, probes_found, unwinders_found;

static void check_renderer(const char *word)
{
	CHECK(strcmp(word, "auto") == 0 || renderer_find(word) != NULL);
	renderers_found++;
}

static void check_probe(const char *word)
{
	CHECK(strcmp(word, "auto") == 0 || probe_find(word) != NULL);
	probes_found++;
}

static void check_unwinder(const char *word)
{
	CHECK(unwinder_find(word) != NULL);
	unwinders_found++;
}

TEST(options_offer_every_renderer_probe_and_unwinder_and_no_other)
{
	int n = 0, m = 0;

	each_value(&command_report, "format", check_renderer);
	each_value(&command_run, "probe", check_probe);
	each_value(&command_run, "unwinder", check_unwinder);
	while (renderers[n])
		n++;
	while (probes[m])
		m++;
	CHECK_EQ(renderers_found, n + 1);
	CHECK_EQ(probes_found, m + 1);
	CHECK_EQ(unwinders_found, 2);
}
