/*
 * Analyzes the patterns on standard input, lines of "ID ENGINE FLAGS PATTERN"
 * as in regex_probe.c, and prints for each a JSON object: the id, the CPU time
 * in ms and what `lagprof regex --json` says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/regex_json.h"

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

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

int main(void)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0) {
		char *id = strtok(line, " \n"), *engine = strtok(NULL, " \n");
		struct regex_pattern p = { .flags = strtok(NULL, " \n") + 1 };
		struct regex_verdict v;
		struct strbuf out = { 0 };
		struct arena a = { 0 };
		double begin;

		p.text = strtok(NULL, "\n");
		p.len = decode((char *)p.text) - 1;
		p.text++;
		while (strcmp(regex_engine_names[p.engine], engine) != 0)
			p.engine++;
		begin = cpu_ms();
		regex_analyze(&p, &a, &v);
		strbuf_printf(&out, "{\"id\":\"%s\",\"ms\":%.4f,\"result\":", id, cpu_ms() - begin);
		regex_json(&out, &p, &v);
		printf("%s}\n", out.s);
		strbuf_destroy(&out);
		arena_free(&a);
	}
	free(line);
	return 0;
}
