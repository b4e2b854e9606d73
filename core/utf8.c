#include "core/utf8.h"

#include <string.h>

#include "core/strings.h"

size_t utf8_decode(const char *s, size_t len, uint32_t *point)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s;
	size_t n;

	if (p[0] < 0x80) {
		*point = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (n > len)
		return 0;
	*point = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (p[i] & 0x3f);
	}
	if (*point < smallest[n] || *point > 0x10ffff || (*point >= 0xd800 && *point <= 0xdfff))
		return 0;
	return n;
}

size_t utf8_encode(uint32_t point, char *out)
{
	/* By length: what is shifted out is put behind the mark of the first byte. */
	static const unsigned char marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n;

	n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, point >>= 6)
		out[i] = (char)(0x80 | (point & 0x3f));
	out[0] = (char)(marks[n] | point);
	return n;
}

bool utf8_is_invisible(uint32_t point)
{
	static const uint32_t ranges[][2] = {
		/* clang-format off */
		{ 0x0000, 0x001f },   /* C0 controls */
		{ 0x007f, 0x009f },   /* DEL and C1 controls */
		{ 0x00ad, 0x00ad },   /* soft hyphen */
		{ 0x034f, 0x034f },   /* combining grapheme joiner */
		{ 0x061c, 0x061c },   /* Arabic letter mark */
		{ 0x115f, 0x1160 },   /* Hangul fillers */
		{ 0x17b4, 0x17b5 },   /* Khmer inherent vowels */
		{ 0x180b, 0x180f },   /* Mongolian separators */
		{ 0x200b, 0x200f },   /* zero width, direction marks */
		{ 0x2028, 0x202e },   /* line and paragraph separators, embeddings, overrides */
		{ 0x2060, 0x206f },   /* word joiner, invisible operators, isolates */
		{ 0x3164, 0x3164 },   /* Hangul filler */
		{ 0xfeff, 0xfeff },   /* byte order mark */
		{ 0xffa0, 0xffa0 },   /* Hangul filler, half width */
		{ 0xfff9, 0xfffb },   /* interlinear annotation */
		{ 0xe0000, 0xe0fff }, /* tags, variation selectors */
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (point >= ranges[i][0] && point <= ranges[i][1])
			return true;
	return false;
}

void strbuf_puts_visible(struct strbuf *b, const char *s)
{
	size_t left = strlen(s), n;
	uint32_t point;

	strbuf_add(b, "", 0);
	for (; left > 0; s += n, left -= n) {
		n = utf8_decode(s, left, &point);
		if (n == 0) {
			strbuf_printf(b, "\\x%02x", (unsigned char)s[0]);
			n = 1;
		} else if (!utf8_is_invisible(point)) {
			strbuf_add(b, s, n);
		} else if (n == 1) {
			strbuf_printf(b, "\\x%02x", point);
		} else {
			strbuf_printf(b, "\\u{%04x}", point);
		}
	}
}

void strbuf_puts_utf8(struct strbuf *b, const char *s, size_t len)
{
	uint32_t point;
	size_t n;

	strbuf_add(b, "", 0);
	for (; len > 0; s += n, len -= n) {
		n = utf8_decode(s, len, &point);
		if (n == 0) {
			strbuf_puts(b, "\xef\xbf\xbd");
			n = 1;
		} else {
			strbuf_add(b, s, n);
		}
	}
}
