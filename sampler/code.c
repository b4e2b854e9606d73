#include "sampler/code.h"

#include <errno.h>
#include <string.h>

int code_read(struct space *space, struct memory *mem, uint64_t addr, void *buf, size_t len)
{
	struct mapping *m = space_find(space, addr);
	struct elf_file *file = m ? space_file(space, m) : NULL;

	if (!m || !m->exec)
		return -EFAULT;
	return file ? elf_read_vaddr(file, addr - m->bias, buf, len)
		    : memory_read(mem, addr, buf, len);
}

/* Whether n bytes are exactly `ff /2` with its operand: call through a register or memory. */
static bool is_indirect_call(const uint8_t *at, size_t n)
{
	uint8_t mod, rm;
	size_t want = 2;

	if (n < 2 || at[0] != 0xff || (at[1] & 0x38) != 0x10)
		return false;
	mod = at[1] >> 6;
	rm = at[1] & 7;
	if (mod != 3 && rm == 4)
		want++; /* a SIB byte */
	if (mod == 1)
		want += 1;
	else if (mod == 2 || (mod == 0 && rm == 5))
		want += 4;
	else if (mod == 0 && rm == 4 && n >= 3 && (at[2] & 7) == 5)
		want += 4; /* no base register */
	return n == want;
}

bool code_ends_in_call(const uint8_t *bytes, size_t n)
{
	if (n >= 5 && bytes[n - 5] == 0xe8)
		return true;
	for (size_t len = 2; len <= 7 && len <= n; len++)
		if (is_indirect_call(bytes + n - len, len))
			return true;
	return false;
}

int code_after_call(struct space *space, struct memory *mem, uint64_t addr)
{
	uint8_t bytes[CODE_MAX_CALL];
	int rc = code_read(space, mem, addr - sizeof(bytes), bytes, sizeof(bytes));

	return rc < 0 ? rc : code_ends_in_call(bytes, sizeof(bytes));
}

enum code_frame code_frame_at(struct space *space, struct memory *mem, uint64_t pc)
{
	enum { BEFORE = 1 };
	uint8_t bytes[8] = { 0 };
	const uint8_t *at = bytes + BEFORE;

	if (code_read(space, mem, pc - BEFORE, bytes, sizeof(bytes)) < 0)
		return CODE_ANY;
	if (memcmp(at, "\xf3\x0f\x1e\xfa", 4) == 0) /* endbr64 */
		at += 4;
	if (at[0] == 0x55 || at[0] == 0xc3 || at[0] == 0xc2) /* push %rbp; ret; ret $n */
		return CODE_NO_FRAME;
	/* push %rbp, done, and mov %rsp,%rbp in its two encodings */
	if (bytes[0] == 0x55 &&
	    (memcmp(at, "\x48\x89\xe5", 3) == 0 || memcmp(at, "\x48\x8b\xec", 3) == 0))
		return CODE_PUSHED;
	return CODE_ANY;
}

bool code_is_sigreturn(struct space *space, struct memory *mem, uint64_t pc)
{
	uint8_t bytes[9];

	/* mov $15,%rax; syscall: glibc, musl and Go write the same */
	return code_read(space, mem, pc, bytes, sizeof(bytes)) == 0 &&
	       memcmp(bytes, "\x48\xc7\xc0\x0f\0\0\0\x0f\x05", 9) == 0;
}
