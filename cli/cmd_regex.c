#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/complain.h"
#include "cli/regex_json.h"
#include "cli/regex_text.h"
#include "cli/terminal.h"

struct job {
	const struct options *o;
	struct page page;
	bool ascii;
	size_t done;
	bool invalid; /* one of them was no pattern */
};

/* "/x/flags" is split at its first and last slash; anything else is a pattern by itself. */
static void split_literal(struct regex_pattern *p, struct arena *a)
{
	const char *last =
		p->len > 1 && p->text[0] == '/' ? memrchr(p->text + 1, '/', p->len - 1) : NULL;

	if (!last)
		return;
	p->flags = arena_strndup(a, last + 1, (size_t)(p->text + p->len - last - 1));
	p->len = (size_t)(last - p->text) - 1;
	p->text++;
}

/* Says what there is to say about one operand or line. */
static void judge(struct job *job, const char *text, size_t len)
{
	struct regex_pattern p = { text, len, job->o->flags, (enum regex_engine)job->o->engine };
	struct arena a = { 0 };
	struct strbuf out = { 0 };
	struct regex_verdict v;

	split_literal(&p, &a);
	regex_analyze(&p, &a, &v);
	job->invalid |= v.invalid;
	if (job->o->as_json) {
		strbuf_puts(&out, job->done ? ",\n" : "");
		regex_json(&out, &p, &v);
		fwrite(out.s, 1, out.len, stdout);
		strbuf_destroy(&out);
	} else {
		regex_text(&job->page, job->ascii, &p, &v);
	}
	job->done++;
	arena_free(&a);
}

static int judge_lines(struct job *job, struct error *err)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int ret = 0;

	errno = 0;
	while ((n = getline(&line, &cap, stdin)) > 0) {
		size_t len = (size_t)n;

		len -= len && line[len - 1] == '\n';
		len -= len && line[len - 1] == '\r';
		judge(job, line, len);
	}
	if (ferror(stdin))
		ret = error_set(err, -errno, "standard input: %s", strerror(errno));
	free(line);
	return ret;
}

static int run_regex(const struct options *o, int argc, char **argv)
{
	struct job job = { .o = o, .ascii = terminal_ascii(o) };
	struct error err = { 0 };
	int ret = 0;

	if (argc == 0 && isatty(STDIN_FILENO))
		return complain_usage("lagprof regex '/^(a+)+$/'",
				      "regex takes patterns, or reads one a line");
	job.page = (struct page){ stdout, terminal_width(STDOUT_FILENO),
				  terminal_color(o, STDOUT_FILENO) };
	if (o->as_json)
		putchar('[');
	for (int i = 0; i < argc && ret == 0; i++) {
		if (strcmp(argv[i], "-") == 0)
			ret = judge_lines(&job, &err);
		else
			judge(&job, argv[i], strlen(argv[i]));
	}
	if (argc == 0)
		ret = judge_lines(&job, &err);
	if (o->as_json)
		puts("]");
	if (ret < 0)
		return complain(STATUS_FAILED, &err);
	return job.invalid ? STATUS_USAGE : STATUS_OK;
}

const struct command command_regex = {
	.name = "regex",
	.operands = "[PATTERN...]",
	.help = "say whether a pattern can be made to backtrack without end",
	.examples = "lagprof regex '/^(a+)+$/'\n"
		    "lagprof regex --engine python --flags i '(a|b|ab)*c'\n"
		    "lagprof regex --json < patterns  # one a line",
	.details =
		"A pattern is safe, polynomial or exponential in the length of its subject, "
		"bounded "
		"(slow until a counted repeat ends), suspect (no attack could be confirmed) or "
		"unknown.  What is polynomial or exponential comes with an attack whose steps "
		"lagprof's own matcher counted, and a rewrite where one is known.  An operand "
		"/PATTERN/FLAGS is split at its first and last slash.  Without operands, or for -, "
		"patterns are read from standard input, one a line.  The status is 0 whatever the "
		"verdicts are, and 2 if one is not a pattern at all.",
	.run = run_regex,
};
