#include "core/duration.h"

#include <errno.h>

#include "tests/test.h"

/* The ns of text, or what duration_parse returned. */
static long long parse(const char *text)
{
	uint64_t ns = 0;
	int ret = duration_parse(text, &ns);

	return ret < 0 ? ret : (long long)ns;
}

TEST(duration_reads_every_unit)
{
	CHECK_EQ(parse("7ns"), 7);
	CHECK_EQ(parse("500us"), 500000);
	CHECK_EQ(parse("500µs"), 500000);
	CHECK_EQ(parse("20ms"), 20000000);
	CHECK_EQ(parse("3s"), 3000000000);
	CHECK_EQ(parse("2m"), 120000000000);
	CHECK_EQ(parse("2min"), 120000000000);
	CHECK_EQ(parse("1h"), 3600000000000);
}

TEST(duration_reads_fractions_exactly_to_the_nanosecond)
{
	CHECK_EQ(parse("1.5s"), 1500000000);
	CHECK_EQ(parse("0.25ms"), 250000);
	CHECK_EQ(parse(".5us"), 500);
	CHECK_EQ(parse("2.0000004ms"), 2000000);
}

TEST(duration_allows_a_space_before_the_unit)
{
	CHECK_EQ(parse("20 ms"), 20000000);
}

TEST(duration_needs_a_unit_except_for_zero)
{
	CHECK_EQ(parse("20"), -EINVAL);
	CHECK_EQ(parse("0"), 0);
}

TEST(duration_refuses_what_is_not_one)
{
	CHECK_EQ(parse(""), -EINVAL);
	CHECK_EQ(parse("ms"), -EINVAL);
	CHECK_EQ(parse("."), -EINVAL);
	CHECK_EQ(parse("-5ms"), -EINVAL);
	CHECK_EQ(parse("5msx"), -EINVAL);
	CHECK_EQ(parse("5 5ms"), -EINVAL);
	CHECK_EQ(parse("1e3ms"), -EINVAL);
	CHECK_EQ(parse("20Ms"), -EINVAL);
}

TEST(duration_refuses_what_does_not_fit)
{
	CHECK_EQ(parse("99999999999999999999h"), -ERANGE);
	CHECK_EQ(parse("999999999999999999999999999999999999999999999999ns"), -ERANGE);
	CHECK_EQ(parse("146y"), -EINVAL);
}

TEST(duration_leaves_the_result_alone_when_it_fails)
{
	uint64_t ns = 42;

	duration_parse("nonsense", &ns);
	CHECK_EQ(ns, 42);
}
