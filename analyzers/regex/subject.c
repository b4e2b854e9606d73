#include "analyzers/regex/subject.h"

#include "core/utf8.h"

static bool is_lead(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdbff;
}

static bool is_trail(uint32_t c)
{
	return c >= 0xdc00 && c <= 0xdfff;
}

static uint32_t pair(uint32_t lead, uint32_t trail)
{
	return 0x10000 + ((lead & 0x3ff) << 10 | (trail & 0x3ff));
}

/* One code point, surrogate or stray byte at s; returns its length. */
static size_t decode_one(const char *s, size_t len, uint32_t *c)
{
	const unsigned char *b = (const unsigned char *)s;
	size_t n = utf8_decode(s, len, c);

	if (n)
		return n;
	if (len >= 3 && b[0] == 0xed && (b[1] & 0xe0) == 0xa0 && (b[2] & 0xc0) == 0x80) {
		*c = 0xd000u | (b[1] & 0x3fu) << 6 | (b[2] & 0x3fu);
		return 3;
	}
	*c = b[0];
	return 1;
}

struct subject subject_decode(const char *text, size_t len, uint32_t max_char, struct arena *a)
{
	struct subject s = {
		.units = arena_alloc(a, (len + 1) * sizeof(*s.units)),
		.offsets = arena_alloc(a, (len + 1) * sizeof(*s.offsets)),
	};
	size_t taken;
	uint32_t c;

	for (size_t i = 0; i < len; i += taken) {
		s.offsets[s.n] = (uint32_t)i;
		taken = decode_one(text + i, len - i, &c);
		if (max_char == 0xff) {
			taken = 1;
			c = (unsigned char)text[i];
		} else if (max_char == 0xffff && c > 0xffff) {
			s.units[s.n++] = 0xd7c0 + (c >> 10);
			s.offsets[s.n] = (uint32_t)i;
			c = 0xdc00 | (c & 0x3ff);
		} else if (max_char > 0xffff && is_trail(c) && s.n && is_lead(s.units[s.n - 1])) {
			s.n--;
			c = pair(s.units[s.n], c);
		}
		s.units[s.n++] = c;
	}
	s.offsets[s.n] = (uint32_t)len;
	return s;
}

struct regex_text subject_encode(const uint32_t *units, uint32_t n, uint32_t max_char,
				 struct arena *a)
{
	char *s = arena_alloc(a, 4 * (size_t)n + 1);
	size_t len = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t c = units[i];

		if (max_char == 0xff) {
			s[len++] = (char)c;
			continue;
		}
		if (is_lead(c) && i + 1 < n && is_trail(units[i + 1]))
			c = pair(c, units[++i]);
		len += utf8_encode(c, s + len);
	}
	return (struct regex_text){ s, len };
}
