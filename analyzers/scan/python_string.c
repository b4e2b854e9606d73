#include "analyzers/scan/python.h"

#include <string.h>

/* A string being read. */
struct literal {
	struct source *src;
	struct strbuf *text; /* NULL: nobody wants to know */
	char quote;
	bool triple, raw, format, bytes;
	bool known; /* no name and no field in it */
};

int py_string_prefix(const struct source *src)
{
	int len = 0;

	while (len < 3 && source_peek(src, (size_t)len) &&
	       strchr("rRbBuUfFtT", source_peek(src, (size_t)len)))
		len++;
	if (len < 3 &&
	    (source_peek(src, (size_t)len) == '"' || source_peek(src, (size_t)len) == '\''))
		return len;
	return -1;
}

static void put(struct literal *l, const char *s, size_t len)
{
	if (l->text)
		strbuf_add(l->text, s, len);
}

static void put_point(struct literal *l, int64_t point)
{
	if (l->text && point >= 0 && point <= 0x10ffff)
		strbuf_put_point(l->text, (uint32_t)point);
}

/* \N{EN DASH}: its character is not looked up. */
static void skip_name(struct literal *l)
{
	size_t len = 1;

	while (source_peek(l->src, len) && !strchr("}\n\"'", source_peek(l->src, len)))
		len++;
	source_skip(l->src, len);
	l->known = false;
}

/* What follows a backslash where it means something. */
static void take_escape(struct literal *l)
{
	static const char letters[] = "abfnrtv\\'\"", meanings[] = "\a\b\f\n\r\t\v\\'\"";
	struct source *src = l->src;
	char c = source_peek(src, 0);
	const char *letter = c ? strchr(letters, c) : NULL;

	if (c >= '0' && c <= '7') {
		put_point(l, source_digits(src, 8, 3) & (l->bytes ? 0xff : 0x1ff));
		return;
	}
	source_skip(src, 1);
	if (letter)
		put(l, &meanings[letter - letters], 1);
	else if (c == '\n' || c == '\r')
		source_skip(src, c == '\r' && source_peek(src, 0) == '\n');
	else if (c == 'x')
		put_point(l, source_digits(src, 16, 2));
	else if (c == 'u' && !l->bytes)
		put_point(l, source_digits(src, 16, 4));
	else if (c == 'U' && !l->bytes)
		put_point(l, source_digits(src, 16, 8));
	else if (c == 'N' && !l->bytes)
		skip_name(l);
	else
		/* Any other backslash stays; the regex gives it its meaning. */
		put(l, (char[]){ '\\', c }, 2);
}

static void take_backslash(struct literal *l)
{
	struct source *src = l->src;

	source_skip(src, 1);
	if (source_at_end(src))
		return;
	if (!l->raw) {
		take_escape(l);
		return;
	}
	put(l, (char[]){ '\\', source_peek(src, 0) }, 2);
	source_skip(src, 1);
}

/* True: the string ends here. */
static bool take_end(struct literal *l)
{
	struct source *src = l->src;
	char c = source_peek(src, 0);

	if (!l->triple && c == '\n')
		return true; /* it was not closed */
	if (c != l->quote)
		return false;
	if (!l->triple) {
		source_skip(src, 1);
		return true;
	}
	if (source_peek(src, 1) != c || source_peek(src, 2) != c)
		return false;
	source_skip(src, 3);
	return true;
}

bool py_string(struct source *src, size_t prefix, struct strbuf *text, bool *bytes)
{
	struct literal l = { .src = src, .text = text, .known = true };

	for (size_t i = 0; i < prefix; i++) {
		char c = source_peek(src, i) | 0x20;

		l.raw |= c == 'r';
		l.bytes |= c == 'b';
		l.format |= c == 'f' || c == 't';
	}
	*bytes = l.bytes;
	source_skip(src, prefix);
	l.quote = source_peek(src, 0);
	l.triple = source_peek(src, 1) == l.quote && source_peek(src, 2) == l.quote;
	source_skip(src, l.triple ? 3 : 1);
	while (!source_at_end(src) && !take_end(&l)) {
		char c = source_peek(src, 0);

		if (c == '\\') {
			take_backslash(&l);
			continue;
		}
		put(&l, &c, 1);
		source_skip(src, 1);
		if (l.format && (c == '{' || c == '}')) {
			l.known &= source_peek(src, 0) == c;
			source_skip(src, source_peek(src, 0) == c);
		}
	}
	return l.known;
}
