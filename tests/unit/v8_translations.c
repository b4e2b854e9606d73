#include <string.h>

#include "sampler/runtimes/v8/layout.h"
#include "sampler/runtimes/v8/translations.h"
#include "tests/test.h"

/* Instructions of V8 12.4: see v8_layout.translations. */
enum {
	INTERPRETED = 1, /* without a return value: bytecode, function, height */
	BUILTIN = 2,     /* a builtin of JavaScript that goes on */
	STUB = 4,        /* no frame of JavaScript */
	BEGIN = 12,      /* how far back the earlier one is, frames, and those of JavaScript */
	STACK_SLOT = 34,
	MATCH = 39,
	OPCODES = 40,
};

/* Numbers are small: the sign is the lowest bit. */
#define NUMBER(n) ((n) < 0 ? (uint8_t)((-(n)-1) * 2 + 1) : (uint8_t)((n)*2))

/* clang-format off */
static const uint8_t table[] = {
	/* 0: two frames, that of a stub between them */
	BEGIN, 0, NUMBER(3), NUMBER(2),
	INTERPRETED, NUMBER(7), NUMBER(1), NUMBER(0),
	STACK_SLOT, NUMBER(3),
	STUB, NUMBER(1), NUMBER(2),
	INTERPRETED, NUMBER(-1), NUMBER(2), NUMBER(0),
	/* 17: the outer frame as there, the inner one elsewhere */
	BEGIN, 17, NUMBER(3), NUMBER(2),
	OPCODES + 3,
	INTERPRETED, NUMBER(9), NUMBER(2), NUMBER(0),
	/* 26: the outer one elsewhere; three more as there, in the long form */
	BEGIN, 26, NUMBER(3), NUMBER(2),
	INTERPRETED, NUMBER(11), NUMBER(1), NUMBER(0),
	MATCH, 3,
	/* 36: a builtin goes on in a function */
	BEGIN, 0, NUMBER(2), NUMBER(2),
	INTERPRETED, NUMBER(5), NUMBER(1), NUMBER(0),
	BUILTIN, NUMBER(40), NUMBER(3), NUMBER(0),
};
/* clang-format on */

static size_t read_at(size_t len, size_t at, struct v8_translated *frames, size_t max)
{
	struct v8_layout layout;

	v8_layout_find(&layout, 1204, NULL);
	return v8_translation_frames((struct v8_bytes){ table, len }, layout.translations, at,
				     frames, max);
}

TEST(translation_gives_the_frames_of_functions_outermost_first)
{
	struct v8_translated f[8];

	CHECK_EQ(read_at(sizeof(table), 0, f, 8), 2);
	CHECK_EQ(f[0].bytecode, 7);
	CHECK_EQ(f[0].function, 1);
	CHECK_EQ(f[1].bytecode, -1);
	CHECK_EQ(f[1].function, 2);
}

TEST(translation_takes_from_an_earlier_one_what_is_equal)
{
	struct v8_translated f[8];

	CHECK_EQ(read_at(sizeof(table), 17, f, 8), 2);
	CHECK_EQ(f[0].bytecode, 7);
	CHECK_EQ(f[1].bytecode, 9);
	CHECK_EQ(read_at(sizeof(table), 26, f, 8), 2);
	CHECK_EQ(f[0].bytecode, 11);
	CHECK_EQ(f[1].bytecode, -1);
	CHECK_EQ(f[1].function, 2);
}

TEST(translation_leaves_out_builtins_that_go_on)
{
	struct v8_translated f[8];

	CHECK_EQ(read_at(sizeof(table), 36, f, 8), 1);
	CHECK_EQ(f[0].bytecode, 5);
}

TEST(translation_that_makes_no_sense_gives_nothing)
{
	struct v8_translated f[8];
	struct v8_layout layout;

	CHECK_EQ(read_at(sizeof(table), 1, f, 8), 0);
	CHECK_EQ(read_at(sizeof(table), sizeof(table), f, 8), 0);
	CHECK_EQ(read_at(sizeof(table), 0, f, 1), 0);
	for (size_t len = 0; len < 17; len++)
		CHECK_EQ(read_at(len, 0, f, 8), 0);
	/* V8 11 had no Maglev. */
	v8_layout_find(&layout, 1103, NULL);
	CHECK_EQ(v8_translation_frames((struct v8_bytes){ table, sizeof(table) },
				       layout.translations, 0, f, 8),
		 0);
}

TEST(safepoints_say_which_exit_a_call_has)
{
	/* Entries have exits; 1 byte of registers, 2 of pcs, 1 of indexes. */
	uint32_t header[4] = { 2, 1 | 1 << 1 | 2 << 4 | 1 << 7 };
	static const uint8_t entries[] = {
		0x34, 0x12, 5, 0x40, 0x12, 0, 0, /* pc, index + 1, exit + 1, spills, registers */
		0x38, 0x12, 0, 0x00, 0x00, 0, 0,
	};
	struct v8_safepoints s;
	int64_t index;
	uint32_t pc;

	CHECK(v8_safepoints_open(&s, (const uint8_t *)header, 0));
	CHECK_EQ(s.n, 2);
	CHECK_EQ(s.entry_size, 7);
	v8_safepoint(&s, entries, 0, &pc, &index);
	CHECK_EQ(pc, 0x1234);
	CHECK_EQ(index, 4);
	v8_safepoint(&s, entries, 1, &pc, &index);
	CHECK_EQ(pc, 0x1238);
	CHECK_EQ(index, -1);
	/* Newer ones have another word first. */
	header[3] = 0;
	header[2] = header[1];
	header[1] = header[0];
	CHECK(v8_safepoints_open(&s, (const uint8_t *)header, 4));
	CHECK_EQ(s.n, 2);
	header[2] |= 1 << 10;
	CHECK(!v8_safepoints_open(&s, (const uint8_t *)header, 4));
	header[2] = 0;
	CHECK(!v8_safepoints_open(&s, (const uint8_t *)header, 4));
}
