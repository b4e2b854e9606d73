#include "report/page.h"

#include <stdarg.h>
#include <string.h>

#include "core/utf8.h"

/* East Asian wide and fullwidth characters and emoji; wcwidth() would depend on the locale. */
static bool is_wide(uint32_t c)
{
	static const uint32_t ranges[][2] = {
		{ 0x1100, 0x115f },   { 0x2e80, 0xa4cf },   { 0xac00, 0xd7a3 },
		{ 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },
		{ 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f }, { 0x1f900, 0x1f9ff },
		{ 0x20000, 0x3fffd },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}

/* Marks that are drawn over the character before them. */
static bool is_combining(uint32_t c)
{
	static const uint32_t ranges[][2] = {
		{ 0x300, 0x36f },   { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff },
		{ 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}

int text_columns(const char *s, size_t len)
{
	int columns = 0;

	while (len > 0) {
		uint32_t c = 0;
		size_t n = utf8_decode(s, len, &c);

		if (!n || !is_combining(c))
			columns += n && is_wide(c) ? 2 : 1;
		n = n ? n : 1;
		s += n;
		len -= n;
	}
	return columns;
}

static const char *const ink_codes[] = {
	[INK_NONE] = "",          [INK_DIM] = "\033[2m",     [INK_BOLD] = "\033[1m",
	[INK_GREEN] = "\033[32m", [INK_YELLOW] = "\033[33m", [INK_RED] = "\033[31m",
};

static void print_line(const struct page *page, enum ink ink, int indent, const char *s, size_t len)
{
	bool color = page->color && ink != INK_NONE;

	fprintf(page->out, "%*s%s%.*s%s\n", indent, "", color ? ink_codes[ink] : "", (int)len, s,
		color ? "\033[0m" : "");
}

/* How many bytes of s fit into that many columns, cut at a space if there is one. */
static size_t fit(const char *s, int columns)
{
	size_t len = strlen(s), n = 0, space = 0;
	int used = 0;

	while (n < len) {
		uint32_t c;
		size_t step = utf8_decode(s + n, len - n, &c);

		step = step ? step : 1;
		used += text_columns(s + n, step);
		if (n > 0 && s[n] == ' ')
			space = n;
		if (used > columns)
			return space ? space : n ? n : step;
		n += step;
	}
	return n;
}

void page_print(const struct page *page, enum ink ink, int indent, const char *text)
{
	enum { HANG = 4, LEAST = 24 };

	if (page->width <= 0) {
		print_line(page, ink, indent, text, strlen(text));
		return;
	}
	for (int hang = 0; *text; hang = HANG) {
		int room = page->width - indent - hang;
		size_t n = fit(text, room < LEAST ? LEAST : room);

		print_line(page, ink, indent + hang, text, n);
		text += n;
		text += strspn(text, " ");
	}
}

void page_printf(const struct page *page, enum ink ink, int indent, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	page_print(page, ink, indent, line);
}

void page_gap(const struct page *page)
{
	fputc('\n', page->out);
}
