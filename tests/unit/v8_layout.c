#include "sampler/runtimes/v8/layout.h"
#include "tests/test.h"

TEST(layout_takes_the_newest_row_that_is_not_newer_than_the_target)
{
	struct v8_layout layout;

	CHECK(v8_layout_find(&layout, 1002, NULL));
	CHECK_EQ(layout.type_code, 240);
	CHECK_EQ(layout.code_inline, 1);
	CHECK_EQ(layout.scope_names, 3);
	CHECK(v8_layout_find(&layout, 1204, NULL));
	CHECK_EQ(layout.code_size, 52);
	CHECK_EQ(layout.function_shared, 32);
	CHECK_EQ(layout.wrapper_shared, -1);
	CHECK(v8_layout_find(&layout, 1406, NULL));
	CHECK_EQ(layout.code_size, 56);
	CHECK_EQ(layout.frame_builtin_exit, 17);
	CHECK_EQ(layout.wrapper_shared, 8);
}

TEST(layout_says_that_a_version_was_never_measured)
{
	struct v8_layout layout;

	CHECK(!v8_layout_find(&layout, 1309, NULL));
	CHECK_EQ(layout.type_code, 187);
	CHECK_EQ(strlen(layout.bytecodes), 0);
	CHECK(!v8_layout_find(&layout, 904, NULL));
	CHECK_EQ(layout.type_code, 239);
}

TEST(layout_has_a_length_for_every_bytecode_of_a_measured_version)
{
	static const struct {
		int32_t version;
		size_t n;
	} rows[] = { { 1001, 198 }, { 1002, 198 }, { 1007, 199 }, { 1008, 198 },
		     { 1103, 198 }, { 1108, 199 }, { 1204, 203 }, { 1209, 204 },
		     { 1306, 208 }, { 1401, 212 }, { 1406, 212 } };
	struct v8_layout layout;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		v8_layout_find(&layout, rows[i].version, NULL);
		CHECK_EQ(strlen(layout.bytecodes), rows[i].n);
		/* Wide, ExtraWide and the debugger's twins have no operands. */
		CHECK(strncmp(layout.bytecodes, "0000", 4) == 0);
	}
}
