#include "analyzers/scan/javascript.h"

#include <string.h>

/* "u{1F600}" or "u0041", behind the backslash; a surrogate pair of two escapes is one character. */
static void put_unicode_escape(struct source *src, struct strbuf *text)
{
	int64_t point, low;

	source_skip(src, 1);
	if (source_peek(src, 0) == '{') {
		source_skip(src, 1);
		point = source_digits(src, 16, 6);
		source_skip(src, source_peek(src, 0) == '}');
	} else {
		point = source_digits(src, 16, 4);
	}
	if (point >= 0xd800 && point < 0xdc00 && source_looks_at(src, "\\u") &&
	    source_peek(src, 2) != '{') {
		source_skip(src, 2);
		low = source_digits(src, 16, 4);
		if (low >= 0xdc00 && low < 0xe000)
			point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
		else if (text)
			strbuf_put_point(text, (uint32_t)point), point = low;
	}
	if (text && point >= 0 && point <= 0x10ffff)
		strbuf_put_point(text, (uint32_t)point);
}

/* What follows a backslash in a string. */
static void put_escape(struct source *src, struct strbuf *text)
{
	static const char letters[] = "bfnrtv", meanings[] = "\b\f\n\r\t\v";
	char c = source_peek(src, 0);
	const char *letter = c ? strchr(letters, c) : NULL;
	int64_t point;

	if (c == 'u') {
		put_unicode_escape(src, text);
		return;
	}
	if (c >= '0' && c <= '7') {
		point = source_digits(src, 8, c <= '3' ? 3 : 2);
		if (text)
			strbuf_put_point(text, (uint32_t)point);
		return;
	}
	source_skip(src, 1);
	if (c == 'x') {
		point = source_digits(src, 16, 2);
		if (text && point >= 0)
			strbuf_put_point(text, (uint32_t)point);
	} else if (c == '\r' || c == '\n') {
		/* The string goes on in the next line. */
		source_skip(src, c == '\r' && source_peek(src, 0) == '\n');
	} else if (text) {
		strbuf_add(text, letter ? &meanings[letter - letters] : &c, 1);
	}
}

void js_string(struct js *js, struct strbuf *text)
{
	struct source *src = &js->src;
	char quote = source_peek(src, 0), c;

	source_skip(src, 1);
	while (!source_at_end(src) && (c = source_peek(src, 0)) != '\n') {
		source_skip(src, 1);
		if (c == quote)
			return;
		if (c == '\\')
			put_escape(src, text);
		else if (text)
			strbuf_add(text, &c, 1);
	}
}

bool js_template(struct js *js, struct strbuf *text, bool raw)
{
	struct source *src = &js->src;

	while (!source_at_end(src)) {
		char c = source_peek(src, 0);

		if (c == '$' && source_peek(src, 1) == '{') {
			source_skip(src, 2);
			return false;
		}
		source_skip(src, 1);
		if (c == '`')
			return true;
		if (c == '\\' && !raw) {
			put_escape(src, text);
			continue;
		}
		if (text)
			strbuf_add(text, &c, 1);
		if (c == '\\' && text && !source_at_end(src))
			strbuf_add(text, src->s + src->at, 1);
		if (c == '\\')
			source_skip(src, 1);
	}
	return true;
}

/* U+2028 and U+2029 end a line too. */
static bool ends_line(const struct source *src, size_t at)
{
	const unsigned char *s = (const unsigned char *)src->s + at;

	return s[0] == '\n' || s[0] == '\r' ||
	       (s[0] == 0xe2 && src->len - at >= 3 && s[1] == 0x80 && (s[2] & 0xfe) == 0xa8);
}

/* The closing "/" of a regex whose text begins at `from`, or 0. */
static size_t find_end(struct source *src, size_t from)
{
	bool in_class = false;
	size_t at;

	for (at = from; at < src->len && at - from < SOURCE_LITERAL_MAX; at++) {
		if (ends_line(src, at))
			break;
		if (src->s[at] == '/' && !in_class)
			return at;
		if (src->s[at] == '[')
			in_class = true;
		else if (src->s[at] == ']')
			in_class = false;
		else if (src->s[at] == '\\' && at + 1 < src->len && !ends_line(src, at + 1))
			at++;
	}
	src->patience -= at - from < src->patience ? at - from : src->patience;
	return 0;
}

bool js_regex(struct js *js)
{
	struct source *src = &js->src;
	size_t begin = src->at, end, n = 0;
	struct regex_pattern p = { .engine = REGEX_V8 };

	end = src->patience ? find_end(src, begin + 1) : 0;
	if (!end)
		return false;
	src->at = end + 1;
	n = source_word(src);
	/* Letters that are no flags: two divisions were taken for a regex. */
	for (size_t i = 0; i < n; i++)
		if (!strchr("dgimsuvy", src->s[src->at + i]))
			goto none;
	p.text = arena_strndup(src->arena, src->s + begin + 1, end - begin - 1);
	p.len = end - begin - 1;
	p.flags = arena_strndup(src->arena, src->s + src->at, n);
	source_found(src, begin, &p);
	source_skip(src, n);
	return true;
none:
	src->at = begin;
	return false;
}
