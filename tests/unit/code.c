#include "sampler/code.h"

#include <elf.h>
#include <errno.h>

#include "tests/test.h"

TEST(code_knows_every_form_of_a_call)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool call;
	} forms[] = {
#define CALL(b)                        \
	{                              \
		b, sizeof(b) - 1, true \
	}
#define NONE(b)                         \
	{                               \
		b, sizeof(b) - 1, false \
	}
		/* clang-format off */
		CALL("\x90\x90\x90\xe8\x01\x02\x03\x04"), /* call rel32 */
		CALL("\xe8\x01\x02\x03\x04"),
		CALL("\x90\xff\xd0"), CALL("\x41\xff\xd7"), /* call *%rax, *%r15 */
		CALL("\x90\xff\x10"), CALL("\x90\xff\x14\x24"), /* *(%rax), *(%rsp) */
		CALL("\xff\x50\x08"), CALL("\xff\x54\x24\x08"), /* *8(%rax), *8(%rsp) */
		CALL("\xff\x90\x08\x01\x00\x00"), CALL("\xff\x94\x24\x08\x01\x00\x00"),
		CALL("\x41\xff\x95\x08\x01\x00\x00"), /* *0x108(%r13) */
		CALL("\xff\x15\x01\x02\x03\x04"), /* *0x4030201(%rip) */
		CALL("\xff\x14\xc5\x01\x02\x03\x04"), /* *0x4030201(,%rax,8) */
		NONE("\xe9\x01\x02\x03\x04"), NONE("\x90\xff\xe0"), NONE("\x90\xff\x20"),
		NONE("\xe8\x01\x02\x03"), NONE("\xff\x14"), NONE("\xff\xd0\x90"), NONE(""), NONE("\xff"),
		NONE("\x48\x89\xe5\x5d\xc3"), NONE("\xff\x15\x01\x02\x03"),
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (code_ends_in_call((const uint8_t *)forms[i].bytes, forms[i].len) !=
		    forms[i].call)
			test_fail(__FILE__, __LINE__, "form %zu", i);
}

/* JIT code at 0x1000, as the target's memory holds it. */
struct jit {
	struct memory mem;
	struct space *space;
	uint8_t bytes[4096];
};

static int nothing_there(struct memory *self, uint64_t addr, void *buf, size_t len)
{
	return -EFAULT;
}

static void jit_init(struct jit *jit)
{
	*jit = (struct jit){ .mem = { .read = nothing_there,
				      .window_addr = 0x1000,
				      .window_len = sizeof(jit->bytes) } };
	jit->mem.window = jit->bytes;
	memset(jit->bytes, 0x90, sizeof(jit->bytes));
	jit->space = space_new(0);
	space_add(jit->space,
		  &(struct mapping){
			  .start = 0x1000, .end = 0x2000, .exec = true, .anon = true, .path = "" });
}

#define PLACE(jit, at, code) memcpy((jit)->bytes + (at)-0x1000, code, sizeof(code) - 1)

TEST(code_at_a_leaf_tells_its_frame)
{
	struct jit jit;

	jit_init(&jit);
	PLACE(&jit, 0x1100, "\x90\x55\x48\x89\xe5\x90\x5d\xc3\x90");
	PLACE(&jit, 0x1200, "\xf3\x0f\x1e\xfa\x55\x48\x8b\xec\x90\xc2\x08\x00");
	PLACE(&jit, 0x1300, "\xf3\x0f\x1e\xfa\xf2\xff\x25\x01\x02\x03\x04");
	CHECK_EQ(code_frame_at(jit.space, &jit.mem, 0x1100), CODE_ANY);
	CHECK_EQ(code_frame_at(jit.space, &jit.mem, 0x1101), CODE_NO_FRAME);
	CHECK_EQ(code_frame_at(jit.space, &jit.mem, 0x1102), CODE_PUSHED);
	CHECK_EQ(code_frame_at(jit.space, &jit.mem, 0x1105), CODE_ANY);
	CHECK_EQ(code_frame_at(jit.space, &jit.mem, 0x1107), CODE_NO_FRAME);
	CHECK_EQ(code_frame_at(jit.space, &jit.mem, 0x1200), CODE_NO_FRAME);
	CHECK_EQ(code_frame_at(jit.space, &jit.mem, 0x1205), CODE_PUSHED);
	CHECK_EQ(code_frame_at(jit.space, &jit.mem, 0x1209), CODE_NO_FRAME);
	CHECK_EQ(code_frame_at(jit.space, &jit.mem, 0x1300), CODE_NO_FRAME);
	CHECK_EQ(code_frame_at(jit.space, &jit.mem, 0x1304), CODE_NO_FRAME);
	CHECK_EQ(code_frame_at(jit.space, &jit.mem, 0x5000), CODE_ANY);
	space_free(jit.space);
}

TEST(code_ahead_tells_whether_a_frame_is_made_or_left)
{
	struct jit jit;

	jit_init(&jit);
	PLACE(&jit, 0x1120, "\x55\x48\x89\xe5");
	PLACE(&jit, 0x1200, "\x48\x89\xec\x5d\x59\x48\x8d\x24\xcc\x51\xc3");
	CHECK(code_makes_or_leaves_frame(jit.space, &jit.mem, 0x1100));
	CHECK(!code_makes_or_leaves_frame(jit.space, &jit.mem, 0x1121));
	CHECK(!code_makes_or_leaves_frame(jit.space, &jit.mem, 0x1080));
	CHECK(!code_makes_or_leaves_frame(jit.space, &jit.mem, 0x1200));
	CHECK(!code_makes_or_leaves_frame(jit.space, &jit.mem, 0x1203));
	CHECK(code_makes_or_leaves_frame(jit.space, &jit.mem, 0x1204));
	CHECK(!code_makes_or_leaves_frame(jit.space, &jit.mem, 0x1ff8));
	space_free(jit.space);
}

TEST(code_calls_only_what_it_names)
{
	struct jit jit;

	jit_init(&jit);
	PLACE(&jit, 0x1100, "\xe8\xfb\x0e\x00\x00"); /* call 0x2000 */
	PLACE(&jit, 0x1200, "\xe8\x7b\x00\x00\x00"); /* call 0x1280 */
	PLACE(&jit, 0x1300, "\xff\xd0");
	CHECK_EQ(code_calls(jit.space, &jit.mem, 0x1205, 0x1280), CODE_CALLS_IT);
	CHECK_EQ(code_calls(jit.space, &jit.mem, 0x1205, 0x1290), CODE_CALLS_IT);
	CHECK_EQ(code_calls(jit.space, &jit.mem, 0x1205, 0x127f), CODE_CALLS_OTHER);
	CHECK_EQ(code_calls(jit.space, &jit.mem, 0x1105, 0x1290), CODE_CALLS_OTHER);
	CHECK_EQ(code_calls(jit.space, &jit.mem, 0x1302, 0x1310), CODE_CALLS_SOME);
	CHECK_EQ(code_after_call(jit.space, &jit.mem, 0x1205), 1);
	CHECK_EQ(code_after_call(jit.space, &jit.mem, 0x1204), 0);
	CHECK_EQ(code_after_call(jit.space, &jit.mem, 0x1004), -EFAULT);
	CHECK_EQ(code_after_call(jit.space, &jit.mem, 0x3000), -EFAULT);
	space_free(jit.space);
}
