#include "sampler/unwind.h"

#include <stdlib.h>

#include "core/arena.h"
#include "tests/stepper.h"
#include "tests/test.h"

enum { MAX_DUMP = 60 << 10, MAX_STEPS = 60000 };

/* What is compared at every step, and what was seen. */
struct trial {
	struct stepper s;
	void *native, *oracle;
	bool live; /* memory beyond the dump is read from the process */
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

/* Unwinds as from a sample: registers and `dump` bytes from the stack pointer up. */
static void unwind_now(struct trial *t, size_t dump)
{
	struct memory_dump mem;

	stepper_copy_stack(&t->s, dump);
	memory_dump_init(&mem, t->s.regs.r[DW_RSP], t->s.dump, t->s.dump_len,
			 t->live ? memory_of_live(t->s.live) : NULL);
	unwinder_native.unwind(t->native, &t->s.regs, &mem.base, &t->got);
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
	t->live = strcmp(shape, "alternate_stack") == 0;
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
	/* Where there is no table, libunwind takes more than once what is not there. */
	if (strcmp(shape, "no_table") != 0)
		CHECK_EQ(t->agreed, t->oracle_complete);
	if (getenv("VERBOSE"))
		fprintf(stderr,
			"%s %s: %zu steps, %zu wrong; libunwind completes %zu, agrees %zu\n",
			program, shape, t->steps, wrong, t->oracle_complete, t->agreed);
	trial_free(t);
}

static void check_shapes(const char *program)
{
	static const char *const shapes[] = { "alloca",	  "aligned",  "recursion",
					      "callback", "signal",   "alternate_stack",
					      "vdso",	  "below_sp", "no_table" };

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
	check_shapes("shapes_stripped");
}

TEST(unwind_ends_at_the_first_function_of_a_thread)
{
	check_shape("shapes", "thread", 2);
	check_shape("shapes_static", "thread", 2);
}
