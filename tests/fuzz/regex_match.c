/*
 * A pattern, a NUL and a subject: the first byte picks engine and flags.  The
 * tree as written and the tree as the engine rewrites it must find the same.
 */
#include <stdint.h>
#include <string.h>

#include "analyzers/regex/program.h"
#include "analyzers/regex/subject.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	enum regex_engine engine;
	const char *flags;
} modes[] = {
	{ REGEX_V8, "" },   { REGEX_V8, "i" },    { REGEX_V8, "u" },     { REGEX_V8, "iv" },
	{ REGEX_V8, "ms" }, { REGEX_PCRE2, "i" }, { REGEX_PYTHON, "i" }, { REGEX_PYTHON, "xs" },
};

struct found {
	enum match_end how;
	uint32_t start, end;
};

static struct found run(const struct syntax *syntax, const struct subject *s)
{
	struct matcher m = { 0 };
	struct program program;
	struct found found = { MATCH_NO, 0, 0 };

	program_compile(&program, syntax);
	found.how = match_search(&m, &program, (struct match_input){ s->units, s->n, 0 }, 50000);
	if (found.how == MATCH_YES) {
		found.start = m.registers[0];
		found.end = m.registers[1];
		if (found.start > found.end || found.end > s->n)
			__builtin_trap();
	}
	program_free(&program);
	matcher_free(&m);
	return found;
}

static void compare(const struct regex_pattern *p, const char *subject, size_t len)
{
	struct syntax plain, merged;
	struct arena a = { 0 };

	syntax_parse_as_written(&plain, p, &a);
	syntax_parse(&merged, p, &a);
	if (plain.root && merged.root) {
		struct subject s = subject_decode(subject, len, plain.max_char, &a);
		struct found x = run(&plain, &s), y = run(&merged, &s);

		if (x.how != MATCH_CAPPED && y.how != MATCH_CAPPED &&
		    memcmp(&x, &y, sizeof(x)) != 0)
			__builtin_trap();
	}
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct regex_pattern p = { .text = (const char *)data + 1 };
	const uint8_t *end;

	if (size < 2 || !(end = memchr(data + 1, 0, size - 1)))
		return 0;
	p.len = (size_t)(end - data) - 1;
	p.engine = modes[data[0] % 8].engine;
	p.flags = modes[data[0] % 8].flags;
	compare(&p, (const char *)end + 1, size - p.len - 2);
	return 0;
}
