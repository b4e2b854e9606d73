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

TEST(code_ahead_tells_whether_a_frame_is_made)
{
	struct jit jit;

	jit_init(&jit);
	PLACE(&jit, 0x1120, "\x55\x48\x89\xe5");
	CHECK(code_makes_frame(jit.space, &jit.mem, 0x1100));
	CHECK(!code_makes_frame(jit.space, &jit.mem, 0x1121));
	CHECK(!code_makes_frame(jit.space, &jit.mem, 0x1080));
	CHECK(!code_makes_frame(jit.space, &jit.mem, 0x1ff8));
	space_free(jit.space);
}

/* As V8 10 to 14.1 return, then as Maglev of 14.6 does. */
TEST(code_ahead_tells_where_the_return_address_is_once_the_frame_is_left)
{
	struct jit jit;

	jit_init(&jit);
	PLACE(&jit, 0x1200,
	      "\x48\x8b\xe5\x5d"                       /* mov %rbp,%rsp; pop %rbp */
	      "\x48\x83\xf9\x01\x7f\x03\xc2\x08\x00"   /* cmp $1,%rcx; jg; ret $8 */
	      "\x41\x5a\x48\x8d\x24\xcc\x41\x52\xc3"); /* pop %r10; lea; push %r10; ret */
	PLACE(&jit, 0x1300,
	      "\x49\x83\xf8\x02\x0f\x8f\x03\x00\x00\x00\xc2\x10\x00"
	      "\x59\x4a\x8d\x24\xc4\x51\xc3");
	CHECK_EQ(code_leaves_frame(jit.space, &jit.mem, 0x1200), -1);
	CHECK_EQ(code_leaves_frame(jit.space, &jit.mem, 0x1203), -1);
	CHECK_EQ(code_leaves_frame(jit.space, &jit.mem, 0x1204), CODE_RETURNS_AT_SP);
	CHECK_EQ(code_leaves_frame(jit.space, &jit.mem, 0x1208), CODE_RETURNS_AT_SP);
	CHECK_EQ(code_leaves_frame(jit.space, &jit.mem, 0x120d), CODE_RETURNS_AT_SP);
	CHECK_EQ(code_leaves_frame(jit.space, &jit.mem, 0x120f), 10);
	CHECK_EQ(code_leaves_frame(jit.space, &jit.mem, 0x1213), 10);
	CHECK_EQ(code_leaves_frame(jit.space, &jit.mem, 0x1300), CODE_RETURNS_AT_SP);
	CHECK_EQ(code_leaves_frame(jit.space, &jit.mem, 0x130d), CODE_RETURNS_AT_SP);
	CHECK_EQ(code_leaves_frame(jit.space, &jit.mem, 0x130e), 2);
	CHECK_EQ(code_leaves_frame(jit.space, &jit.mem, 0x1312), 2);
	CHECK_EQ(code_leaves_frame(jit.space, &jit.mem, 0x5000), -1);
	space_free(jit.space);
}

/* sub %edx,%eax; shr %eax; add %edx,%eax: their operands look like a ret. */
TEST(code_of_a_loop_has_not_left_its_frame)
{
	struct jit jit;

	jit_init(&jit);
	PLACE(&jit, 0x1100, "\x2b\xc2\xd1\xe8\x03\xc2\xc1\xe8\x13");
	PLACE(&jit, 0x1200, "\x5d\xc3");
	PLACE(&jit, 0x1300, "\x59\x5a\xc3");
	CHECK_EQ(code_leaves_frame(jit.space, &jit.mem, 0x1100), -1);
	CHECK_EQ(code_leaves_frame(jit.space, &jit.mem, 0x1200), -1);
	CHECK_EQ(code_leaves_frame(jit.space, &jit.mem, 0x1300), -1);
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
