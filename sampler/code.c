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
	uint8_t mod, rm, sib;
	size_t want = 2;

	if (n < 2 || at[0] != 0xff || (at[1] & 0x38) != 0x10)
		return false;
	mod = at[1] >> 6;
	rm = at[1] & 7;
	sib = n > 2 ? at[2] : 0;
	if (mod != 3 && rm == 4)
		want++;
	if (mod == 1)
		want += 1;
	/* disp32: by mode, or in place of the base register */
	else if (mod == 2 || (mod == 0 && (rm == 5 || (rm == 4 && (sib & 7) == 5))))
		want += 4;
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

/* push %rbp is done, and this is mov %rsp,%rbp in one of its two encodings. */
static bool is_frame_start(const uint8_t *at)
{
	return at[-1] == 0x55 &&
	       (memcmp(at, "\x48\x89\xe5", 3) == 0 || memcmp(at, "\x48\x8b\xec", 3) == 0);
}

static const uint8_t *skip_endbr64(const uint8_t *at)
{
	return memcmp(at, "\xf3\x0f\x1e\xfa", 4) == 0 ? at + 4 : at;
}

/* jmp *disp(%rip), of which PLT stubs consist, after its bnd prefix. */
static bool is_jump_through_memory(const uint8_t *at)
{
	if (*at == 0xf2)
		at++;
	return at[0] == 0xff && at[1] == 0x25;
}

static bool is_ret(uint8_t byte)
{
	return byte == 0xc3 || byte == 0xc2;
}

enum code_frame code_frame_at(struct space *space, struct memory *mem, uint64_t pc)
{
	uint8_t bytes[8];
	const uint8_t *at = bytes + 1;

	if (code_read(space, mem, pc - 1, bytes, sizeof(bytes)) < 0)
		return CODE_ANY;
	if (is_frame_start(at))
		return CODE_PUSHED;
	at = skip_endbr64(at);
	if (*at == 0x55 || is_ret(*at) || is_jump_through_memory(at))
		return CODE_NO_FRAME;
	return CODE_ANY;
}

bool code_makes_frame(struct space *space, struct memory *mem, uint64_t pc)
{
	enum { PROLOGUE = 64 }; /* bytes: V8's checks before */
	uint8_t bytes[PROLOGUE + 4];

	if (code_read(space, mem, pc, bytes, sizeof(bytes)) < 0)
		return false;
	for (size_t i = 1; i <= PROLOGUE; i++)
		if (is_frame_start(bytes + i))
			return true;
	return false;
}

/*
 * What stands between the end of a frame of V8 and its ret: the number of arguments is
 * compared, and they are dropped from under the return address, which a register keeps.
 */
static const struct exit_step {
	uint8_t op, mask; /* of the opcode, behind a prefix REX */
	int16_t modrm;    /* under modrm_mask; -1: it has none */
	uint8_t modrm_mask;
	uint8_t len; /* without REX */
	enum { EXIT_PLAIN, EXIT_POP, EXIT_PUSH, EXIT_RET } does;
} exit_steps[] = {
	/* clang-format off */
	{ 0x83, 0xff, 0xf8, 0xf8, 3, EXIT_PLAIN }, /* cmp $imm8,%reg */
	{ 0x81, 0xff, 0xf8, 0xf8, 6, EXIT_PLAIN }, /* cmp $imm32,%reg */
	{ 0x39, 0xfd, 0xc0, 0xc0, 2, EXIT_PLAIN }, /* cmp %reg,%reg, either way */
	{ 0x70, 0xf0, -1,   0,    2, EXIT_PLAIN }, /* jcc */
	{ 0x0f, 0xff, 0x80, 0xf0, 6, EXIT_PLAIN }, /* jcc, far */
	{ 0x8d, 0xff, 0x24, 0xff, 3, EXIT_PLAIN }, /* lea (%rsp,%reg,8),%rsp */
	{ 0x8d, 0xff, 0x64, 0xff, 4, EXIT_PLAIN }, /* the same with an offset */
	{ 0x03, 0xff, 0xe0, 0xf8, 2, EXIT_PLAIN }, /* add %reg,%rsp, both encodings */
	{ 0x01, 0xff, 0xc4, 0xc7, 2, EXIT_PLAIN },
	{ 0x58, 0xf8, -1,   0,    1, EXIT_POP },
	{ 0x50, 0xf8, -1,   0,    1, EXIT_PUSH },
	{ 0xc3, 0xff, -1,   0,    1, EXIT_RET },
	{ 0xc2, 0xff, -1,   0,    3, EXIT_RET },
	/* clang-format on */
};

static const struct exit_step *exit_step_at(const uint8_t *at)
{
	for (size_t i = 0; i < sizeof(exit_steps) / sizeof(exit_steps[0]); i++) {
		const struct exit_step *s = &exit_steps[i];

		if ((at[0] & s->mask) == s->op &&
		    (s->modrm < 0 || (at[1] & s->modrm_mask) == s->modrm))
			return s;
	}
	return NULL;
}

int code_leaves_frame(struct space *space, struct memory *mem, uint64_t pc)
{
	/* By number in an instruction; those of the frame itself are not popped once it is gone. */
	static const int8_t dwarf[16] = { 0, 2, 1, 3, -1, -1, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15 };
	enum { EXIT_BYTES = 32, LONGEST = 8 };
	uint8_t bytes[EXIT_BYTES + LONGEST];
	const uint8_t *at = bytes;
	int kept = -1;

	if (code_read(space, mem, pc, bytes, sizeof(bytes)) < 0)
		return -1;
	while (at < bytes + EXIT_BYTES) {
		bool high = *at >> 4 == 4 && *at & 1;
		const struct exit_step *step;
		int reg;

		at += *at >> 4 == 4;
		step = exit_step_at(at);
		if (!step)
			return -1;
		if (step->does == EXIT_RET)
			return CODE_RETURNS_AT_SP;
		reg = dwarf[(*at & 7) | high << 3];
		if (step->does == EXIT_PUSH)
			return kept < 0 ? reg : kept == reg ? CODE_RETURNS_AT_SP : -1;
		if (step->does == EXIT_POP) {
			if (kept >= 0 || reg < 0)
				return -1;
			kept = reg;
		}
		at += step->len;
	}
	return -1;
}

static bool is_plt_stub(struct space *space, struct memory *mem, uint64_t addr)
{
	uint8_t bytes[8];

	return code_read(space, mem, addr, bytes, sizeof(bytes)) == 0 &&
	       is_jump_through_memory(skip_endbr64(bytes));
}

static bool same_file(struct space *space, uint64_t a, uint64_t b)
{
	const struct mapping *x = space_find(space, a), *y = space_find(space, b);

	return x && y && x->file == y->file;
}

enum code_call code_calls(struct space *space, struct memory *mem, uint64_t ra, uint64_t pc)
{
	enum { NEAR = 4096 }; /* bytes: a small function */
	uint8_t call[6];
	int32_t distance;
	uint64_t target;

	if (code_read(space, mem, ra - sizeof(call), call, sizeof(call)) < 0)
		return CODE_CALLS_SOME;
	if (call[0] == 0xff && call[1] == 0x15) /* call *disp(%rip): as in the PLT */
		return same_file(space, ra, pc) ? CODE_CALLS_SOME : CODE_CALLS_IT;
	if (call[1] != 0xe8)
		return CODE_CALLS_SOME;
	memcpy(&distance, call + 2, sizeof(distance));
	target = ra + (uint64_t)(int64_t)distance;
	if (pc - target < NEAR)
		return CODE_CALLS_IT;
	return !same_file(space, ra, pc) && is_plt_stub(space, mem, target) ? CODE_CALLS_IT
									    : CODE_CALLS_OTHER;
}

bool code_is_sigreturn(struct space *space, struct memory *mem, uint64_t pc)
{
	uint8_t bytes[CODE_SIGRETURN];

	/* mov $15,%rax; syscall: glibc, musl and Go write the same */
	return code_read(space, mem, pc, bytes, sizeof(bytes)) == 0 &&
	       memcmp(bytes, "\x48\xc7\xc0\x0f\0\0\0\x0f\x05", CODE_SIGRETURN) == 0;
}
