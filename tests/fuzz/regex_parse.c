/* Any bytes as a pattern: the first byte picks engine and flags.  Parsed and analyzed. */
#include <stdint.h>
#include <string.h>

#include "analyzers/regex/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	enum regex_engine engine;
	const char *flags;
} modes[] = {
	{ REGEX_V8, "" },     { REGEX_V8, "i" },     { REGEX_V8, "u" },      { REGEX_V8, "iu" },
	{ REGEX_V8, "v" },    { REGEX_V8, "iv" },    { REGEX_V8, "ms" },     { REGEX_V8, "y" },
	{ REGEX_PCRE2, "" },  { REGEX_PCRE2, "i" },  { REGEX_PCRE2, "xu" },  { REGEX_PCRE2, "msU" },
	{ REGEX_PYTHON, "" }, { REGEX_PYTHON, "i" }, { REGEX_PYTHON, "xa" }, { REGEX_PYTHON, "ms" },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct regex_pattern p = { .text = (const char *)data + 1 };
	struct regex_verdict v;
	struct arena a = { 0 };
	struct strbuf out = { 0 };

	if (size == 0)
		return 0;
	p.len = size - 1;
	p.engine = modes[data[0] % 16].engine;
	p.flags = modes[data[0] % 16].flags;
	regex_analyze(&p, &a, &v);
	if (v.guilty.end > p.len || v.guilty.start > v.guilty.end)
		__builtin_trap();
	for (uint32_t i = 0; i < v.attack.n; i++)
		regex_quote(&out, v.attack.pumps[i].pump);
	regex_evidence(&v, &a);
	strbuf_destroy(&out);
	arena_free(&a);
	return 0;
}
