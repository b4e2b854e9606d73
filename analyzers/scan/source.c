#include "analyzers/scan/source.h"

#include <string.h>

#include "core/utf8.h"

bool source_looks_at(const struct source *src, const char *bytes)
{
	size_t len = strlen(bytes);

	return len <= src->len - src->at && memcmp(src->s + src->at, bytes, len) == 0;
}

bool source_is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

size_t source_word(const struct source *src)
{
	size_t len = 0;

	while (len < src->len - src->at && source_is_word(src->s[src->at + len]))
		len++;
	return len;
}

bool source_word_is(const struct source *src, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(src->s + src->at, word, len) == 0;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

int64_t source_digits(struct source *src, unsigned base, size_t max)
{
	int64_t value = -1;

	for (size_t i = 0; i < max; i++) {
		int digit = digit_of(source_peek(src, 0));

		if (digit >= (int)base)
			break;
		value = (value < 0 ? 0 : value) * (int64_t)base + digit;
		source_skip(src, 1);
	}
	return value;
}

void strbuf_put_point(struct strbuf *b, uint32_t point)
{
	char bytes[4];

	strbuf_add(b, bytes, utf8_encode(point, bytes));
}

void source_found(struct source *src, size_t at, const struct regex_pattern *pattern)
{
	struct scan_uses *uses = src->uses;

	ARRAY_GROW(uses->v, uses->n, uses->cap);
	uses->v[uses->n++] = (struct scan_use){ .pattern = *pattern, .at = at };
}
