#include "analyzers/regex/regex.h"
#include "core/utf8.h"

/* What is not UTF-8: a lone surrogate as it would be encoded, or a byte. */
static size_t put_stray(struct strbuf *out, const char *s, size_t len)
{
	const unsigned char *b = (const unsigned char *)s;

	if (len >= 3 && b[0] == 0xed && (b[1] & 0xe0) == 0xa0 && (b[2] & 0xc0) == 0x80) {
		strbuf_printf(out, "\\u%04x", 0xd000u | (b[1] & 0x3fu) << 6 | (b[2] & 0x3fu));
		return 3;
	}
	strbuf_printf(out, "\\u%04x", b[0]);
	return 1;
}

static void put_escaped(struct strbuf *out, uint32_t c)
{
	if (c > 0xffff)
		strbuf_printf(out, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 | (c & 0x3ff));
	else
		strbuf_printf(out, "\\u%04x", c);
}

void regex_quote(struct strbuf *out, struct regex_text text)
{
	size_t n;

	strbuf_puts(out, "\"");
	for (size_t i = 0; i < text.len; i += n) {
		uint32_t c;

		n = utf8_decode(text.s + i, text.len - i, &c);
		if (n == 0)
			n = put_stray(out, text.s + i, text.len - i);
		else if (c == '"' || c == '\\')
			strbuf_printf(out, "\\%c", (char)c);
		else if (c == '\n' || c == '\t')
			strbuf_puts(out, c == '\n' ? "\\n" : "\\t");
		else if (utf8_is_invisible(c))
			put_escaped(out, c);
		else
			strbuf_add(out, text.s + i, n);
	}
	strbuf_puts(out, "\"");
}
