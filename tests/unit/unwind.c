#include "sampler/unwind.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/arena.h"
#include "tests/stepper.h"
#include "tests/test.h"

enum { MAX_DUMP = 60 << 10, MAX_STEPS = 60000 };

/* What is compared at every step, and what was seen. */
struct trial {
	struct stepper s;
	void *native, *oracle;
	bool alone; /* without the oracle */
	bool live;  /* memory beyond the dump is read from the process */
	struct raw_stack got, want;
	uint64_t base[64]; /* return addresses that were there at the breakpoint */
	size_t n_base;
	size_t steps, scanned, agreed, oracle_complete;
};

static struct trial *trial_new(const char *program, const char *shape, int breakpoint)
{
	struct trial *t = xcalloc(1, sizeof(*t));
	char path[512];

	snprintf(path, sizeof(path), "%s/fixtures/unwind/%s", LAGPROF_BINARY_DIR, program);
	if (!stepper_start(&t->s, path, shape, breakpoint))
		test_fail(__FILE__, __LINE__, "%s %s does not start", program, shape);
	t->native = unwinder_native.create(t->s.space);
	t->oracle = unwinder_libunwind.create(t->s.space);
	return t;
}

static void trial_free(struct trial *t)
{
	unwinder_native.destroy(t->native);
	unwinder_libunwind.destroy(t->oracle);
	stepper_end(&t->s);
	free(t);
}

/* Memory of a target that has gone on since: below the stack pointer is other data now. */
struct late_memory {
	struct memory base;
	struct memory *live;
	uint64_t sp;
};

static int late_read(struct memory *self, uint64_t addr, void *buf, size_t len)
{
	struct late_memory *m = (struct late_memory *)self;

	if (memory_read(m->live, addr, buf, len) < 0)
		return -EFAULT;
	if (addr < m->sp && m->sp - addr < 4096)
		memset(buf, 0x28, len);
	return 0;
}

/* Unwinds as from a sample: registers and `dump` bytes from the stack pointer up. */
static void unwind_now(struct trial *t, size_t dump)
{
	uint64_t sp = t->s.regs.r[DW_RSP];
	struct late_memory late = { .base.read = late_read,
				    .live = memory_of_live(t->s.live),
				    .sp = sp };
	struct memory_dump mem;

	stepper_copy_stack(&t->s, dump);
	memory_dump_init(&mem, sp, t->s.dump, t->s.dump_len, t->live ? &late.base : NULL);
	unwinder_native.unwind(t->native, &t->s.regs, &mem.base, &t->got);
	if (!t->alone)
		unwinder_libunwind.unwind(t->oracle, &t->s.regs, &mem.base, &t->want);
}

/* True if the unwound stack is the one that the calls made. */
static bool is_true_stack(const struct trial *t)
{
	const struct raw_stack *got = &t->got;

	if (got->end != STACK_COMPLETE || got->n != 1 + t->s.n + t->n_base)
		return false;
	for (size_t i = 1; i < got->n; i++) {
		const struct raw_frame *f = &got->frames[i];
		const struct stepper_call *call = i <= t->s.n ? &t->s.calls[t->s.n - i] : NULL;

		if (call ? f->pc != call->pc || f->sp != call->sp || (f->fp && f->fp != call->fp)
			 : f->pc != t->base[i - 1 - t->s.n])
			return false;
	}
	return true;
}

static bool same_stack(const struct raw_stack *a, const struct raw_stack *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->frames[i].pc != b->frames[i].pc || a->frames[i].sp != b->frames[i].sp)
			return false;
	return true;
}

static void print_stack(const struct trial *t)
{
	fprintf(stderr, "  end %d, scanned:", (int)t->got.end);
	for (size_t i = 0; i < t->got.n && i < 12; i++)
		fprintf(stderr, " %llx/%llx(%d)", (unsigned long long)t->got.frames[i].pc,
			(unsigned long long)t->got.frames[i].sp, (int)t->got.frames[i].how);
	fprintf(stderr, "\n  calls:");
	for (size_t i = 0; i < t->s.n && i < 12; i++)
		fprintf(stderr, " %llx/%llx", (unsigned long long)t->s.calls[t->s.n - 1 - i].pc,
			(unsigned long long)t->s.calls[t->s.n - 1 - i].sp);
	fprintf(stderr, "\n");
}

/* Steps through a shape and checks every stack on the way. */
static void check_shape(const char *program, const char *shape, int breakpoint)
{
	struct trial *t = trial_new(program, shape, breakpoint);
	size_t wrong = 0;

	/* The handler's stack is in the dump, the interrupted one is not. */
	t->live = strcmp(shape, "alternate_stack") == 0 || strcmp(shape, "below_sp") == 0;
	unwind_now(t, MAX_DUMP);
	CHECK_EQ(t->got.end, STACK_COMPLETE);
	for (size_t i = 1; i < t->got.n && t->n_base < 64; i++)
		t->base[t->n_base++] = t->got.frames[i].pc;
	while (t->steps < MAX_STEPS && stepper_step(&t->s)) {
		t->steps++;
		unwind_now(t, MAX_DUMP);
		if (!is_true_stack(t) && wrong++ < 3) {
			test_fail(__FILE__, __LINE__, "%s %s: step %zu at %llx", program, shape,
				  t->steps, (unsigned long long)t->s.regs.r[DW_RIP]);
			print_stack(t);
		}
		t->oracle_complete += t->want.end == STACK_COMPLETE;
		t->agreed += t->want.end == STACK_COMPLETE && same_stack(&t->got, &t->want);
	}
	CHECK(t->steps > 50);
	CHECK_EQ(wrong, 0);
	/* libunwind takes for true what it reads below the stack, and at times what no table says.
	 */
	if (strcmp(shape, "no_table") != 0 && strcmp(shape, "below_sp") != 0 &&
	    strcmp(shape, "jit") != 0)
		CHECK_EQ(t->agreed, t->oracle_complete);
	if (getenv("VERBOSE"))
		fprintf(stderr,
			"%s %s: %zu steps, %zu wrong; libunwind completes %zu, agrees %zu\n",
			program, shape, t->steps, wrong, t->oracle_complete, t->agreed);
	trial_free(t);
}

static void check_shapes(const char *program)
{
	static const char *const shapes[] = { "alloca",   "aligned",  "recursion",
					      "callback", "signal",   "alternate_stack",
					      "vdso",     "below_sp", "cfa_in_rax",
					      "no_table", "jit" };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		check_shape(program, shapes[i], 1);
}

TEST(unwind_is_true_at_every_instruction_of_optimized_code)
{
	check_shapes("shapes");
}

TEST(unwind_is_true_at_every_instruction_of_code_with_frame_pointers)
{
	check_shapes("shapes_frame_pointers");
}

TEST(unwind_is_true_at_every_instruction_of_a_static_program_without_a_header)
{
	check_shapes("shapes_static");
}

TEST(unwind_is_true_at_every_instruction_of_a_stripped_program)
{
	check_shape("shapes_stripped", "aligned", 1);
	check_shape("shapes_stripped", "signal", 1);
}

TEST(unwind_ends_at_the_first_function_of_a_thread)
{
	check_shape("shapes", "thread", 2);
	check_shape("shapes_static", "thread", 2);
}

TEST(unwind_of_a_call_through_null_finds_the_caller)
{
	struct trial *t = trial_new("shapes", "null_call", 1);

	while (t->steps < MAX_STEPS && t->s.regs.r[DW_RIP] != 0 && stepper_step(&t->s))
		t->steps++;
	CHECK_EQ(t->s.regs.r[DW_RIP], 0);
	unwind_now(t, MAX_DUMP);
	CHECK_EQ(t->got.end, STACK_COMPLETE);
	CHECK(t->got.n > 3);
	CHECK_EQ(t->got.frames[1].pc, t->s.calls[t->s.n - 1].pc);
	CHECK_EQ(t->got.frames[1].sp, t->s.calls[t->s.n - 1].sp);
	trial_free(t);
}

/* Stops in the middle of a recursion of optimized code. */
static struct trial *trial_in_recursion(void)
{
	struct trial *t = trial_new("shapes", "recursion", 1);

	while (t->s.n < 100 && stepper_step(&t->s))
		;
	CHECK_EQ(t->s.n, 100);
	return t;
}

TEST(unwind_of_every_length_of_dump_is_a_prefix_and_says_so)
{
	struct trial *t = trial_in_recursion();
	struct raw_stack whole;
	size_t top;

	unwind_now(t, MAX_DUMP);
	whole = t->got;
	CHECK_EQ(whole.end, STACK_COMPLETE);
	top = whole.frames[whole.n - 1].sp - t->s.regs.r[DW_RSP];
	for (size_t dump = 0; dump < top; dump += 24) {
		unwind_now(t, dump);
		CHECK_EQ(t->got.end, STACK_TRUNCATED);
		CHECK(t->got.n < whole.n);
		CHECK(memcmp(t->got.frames, whole.frames, t->got.n * sizeof(whole.frames[0])) == 0);
	}
	t->live = true;
	unwind_now(t, 512);
	CHECK(t->got.end == STACK_COMPLETE && t->got.n == whole.n);
	trial_free(t);
}

/* Unwinds after having put `word` at `addr` of the stack. */
static enum stack_end end_with_word(struct trial *t, uint64_t addr, uint64_t word)
{
	struct memory_dump mem;

	stepper_copy_stack(&t->s, MAX_DUMP);
	memcpy(t->s.dump + (addr - t->s.regs.r[DW_RSP]), &word, sizeof(word));
	memory_dump_init(&mem, t->s.regs.r[DW_RSP], t->s.dump, t->s.dump_len, NULL);
	unwinder_native.unwind(t->native, &t->s.regs, &mem.base, &t->got);
	return t->got.end;
}

TEST(unwind_of_a_changed_return_address_ends_there)
{
	struct trial *t = trial_in_recursion();
	uint64_t slot = t->s.calls[t->s.n - 10].sp - 8;

	CHECK_EQ(end_with_word(t, slot, 0x1234), STACK_NOT_CODE);
	CHECK_EQ(t->got.n, 10);
	CHECK_EQ(end_with_word(t, slot, t->s.regs.r[DW_RSP]), STACK_NOT_CODE);
	CHECK_EQ(end_with_word(t, slot, 0), STACK_NOT_CODE);
	CHECK_EQ(end_with_word(t, slot, t->s.calls[t->s.n - 10].pc), STACK_COMPLETE);
	trial_free(t);
}

TEST(unwind_without_registers_is_empty)
{
	struct space *space = space_new(0);
	void *native = unwinder_native.create(space), *oracle = unwinder_libunwind.create(space);
	struct raw_stack *stack = xcalloc(1, sizeof(*stack));
	struct regs regs = { .valid = 1u << DW_RIP };
	struct memory_dump mem;

	memory_dump_init(&mem, 0, NULL, 0, NULL);
	unwinder_native.unwind(native, &regs, &mem.base, stack);
	CHECK(stack->end == STACK_NO_REGISTERS && stack->n == 0);
	unwinder_libunwind.unwind(oracle, &regs, &mem.base, stack);
	CHECK_EQ(stack->n, 0);
	unwinder_native.destroy(native);
	unwinder_libunwind.destroy(oracle);
	space_free(space);
	free(stack);
}

/* JIT code at 0x10000 and a stack at 0x7f0000, of which `words` are filled in. */
struct jit {
	struct space *space;
	void *native;
	struct regs regs;
	uint64_t words[8192];
	struct raw_stack stack;
};

enum { JIT = 0x10000, JIT_STACK = 0x7f0000 };

static struct jit *jit_new(void)
{
	struct jit *jit = xcalloc(1, sizeof(*jit));

	jit->space = space_new(0);
	space_add(jit->space, &(struct mapping){ .start = JIT,
						 .end = JIT + 0x10000,
						 .exec = true,
						 .anon = true,
						 .path = "" });
	jit->native = unwinder_native.create(jit->space);
	jit->regs.valid = 1u << DW_RSP | 1u << DW_RIP | 1u << DW_RBP;
	jit->regs.r[DW_RIP] = JIT + 16;
	jit->regs.r[DW_RSP] = JIT_STACK;
	jit->regs.r[DW_RBP] = JIT_STACK + 32;
	return jit;
}

static enum stack_end jit_unwind(struct jit *jit)
{
	struct memory_dump mem;

	memory_dump_init(&mem, JIT_STACK, jit->words, sizeof(jit->words), NULL);
	unwinder_native.unwind(jit->native, &jit->regs, &mem.base, &jit->stack);
	return jit->stack.end;
}

static void jit_free(struct jit *jit)
{
	unwinder_native.destroy(jit->native);
	space_free(jit->space);
	free(jit);
}

/* A frame at word i whose caller's is at word `next`. */
static void jit_frame(struct jit *jit, size_t i, size_t next, uint64_t ra)
{
	jit->words[i] = JIT_STACK + next * 8;
	jit->words[i + 1] = ra;
}

TEST(unwind_by_frame_pointers_gives_each_frame_its_own)
{
	struct jit *jit = jit_new();

	jit_frame(jit, 4, 10, JIT + 0x100);
	jit_frame(jit, 10, 20, JIT + 0x200);
	jit_frame(jit, 20, 30, 0xdead);
	CHECK_EQ(jit_unwind(jit), STACK_NOT_CODE);
	CHECK_EQ(jit->stack.n, 3);
	CHECK_EQ(jit->stack.frames[0].fp, JIT_STACK + 4 * 8);
	CHECK_EQ(jit->stack.frames[1].pc, JIT + 0x100);
	CHECK_EQ(jit->stack.frames[1].fp, JIT_STACK + 10 * 8);
	CHECK_EQ(jit->stack.frames[1].sp, JIT_STACK + 6 * 8);
	CHECK_EQ(jit->stack.frames[2].fp, JIT_STACK + 20 * 8);
	CHECK_EQ(jit->stack.frames[2].how, HOW_FP);
	jit_free(jit);
}

/* V8 drops arguments from under the return address, which is in no word of the stack then. */
TEST(unwind_takes_the_return_address_from_the_register_that_keeps_it)
{
	enum { CODE = JIT_STACK + 0x8000 };
	struct jit *jit = jit_new();
	uint8_t *code = (uint8_t *)jit->words + (CODE - JIT_STACK);

	space_add(jit->space, &(struct mapping){ .start = CODE,
						 .end = CODE + 0x1000,
						 .exec = true,
						 .anon = true,
						 .path = "" });
	memcpy(code + 0x10, "\x41\x52\xc3", 3);      /* push %r10; ret */
	memcpy(code + 0x100, "\x90\x90\xff\xd0", 4); /* call *%rax */
	jit->regs.valid |= 1u << 10;
	jit->regs.r[10] = CODE + 0x104;
	jit->regs.r[DW_RIP] = CODE + 0x10;
	jit_frame(jit, 4, 10, JIT + 0x100);
	CHECK_EQ(jit_unwind(jit), STACK_NO_UNWIND_INFO);
	CHECK_EQ(jit->stack.frames[1].pc, CODE + 0x104);
	CHECK_EQ(jit->stack.frames[1].fp, JIT_STACK + 4 * 8);
	CHECK_EQ(jit->stack.frames[2].pc, JIT + 0x100);
	jit_free(jit);
}

TEST(unwind_by_frame_pointers_never_goes_down_or_round)
{
	struct jit *jit = jit_new();

	jit_frame(jit, 4, 10, JIT + 0x100);
	jit_frame(jit, 10, 4, JIT + 0x200);
	CHECK_EQ(jit_unwind(jit), STACK_NO_UNWIND_INFO);
	CHECK_EQ(jit->stack.n, 3);
	jit_frame(jit, 10, 10, JIT + 0x200);
	CHECK_EQ(jit_unwind(jit), STACK_NO_UNWIND_INFO);
	jit->words[10]++;
	CHECK_EQ(jit_unwind(jit), STACK_NO_UNWIND_INFO);
	jit->regs.valid &= ~(1u << DW_RBP);
	CHECK_EQ(jit_unwind(jit), STACK_NO_UNWIND_INFO);
	CHECK_EQ(jit->stack.n, 1);
	jit_free(jit);
}

TEST(unwind_of_more_frames_than_fit_says_so)
{
	struct jit *jit = jit_new();

	for (size_t i = 4; i < 8190; i += 2)
		jit_frame(jit, i, i + 2, JIT + 0x100 + i);
	CHECK_EQ(jit_unwind(jit), STACK_TOO_DEEP);
	CHECK_EQ(jit->stack.n, RAW_STACK_MAX);
	jit_free(jit);
}

TEST(fold_keeps_both_ends_of_a_deep_stack)
{
	struct raw_stack *stack = xcalloc(1, sizeof(*stack));

	stack->n = 2 * UNWIND_FOLD;
	CHECK_EQ(unwind_fold(stack), 0);
	CHECK_EQ(stack->n, 2 * UNWIND_FOLD);
	stack->n = 3000;
	for (size_t i = 0; i < stack->n; i++)
		stack->frames[i].pc = i;
	CHECK_EQ(unwind_fold(stack), UNWIND_FOLD);
	CHECK_EQ(stack->n, 2 * UNWIND_FOLD);
	CHECK_EQ(stack->frames[UNWIND_FOLD - 1].pc, UNWIND_FOLD - 1);
	CHECK_EQ(stack->frames[UNWIND_FOLD].pc, 3000 - UNWIND_FOLD);
	CHECK_EQ(stack->frames[2 * UNWIND_FOLD - 1].pc, 2999);
	free(stack);
}

TEST(unwinder_is_found_by_name)
{
	CHECK(unwinder_find("native") == &unwinder_native);
	CHECK(unwinder_find("libunwind") == &unwinder_libunwind);
	CHECK(!unwinder_find("magic"));
}
/*
 * musl has no unwind tables: frames are guessed there, and some of its own are
 * passed over.  Those of the program must all be found.
 */
static bool is_true_stack_outside_libc(struct trial *t)
{
	const struct raw_stack *got = &t->got;
	size_t n = t->s.n;

	if (got->end != STACK_COMPLETE)
		return false;
	for (size_t i = 1; i < got->n && n > 0; i++) {
		while (n > 0 && t->s.calls[n - 1].pc != got->frames[i].pc) {
			const struct mapping *m = space_find(t->s.space, t->s.calls[n - 1].pc);

			if (!m || !strstr(m->path, "libc"))
				return false;
			n--;
		}
		n -= n > 0;
	}
	return n == 0;
}

static void check_musl(const char *program)
{
	static const char *const shapes[] = { "alloca", "aligned", "recursion", "callback",
					      "signal", "vdso",    "no_table" };
	char path[512];

	snprintf(path, sizeof(path), "%s/fixtures/unwind/%s", LAGPROF_BINARY_DIR, program);
	if (access(path, X_OK) < 0)
		return; /* there is no musl-gcc here */
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct trial *t = trial_new(program, shapes[i], 1);
		size_t wrong = 0, signals = 0;

		t->alone = true;
		while (t->steps < MAX_STEPS && stepper_step(&t->s)) {
			t->steps++;
			unwind_now(t, MAX_DUMP);
			wrong += !is_true_stack_outside_libc(t);
			for (size_t f = 0; f < t->got.n; f++)
				signals += t->got.frames[f].how == HOW_SIGNAL;
		}
		if (t->steps < 100 || wrong * 50 > t->steps)
			test_fail(__FILE__, __LINE__, "%s %s: %zu of %zu steps are wrong", program,
				  shapes[i], wrong, t->steps);
		CHECK_EQ(signals > 0, strcmp(shapes[i], "signal") == 0);
		trial_free(t);
	}
}

TEST(unwind_through_a_libc_without_tables_finds_the_program)
{
	check_musl("shapes_musl");
	check_musl("shapes_musl_frame_pointers");
}

/* Through the dynamic linker, its relocations and constructors, to main() and exit. */
TEST(unwind_is_true_from_the_first_instruction_of_a_process_on)
{
	enum { EVERY = 13 };
	struct trial *t = trial_new("shapes", "aligned", 0);
	size_t checked = 0, wrong = 0;
	struct error err;

	t->alone = true;
	while (stepper_step(&t->s)) {
		if (++t->steps % EVERY != 0)
			continue;
		unwind_now(t, MAX_DUMP);
		if (t->got.end == STACK_NOT_CODE && space_refresh(t->s.space, &err) == 0)
			unwind_now(t, MAX_DUMP);
		checked++;
		if (!is_true_stack(t) && wrong++ < 3)
			print_stack(t);
	}
	CHECK(checked > 1000);
	CHECK_EQ(wrong, 0);
	trial_free(t);
}
