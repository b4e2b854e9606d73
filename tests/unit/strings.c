#include "core/strings.h"

#include <stdlib.h>

#include "core/utf8.h"
#include "tests/test.h"

static const char *visible(const char *s)
{
	static struct strbuf b;

	b.len = 0;
	strbuf_puts_visible(&b, s);
	return b.s;
}

TEST(strings_equal_strings_are_one_pointer_and_others_are_not)
{
	struct strings set = { 0 };
	struct arena a = { 0 };
	char text[32];
	const char *first[2000];

	for (int i = 0; i < 2000; i++) {
		snprintf(text, sizeof(text), "name %d", i);
		first[i] = strings_intern(&set, &a, text);
		CHECK_STR(first[i], text);
	}
	for (int i = 0; i < 2000; i++) {
		snprintf(text, sizeof(text), "name %d", i);
		CHECK(strings_intern(&set, &a, text) == first[i]);
	}
	CHECK_EQ(set.n, 2000);
	strings_destroy(&set);
	arena_free(&a);
}

TEST(strings_intern_n_takes_a_prefix_and_stops_at_nul)
{
	struct strings set = { 0 };
	struct arena a = { 0 };
	const char *abc = strings_intern(&set, &a, "abc");

	CHECK(strings_intern_n(&set, &a, "abcdef", 3) == abc);
	CHECK(strings_intern_n(&set, &a, "abc\0def", 7) == abc);
	CHECK(strings_intern_n(&set, &a, "abcdef", 4) != abc);
	CHECK(strings_intern_n(&set, &a, "abcdef", 2) != abc);
	CHECK_STR(strings_intern_n(&set, &a, "x", 0), "");
	CHECK(strings_intern(&set, &a, NULL) == NULL);
	strings_destroy(&set);
	arena_free(&a);
}

TEST(strings_hash_depends_on_every_byte_the_length_and_the_seed)
{
	unsigned char data[24] = { 0 };
	uint64_t h = hash_bytes(1, data, sizeof(data));

	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] = 1;
		CHECK(hash_bytes(1, data, sizeof(data)) != h);
		data[i] = 0;
	}
	CHECK(hash_bytes(2, data, sizeof(data)) != h);
	CHECK(hash_bytes(1, data, 23) != h);
	CHECK_EQ(hash_bytes(1, data, sizeof(data)), h);
}

TEST(strings_buffer_grows_and_stays_terminated)
{
	struct strbuf b = { 0 };

	strbuf_add(&b, NULL, 0);
	CHECK_STR(b.s, "");
	for (int i = 0; i < 1000; i++) {
		strbuf_puts(&b, "ab");
		strbuf_printf(&b, "%03d", i);
		CHECK_EQ(strlen(b.s), b.len);
	}
	CHECK_EQ(b.len, 5000);
	CHECK_STR(b.s + 4990, "ab998ab999");
	strbuf_destroy(&b);
	CHECK(b.s == NULL && b.len == 0 && b.cap == 0);
}

TEST(strings_visible_leaves_ordinary_text_alone)
{
	CHECK_STR(visible(""), "");
	CHECK_STR(visible("/srv/app/login.js:31 \"q\" \\d+"), "/srv/app/login.js:31 \"q\" \\d+");
	CHECK_STR(visible("größe 測試 😀 é"), "größe 測試 😀 é");
}

TEST(strings_visible_escapes_controls)
{
	CHECK_STR(visible("a\x1b[31mb\r\n\t\x7f"), "a\\x1b[31mb\\x0d\\x0a\\x09\\x7f");
	CHECK_STR(visible("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0"),
		  "\\u{0080}\\u{009b}\\u{009f}\xc2\xa0");
}

TEST(strings_visible_escapes_what_reorders_or_hides_text)
{
	/* U+202A-202E, U+2066-2069, U+200E, U+200F, U+061C */
	CHECK_STR(visible("\u202a\u202b\u202c\u202d\u202e"),
		  "\\u{202a}\\u{202b}\\u{202c}\\u{202d}\\u{202e}");
	CHECK_STR(visible("\u2066\u2067\u2068\u2069"), "\\u{2066}\\u{2067}\\u{2068}\\u{2069}");
	CHECK_STR(visible("\u200e\u200f\u061c"), "\\u{200e}\\u{200f}\\u{061c}");
	CHECK_STR(visible("\u200b\u200c\u200d\u2060\ufeff"),
		  "\\u{200b}\\u{200c}\\u{200d}\\u{2060}\\u{feff}");
	CHECK_STR(visible("\u2028\u2029"), "\\u{2028}\\u{2029}");
	CHECK_STR(visible("\U000e0041"), "\\u{e0041}");
	CHECK_STR(visible("\u2027\u202f\u2070"), "\u2027\u202f\u2070");
}

TEST(strings_visible_escapes_each_byte_of_invalid_utf8)
{
	CHECK_STR(visible("\x80z"), "\\x80z");
	CHECK_STR(visible("\xc0\xafz"), "\\xc0\\xafz");                 /* overlong */
	CHECK_STR(visible("\xe0\x80\x80"), "\\xe0\\x80\\x80");          /* overlong */
	CHECK_STR(visible("\xed\xa0\x80"), "\\xed\\xa0\\x80");          /* surrogate */
	CHECK_STR(visible("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"); /* past U+10FFFF */
	CHECK_STR(visible("\xe2\x82"), "\\xe2\\x82");                   /* cut short */
	CHECK_STR(visible("\xe2\x82g"), "\\xe2\\x82g");
	CHECK_STR(visible("\xff\xfe"), "\\xff\\xfe");
}

TEST(strings_utf8_replaces_invalid_bytes_and_keeps_the_rest)
{
	struct strbuf b = { 0 };

	strbuf_puts_utf8(&b, "a\xff\xc3\xa9\xe2\x82z\x1b", 8);
	CHECK_STR(b.s, "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbdz\x1b");
	b.len = 0;
	strbuf_puts_utf8(&b, "\xc3\xa9", 1);
	CHECK_STR(b.s, "\xef\xbf\xbd");
	strbuf_destroy(&b);
}

TEST(strings_utf8_decodes_every_code_point_to_itself)
{
	for (uint32_t point = 1; point <= 0x10ffff; point += point < 0x3000 ? 1 : 37) {
		char s[5] = { 0 };
		uint32_t got = 0;
		size_t n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

		if (point >= 0xd800 && point <= 0xdfff)
			continue;
		s[0] = (char)(n == 1 ? point : (0xf00u >> n | point >> (6 * (n - 1))));
		for (size_t i = 1; i < n; i++)
			s[i] = (char)(0x80 | (point >> (6 * (n - 1 - i)) & 0x3f));
		CHECK_EQ(utf8_decode(s, n, &got), n);
		CHECK_EQ(got, point);
		CHECK(n == 1 || utf8_decode(s, n - 1, &got) == 0);
	}
}
