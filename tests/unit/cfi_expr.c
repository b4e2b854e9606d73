#include "sampler/cfi_expr.h"

#include <errno.h>

#include "tests/test.h"

static const uint64_t stack[] = { 0x1111, 0xffffffffdeadbeef, 0x7ffc00000010, 0x4242 };
enum { STACK = 0x7000 };

static const struct expression {
	const char *bytes;
	size_t len;
	int rc;
	uint64_t value;
} expressions[] = {
#define E(bytes, value)                                        \
	{                                                      \
		bytes, sizeof(bytes) - 1, 0, (uint64_t)(value) \
	}
#define BAD(bytes, rc)                          \
	{                                       \
		bytes, sizeof(bytes) - 1, rc, 0 \
	}
	/* clang-format off */
	E("\x30", 0), E("\x4f", 31),
	E("\x08\xff", 255), E("\x09\xff", -1), E("\x0a\xff\xff", 65535), E("\x0b\xfe\xff", -2),
	E("\x0c\xff\xff\xff\xff", 0xffffffff), E("\x0d\xff\xff\xff\xff", -1),
	E("\x0e\1\2\3\4\5\6\7\x08", 0x0807060504030201), E("\x0f\xff\xff\xff\xff\xff\xff\xff\xff", -1),
	E("\x10\x80\x01", 128), E("\x11\x7f", -1), E("\x03\1\0\0\0\0\0\0\0", 1),
	E("\x77\x08", STACK + 8), E("\x92\x07\x78", STACK - 8), E("\x80\x00", 0x401236),
	E("\x77\x08\x06", 0xffffffffdeadbeef), E("\x77\x08\x94\x04", 0xdeadbeef), E("\x77\x18\x94\x01", 0x42),
	E("\x32\x33\x12", 3), E("\x32\x33\x13", 2), E("\x32\x33\x14", 2), E("\x32\x33\x34\x15\x02", 2),
	E("\x32\x33\x16", 2), E("\x32\x33\x34\x17", 3), E("\x32\x33\x34\x17\x13\x13", 4),
	E("\x11\x7b\x19", 5), E("\x35\x1f", -5), E("\x30\x20", -1), E("\x35\x23\x80\x01", 133),
	E("\x36\x33\x1a", 2), E("\x36\x33\x21", 7), E("\x36\x33\x27", 5), E("\x36\x33\x22", 9),
	E("\x33\x36\x1c", -3), E("\x36\x33\x1e", 18), E("\x11\x7a\x33\x1b", -2), E("\x38\x33\x1d", 2),
	E("\x31\x3f\x24", 0x8000), E("\x38\x32\x25", 2), E("\x11\x78\x32\x26", -2), E("\x31\x08\x40\x24", 0),
	E("\x11\x7f\x08\x7f\x26", -1),
	E("\x32\x32\x29", 1), E("\x32\x33\x2e", 1), E("\x11\x7f\x30\x2d", 1), E("\x32\x32\x2c", 1),
	E("\x33\x32\x2b", 1), E("\x30\x11\x7f\x2a", 1), E("\x30\x11\x7f\x2d", 0),
	E("\x2f\x01\x00\x35\x36", 6), E("\x31\x28\x01\x00\x35\x36\x96", 6), E("\x30\x28\x02\x00\x35\x36\x1f", -6),
	/* .plt: rsp + 8 + ((rip & 15) >= 11) << 3, at rip 0x401236 and not at 0x40123b */
	E("\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22", STACK + 8),
	/* bn_mul_mont: *(rsp + 8 + r9 * 8 ...), here r9 = 2 */
	E("\x77\x00\x79\x00\x38\x1e\x22\x06", 0x7ffc00000010),
	BAD("", -EINVAL), BAD("\x06", -EINVAL), BAD("\x13", -EINVAL), BAD("\x32\x22", -EINVAL),
	BAD("\x32\x30\x1b", -EINVAL), BAD("\x32\x30\x1d", -EINVAL), BAD("\x32\x15\x01", -EINVAL),
	BAD("\x0f\x01", -EINVAL), BAD("\x10\xff", -EINVAL), BAD("\x77", -EINVAL), BAD("\x9c", -EINVAL),
	BAD("\x31\x33\x94\x09", -EINVAL), BAD("\x50", -EINVAL), BAD("\x2f\x7f\x7f", -EINVAL),
	BAD("\x2f\xfd\xff", -EINVAL), /* jumps to itself for ever */
	BAD("\x31\x2f\xfc\xff", -EINVAL), /* pushes for ever */
	BAD("\x71\x00", -EFAULT), BAD("\x30\x06", -EFAULT), BAD("\x92\x40\x00", -EFAULT),
	/* clang-format on */
};

static int nothing_there(struct memory *self, uint64_t addr, void *buf, size_t len)
{
	return -EFAULT;
}

static struct memory stack_memory(void)
{
	return (struct memory){ .read = nothing_there,
				.window = (const uint8_t *)stack,
				.window_addr = STACK,
				.window_len = sizeof(stack) };
}

static struct regs some_regs(void)
{
	struct regs regs = { .valid = 1u << DW_RSP | 1u << DW_RIP | 1u << 9 };

	regs.r[DW_RSP] = STACK;
	regs.r[DW_RIP] = 0x401236;
	regs.r[9] = 2;
	return regs;
}

TEST(cfi_expr_every_operation_gives_its_value)
{
	struct memory mem = stack_memory();
	struct regs regs = some_regs();

	for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
		const struct expression *e = &expressions[i];
		uint64_t value = 0;
		int rc = cfi_expr_eval((struct cfi_expr){ (const uint8_t *)e->bytes, e->len },
				       &regs, &mem, NULL, &value);

		if (rc != e->rc || value != e->value)
			test_fail(__FILE__, __LINE__, "expression %zu gives %d, 0x%llx", i, rc,
				  (unsigned long long)value);
	}
}

TEST(cfi_expr_of_a_register_begins_with_the_cfa)
{
	static const uint8_t plus[] = { 0x23, 0x10 };
	static const uint8_t plt[] = { 0x77, 0x08, 0x80, 0x00, 0x3f, 0x1a,
				       0x3b, 0x2a, 0x33, 0x24, 0x22 };
	struct memory mem = stack_memory();
	struct regs regs = some_regs();
	uint64_t cfa = 0x5000, value;

	CHECK_EQ(cfi_expr_eval((struct cfi_expr){ plus, sizeof(plus) }, &regs, &mem, &cfa, &value),
		 0);
	CHECK_EQ(value, 0x5010);
	regs.r[DW_RIP] = 0x40123b;
	CHECK_EQ(cfi_expr_eval((struct cfi_expr){ plt, sizeof(plt) }, &regs, &mem, NULL, &value),
		 0);
	CHECK_EQ(value, STACK + 16);
}
