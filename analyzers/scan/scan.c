#include "analyzers/scan/scan.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/scan/source.h"

static const struct {
	const char *suffix;
	enum scan_language language;
} suffixes[] = {
	/* clang-format off */
	{ ".js", SCAN_JAVASCRIPT },  { ".mjs", SCAN_JAVASCRIPT }, { ".cjs", SCAN_JAVASCRIPT },
	{ ".jsx", SCAN_JAVASCRIPT }, { ".tsx", SCAN_JAVASCRIPT },
	{ ".ts", SCAN_TYPESCRIPT },  { ".mts", SCAN_TYPESCRIPT }, { ".cts", SCAN_TYPESCRIPT },
	{ ".py", SCAN_PYTHON },      { ".pyw", SCAN_PYTHON },     { ".pyi", SCAN_PYTHON },
	/* clang-format on */
};

int scan_language_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcmp(dot, suffixes[i].suffix) == 0)
			return (int)suffixes[i].language;
	return -1;
}

static int by_place(const void *a, const void *b)
{
	const struct scan_use *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* Calls are found where they end, and those inside them before. */
static void place_uses(const char *text, struct scan_use *uses, size_t n)
{
	uint32_t line = 1, column = 1;
	size_t at = 0;

	qsort(uses, n, sizeof(*uses), by_place);
	for (size_t i = 0; i < n; i++) {
		for (; at < uses[i].at; at++) {
			unsigned char c = (unsigned char)text[at];

			if (c == '\n' || (c == '\r' && text[at + 1] != '\n')) {
				line++;
				column = 1;
			} else {
				/* Four bytes of UTF-8 are two units of UTF-16. */
				column += (c & 0xc0) != 0x80 ? 1 + (c >= 0xf0) : 0;
			}
		}
		uses[i].line = line;
		uses[i].column = column;
	}
}

bool scan_source(enum scan_language language, const char *text, size_t len, struct arena *a,
		 struct scan_uses *uses)
{
	size_t mark = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	struct source src = { .s = text + mark,
			      .len = len - mark,
			      .arena = a,
			      .uses = uses,
			      .patience = SOURCE_PATIENCE };
	size_t before = uses->n;
	bool whole = language == SCAN_PYTHON ? scan_python(&src)
					     : scan_javascript(&src, language == SCAN_JAVASCRIPT);

	if (uses->n > before)
		place_uses(src.s, uses->v + before, uses->n - before);
	for (size_t i = before; i < uses->n; i++)
		uses->v[i].at += mark;
	return whole;
}
