#include "core/units.h"

#include "core/names.h"
#include "tests/test.h"

/* What a figure reads as. */
static const char *duration(uint64_t ns)
{
	static char text[40];
	struct strbuf b = { 0 };

	strbuf_duration(&b, ns);
	snprintf(text, sizeof(text), "%s", b.s);
	strbuf_destroy(&b);
	return text;
}

static const char *bytes(uint64_t n)
{
	static char text[40];
	struct strbuf b = { 0 };

	strbuf_bytes(&b, n);
	snprintf(text, sizeof(text), "%s", b.s);
	strbuf_destroy(&b);
	return text;
}

static const char *count(uint64_t n)
{
	static char text[40];
	struct strbuf b = { 0 };

	strbuf_count(&b, n);
	snprintf(text, sizeof(text), "%s", b.s);
	strbuf_destroy(&b);
	return text;
}

static const char *function(const char *name)
{
	static char text[200];
	struct strbuf b = { 0 };

	strbuf_puts_function(&b, name);
	snprintf(text, sizeof(text), "%s", b.s);
	strbuf_destroy(&b);
	return text;
}

TEST(durations_have_two_digits_or_the_unit_below)
{
	CHECK_STR(duration(0), "0 us");
	CHECK_STR(duration(950000), "950 us");
	CHECK_STR(duration(2440000), "2.4 ms");
	CHECK_STR(duration(2000000), "2 ms");
	CHECK_STR(duration(12400000), "12 ms");
	CHECK_STR(duration(151000000), "151 ms");
	CHECK_STR(duration(1715000000), "1.7 s");
	CHECK_STR(duration(34400000000), "34 s");
	CHECK_STR(duration(200000000000), "3 min 20 s");
	CHECK_STR(duration(3600000000000), "60 min");
}

TEST(durations_change_the_unit_where_they_would_round_to_it)
{
	CHECK_STR(duration(999499), "999 us");
	CHECK_STR(duration(999500), "1 ms");
	CHECK_STR(duration(999499999), "999 ms");
	CHECK_STR(duration(999500000), "1 s");
	CHECK_STR(duration(9960000), "10 ms");
	CHECK_STR(duration(119499999999), "119 s");
	CHECK_STR(duration(119500000000), "2 min");
}

TEST(bytes_are_decimal)
{
	CHECK_STR(bytes(0), "0 bytes");
	CHECK_STR(bytes(1), "1 byte");
	CHECK_STR(bytes(999), "999 bytes");
	CHECK_STR(bytes(1000), "1 kB");
	CHECK_STR(bytes(65536), "65.5 kB");
	CHECK_STR(bytes(10777781), "10.8 MB");
	CHECK_STR(bytes(8000000), "8 MB");
	CHECK_STR(bytes(999600), "1 MB");
	CHECK_STR(bytes(UINT64_MAX), "18.4 EB");
}

TEST(counts_have_separators)
{
	CHECK_STR(count(0), "0");
	CHECK_STR(count(999), "999");
	CHECK_STR(count(1000), "1,000");
	CHECK_STR(count(1234567), "1,234,567");
	CHECK_STR(count(1000001), "1,000,001");
}

TEST(functions_lose_types_templates_and_parameters)
{
	CHECK_STR(function("PKCS5_PBKDF2_HMAC"), "PKCS5_PBKDF2_HMAC");
	CHECK_STR(function("bool a::b<c<d>, e>::f<g>(h) const"), "a::b::f");
	CHECK_STR(function("v8::internal::(anonymous namespace)::RawMatch<unsigned char>(int)"),
		  "v8::internal::RawMatch");
	CHECK_STR(function("non-virtual thunk to a::B::f(int)"), "a::B::f");
	CHECK_STR(function("operator new(unsigned long)"), "operator new");
	CHECK_STR(function("a::operator()(int)"), "a::operator");
	CHECK_STR(function("<T as Trait>::method"), "<T as Trait>::method");
	CHECK_STR(function(""), "");
}

TEST(path_base_is_what_follows_the_last_slash)
{
	CHECK_STR(path_base("/a/b.c"), "b.c");
	CHECK_STR(path_base("b.c"), "b.c");
	CHECK_STR(path_base("/a/"), "");
}
