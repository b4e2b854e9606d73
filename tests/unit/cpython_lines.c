#include "sampler/runtimes/cpython/lines.h"
#include "tests/test.h"

/*
 * The tables of one function of sixteen lines as each version compiles it: a loop
 * from line 5, a call over lines 6 to 8, a try with its return from line 12 on and
 * its handler in line 15.  What a frame is at when it calls is held against co_lines().
 */
static const uint8_t v309[] = { 0, 2, 4, 2, 12, 1, 4, 1,   2, 1, 2,  254,
				8, 6, 2, 1, 2,  1, 2, 255, 6, 2, 12, 1 };
static const uint8_t v310[] = { 4, 2, 12, 2, 4, 1, 2,   1,  2, 1, 8, 254, 2,
				6, 2, 1,  2, 1, 6, 255, 12, 2, 6, 1, 2,   255 };
static const uint8_t v312[] = { 128, 0,   224, 8,   9,   128, 65,  228, 13,  18,  144, 49,  139,
				88,  242, 0,   3,   5,   15,  136, 1,   216, 8,   9,   140, 81,
				216, 12,  13,  216, 12,  13,  243, 5,   2,   14,  15,  241, 0,
				2,   9,   15,  137, 1,   240, 3,   3,   5,   15,  240, 14,  4,
				5,   13,  216, 16,  17,  220, 18,  19,  241, 3,   1,   17,  20,
				240, 0,   1,   9,   21,  248, 228, 11,  19,  242, 0,   1,   5,
				13,  217, 8,   12,  240, 3,   1,   5,   13,  250 };

static uint32_t line(int32_t version, uint32_t at)
{
	if (version == 309)
		return cpython_line(309, v309, sizeof(v309), 1, at);
	if (version == 310)
		return cpython_line(310, v310, sizeof(v310), 1, at);
	return cpython_line(version, v312, sizeof(v312), 1, at);
}

TEST(lines_of_3_9_go_down_and_up_with_the_code)
{
	static const uint32_t wanted[][2] = { { 0, 3 },   { 4, 5 },   { 16, 6 },  { 20, 7 },
					      { 23, 8 },  { 24, 6 },  { 34, 13 }, { 38, 13 },
					      { 44, 15 }, { 56, 16 }, { 64, 16 } };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		CHECK_EQ(line(309, wanted[i][0]), wanted[i][1]);
}

TEST(lines_of_3_10_are_ranges_of_code)
{
	static const uint32_t wanted[][2] = { { 0, 3 },   { 16, 6 },  { 20, 7 },  { 22, 8 },
					      { 24, 6 },  { 36, 14 }, { 44, 15 }, { 56, 16 },
					      { 62, 15 }, { 64, 0 } };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		CHECK_EQ(line(310, wanted[i][0]), wanted[i][1]);
}

TEST(lines_since_3_11_are_locations_some_of_which_have_none)
{
	static const uint32_t wanted[][2] = { { 0, 1 },   { 2, 3 },    { 6, 5 },   { 34, 6 },
					      { 46, 7 },  { 48, 8 },   { 50, 6 },  { 66, 5 },
					      { 70, 13 }, { 72, 14 },  { 82, 13 }, { 88, 0 },
					      { 90, 15 }, { 106, 16 }, { 112, 0 }, { 4000, 0 } };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		CHECK_EQ(line(312, wanted[i][0]), wanted[i][1]);
}

TEST(lines_of_a_table_cut_short_are_unknown_or_those_before)
{
	for (size_t len = 0; len < sizeof(v312); len++)
		CHECK(cpython_line(312, v312, len, 1, 90) <= 16);
	CHECK_EQ(cpython_line(312, NULL, 0, 7, 0), 0);
	CHECK_EQ(cpython_line(310, v310, 1, 7, 0), 0);
	/* Nothing is known but where the function begins. */
	CHECK_EQ(cpython_line(309, NULL, 0, 7, 40), 7);
}

TEST(lines_of_a_hostile_table_are_never_below_one)
{
	/* Long form, down by -2147483647. */
	static const uint8_t up[] = { 0xf0, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x3f };

	CHECK_EQ(cpython_line(313, up, sizeof(up), 1, 0), 0);
	CHECK_EQ(cpython_line(309, (const uint8_t[]){ 0, 0x80 }, 2, 1, 0), 0);
}
