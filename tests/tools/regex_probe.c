/*
 * Runs our regex matcher for the differential tests.  Reads lines of
 * "ENGINE FLAGS PATTERN SUBJECT", each percent-encoded and FLAGS begun with a
 * dash, and prints for each "START END" of the match, "no", "capped", "invalid"
 * or "unsupported".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/regex/program.h"
#include "analyzers/regex/subject.h"

static size_t decode(char *s)
{
	char *to = s;

	for (const char *from = s; *from; from++) {
		unsigned byte;

		if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
			*to++ = (char)byte;
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return (size_t)(to - s);
}

static enum regex_engine engine_of(const char *name)
{
	for (int i = 0; i < REGEX_ENGINES; i++)
		if (strcmp(regex_engine_names[i], name) == 0)
			return (enum regex_engine)i;
	exit(2);
}

static void run(struct matcher *m, const struct syntax *syntax, const char *subject, size_t len)
{
	struct arena a = { 0 };
	struct subject s = subject_decode(subject, len, syntax->max_char, &a);
	struct program prog;
	enum match_end how;

	program_compile(&prog, syntax);
	how = match_search(m, &prog, (struct match_input){ s.units, s.n, 0 }, 2000000);
	if (how == MATCH_YES)
		printf("%u %u\n", m->registers[0], m->registers[1]);
	else
		puts(how == MATCH_NO ? "no" : "capped");
	program_free(&prog);
	arena_free(&a);
}

int main(void)
{
	struct matcher m = { 0 };
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0) {
		char *engine = strtok(line, " \n"), *flags = strtok(NULL, " \n");
		char *pattern = strtok(NULL, " \n"), *subject = strtok(NULL, "\n");
		struct regex_pattern p = { .engine = engine_of(engine), .flags = flags + 1 };
		struct syntax syntax;
		struct arena a = { 0 };

		/* The first letter keeps an empty field from vanishing. */
		p.text = pattern + 1;
		p.len = decode(pattern) - 1;
		syntax_parse(&syntax, &p, &a);
		if (!syntax.root)
			printf("%s: %s\n", syntax.unsupported ? "unsupported" : "invalid",
			       syntax.error);
		else
			run(&m, &syntax, subject + 1, decode(subject) - 1);
		arena_free(&a);
	}
	matcher_free(&m);
	free(line);
	return 0;
}
