#include "sampler/runtimes/v8/positions.h"
#include "tests/test.h"

/* Appends a signed number as V8 writes it. */
static size_t put(uint8_t *p, int64_t value)
{
	uint64_t bits = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
	size_t n = 0;

	do {
		p[n] = (uint8_t)((bits & 0x7f) | (bits > 0x7f ? 0x80 : 0));
		bits >>= 7;
		n++;
	} while (bits);
	return n;
}

static uint64_t raw(int32_t offset, uint32_t inlining)
{
	return (uint64_t)inlining << 31 | (uint64_t)(offset + 1) << 1;
}

/* Code offset 0 at source offset 10, 5 at 20 (an expression), 9 at 15 of an inlined function. */
static size_t make_table(uint8_t *p)
{
	size_t n = 0;

	n += put(p + n, 1); /* from the function's entry, -1, to 0 */
	n += put(p + n, (int64_t)raw(10, 0));
	n += put(p + n, -(5 + 1));
	n += put(p + n, (int64_t)(raw(20, 0) - raw(10, 0)));
	n += put(p + n, 4);
	n += put(p + n, (int64_t)(raw(15, 1) - raw(20, 0)));
	return n;
}

static bool find(const uint8_t *table, size_t len, int64_t offset, struct v8_position *p)
{
	return v8_positions_find((struct v8_bytes){ table, len },
				 (struct v8_table_kind){ .code_size = 100 }, offset, p);
}

TEST(positions_of_an_offset_is_the_last_entry_not_above_it)
{
	uint8_t bytes[64];
	size_t n = make_table(bytes);
	struct v8_position p;

	CHECK(find(bytes, n, 0, &p));
	CHECK_EQ(p.offset, 10);
	CHECK(find(bytes, n, 4, &p));
	CHECK_EQ(p.offset, 10);
	CHECK(find(bytes, n, 5, &p));
	CHECK_EQ(p.offset, 20);
	CHECK_EQ(p.inlining, 0);
	CHECK(find(bytes, n, 1000, &p));
	CHECK_EQ(p.offset, 15);
	CHECK_EQ(p.inlining, 1);
}

TEST(positions_before_the_first_entry_are_at_the_entry_of_the_function)
{
	uint8_t bytes[16];
	size_t n = put(bytes, 8);
	struct v8_position p;

	n += put(bytes + n, (int64_t)raw(10, 0));
	CHECK(find(bytes, n, 6, &p));
	CHECK_EQ(p.offset, -1);
	CHECK(find(bytes, n, 7, &p));
	CHECK_EQ(p.offset, 10);
	CHECK(!find(bytes, 0, 7, &p));
}

TEST(positions_outside_the_code_make_the_whole_table_distrusted)
{
	uint8_t bytes[64];
	size_t n = make_table(bytes);
	struct v8_position p;

	CHECK(!v8_positions_find((struct v8_bytes){ bytes, n },
				 (struct v8_table_kind){ .code_size = 8 }, 0, &p));
}

TEST(positions_since_v8_14_1_keep_two_flags_below_the_code_offset)
{
	/* +1 (to 0) as 1 << 2 | 3, then +5 as 5 << 2. */
	uint8_t bytes[64] = { 1 << 2 | 3 };
	struct v8_table_kind kind = { .code_size = 6, .flag_bits = 2 };
	struct v8_position p;
	size_t n = 1;

	n += put(bytes + n, (int64_t)raw(10, 0));
	bytes[n++] = 5 << 2;
	n += put(bytes + n, (int64_t)(raw(20, 2) - raw(10, 0)));
	CHECK(v8_positions_find((struct v8_bytes){ bytes, n }, kind, 4, &p));
	CHECK_EQ(p.offset, 10);
	CHECK(v8_positions_find((struct v8_bytes){ bytes, n }, kind, 5, &p));
	CHECK_EQ(p.offset, 20);
	CHECK_EQ(p.inlining, 2);
	/* Read as older tables it leaves the code. */
	kind.flag_bits = 0;
	CHECK(!v8_positions_find((struct v8_bytes){ bytes, n }, kind, 4, &p));
}

TEST(positions_cut_off_in_the_middle_are_refused)
{
	uint8_t bytes[64];
	size_t n = make_table(bytes);
	struct v8_position p;

	CHECK(!find(bytes, n - 1, 1000, &p));
}

TEST(positions_of_code_outside_the_heap_have_no_offset)
{
	CHECK_EQ(v8_position_of(1 | 77 << 1).offset, -1);
	CHECK_EQ(v8_position_of(raw(123456, 65535)).offset, 123456);
	CHECK_EQ(v8_position_of(raw(123456, 65535)).inlining, 65535);
}

/* Four prefixes, then bytecode 4 alone and bytecode 5 with one operand (2 bytes). */
#define LENGTHS "000007"

TEST(baseline_walks_machine_code_and_bytecodes_together)
{
	/* A prologue of 10 bytes, then 3, 4 and 5 bytes for bytecodes at 0, 1 and 3. */
	static const uint8_t code[] = { 10, 3, 4, 5 }, bytecodes[] = { 4, 5, 0, 5, 0 };
	struct v8_bytes t = { code, sizeof(code) }, b = { bytecodes, sizeof(bytecodes) };
	int64_t offset;

	CHECK(v8_baseline_find(t, b, LENGTHS, 9, &offset));
	CHECK_EQ(offset, -1);
	CHECK(v8_baseline_find(t, b, LENGTHS, 10, &offset));
	CHECK_EQ(offset, 0);
	CHECK(v8_baseline_find(t, b, LENGTHS, 12, &offset));
	CHECK_EQ(offset, 0);
	CHECK(v8_baseline_find(t, b, LENGTHS, 13, &offset));
	CHECK_EQ(offset, 1);
	CHECK(v8_baseline_find(t, b, LENGTHS, 21, &offset));
	CHECK_EQ(offset, 3);
	CHECK(!v8_baseline_find(t, b, LENGTHS, 22, &offset));
}

TEST(baseline_knows_that_prefixes_widen_the_operands)
{
	/* Wide 5 (1 + 1 + 2), ExtraWide 5 (1 + 1 + 4), then 4. */
	static const uint8_t code[] = { 1, 1, 1, 1 },
			     bytecodes[] = { 0, 5, 0, 0, 1, 5, 0, 0, 0, 0, 4 };
	struct v8_bytes t = { code, sizeof(code) }, b = { bytecodes, sizeof(bytecodes) };
	int64_t offset;

	CHECK(v8_baseline_find(t, b, LENGTHS, 2, &offset));
	CHECK_EQ(offset, 4);
	CHECK(v8_baseline_find(t, b, LENGTHS, 3, &offset));
	CHECK_EQ(offset, 10);
}

TEST(baseline_refuses_bytecodes_it_does_not_know)
{
	static const uint8_t code[] = { 1, 1, 1 }, bytecodes[] = { 6, 4 };
	struct v8_bytes t = { code, sizeof(code) }, b = { bytecodes, sizeof(bytecodes) };
	int64_t offset;

	CHECK(!v8_baseline_find(t, b, LENGTHS, 2, &offset));
}

TEST(lines_end_as_javascript_ends_them)
{
	static const char text[] = "a\nbb\r\nc\rd";
	uint32_t ends[8], start;
	size_t n = v8_line_ends(text, sizeof(text) - 1, false, ends, 8);

	CHECK_EQ(n, 4);
	CHECK_EQ(ends[1], 5);
	CHECK_EQ(v8_line_find(ends, n, 0, &start), 0);
	CHECK_EQ(v8_line_find(ends, n, 3, &start), 1);
	CHECK_EQ(start, 2);
	CHECK_EQ(v8_line_find(ends, n, 8, &start), 3);
	CHECK_EQ(start, 8);
}

TEST(lines_of_wide_text_also_end_at_the_unicode_separators)
{
	static const uint16_t text[] = { 'a', 0x2028, 'b', 0x2029, 0x4e2d };
	uint32_t ends[8];

	CHECK_EQ(v8_line_ends(text, 5, true, ends, 8), 3);
	CHECK_EQ(v8_line_ends(text, 5, true, ends, 2), 2);
}

TEST(positions_span_has_the_entry_that_holds_at_its_beginning)
{
	uint8_t bytes[64];
	struct v8_bytes table = { bytes, make_table(bytes) };
	struct v8_table_kind kind = { .code_size = 100 };
	struct v8_span span;

	CHECK(v8_positions_span(table, kind, 2, 4, &span));
	CHECK_EQ(span.min, 10);
	CHECK_EQ(span.max, 10);
	CHECK(v8_positions_span(table, kind, 2, 8, &span));
	CHECK_EQ(span.min, 10);
	CHECK_EQ(span.max, 20);
	CHECK(v8_positions_span(table, kind, 6, 50, &span));
	CHECK_EQ(span.min, 15);
	CHECK_EQ(span.max, 20);
	kind.code_size = 3;
	CHECK(!v8_positions_span(table, kind, 0, 2, &span));
}
