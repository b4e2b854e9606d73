/*
 * unwind_real SECONDS WRONG PROGRAM ARGUMENT…: samples a real program while it runs
 * and fails unless nearly every stack is complete, every return address in a
 * file follows a call, libunwind agrees wherever it completes, and at most WRONG
 * per cent of the tails that are read from the live target are another moment's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "sampler/code.h"
#include "sampler/eh_index.h"
#include "tests/samples.h"

enum { DUMP = 48 << 10, SHORT_DUMP = 4 << 10, WANTED = 100000 };

struct check {
	struct space *space;
	struct memory_live *live;
	void *native, *oracle;
	struct raw_stack got, want, before;
	size_t ends[STACK_ENDS], frames, scans;
	size_t not_after_call, compared, differ_at_leaf, differ;
	size_t tails, tails_spliced, tails_changed,
		tails_differ; /* of stacks deeper than SHORT_DUMP */
};

static struct elf_file *file_of(struct check *c, uint64_t pc, uint64_t *vaddr)
{
	struct mapping *m = space_find(c->space, pc);
	struct elf_file *file = m ? space_file(c->space, m) : NULL;

	if (file)
		*vaddr = pc - m->bias;
	return file;
}

static bool has_row(struct check *c, uint64_t pc)
{
	struct cfi_row row;
	uint64_t vaddr;
	struct elf_file *file = file_of(c, pc, &vaddr);

	return file && eh_index_row(file, vaddr, &row) == 1;
}

static void print_stack(const char *what, struct check *c, const struct raw_stack *s)
{
	fprintf(stderr, "%s, end %d:\n", what, (int)s->end);
	for (size_t i = 0; i < s->n && i < 12; i++) {
		struct mapping *m = space_find(c->space, raw_frame_lookup_pc(&s->frames[i]));

		fprintf(stderr, "  %2zu pc %llx sp %llx fp %llx how %d %s+%llx\n", i,
			(unsigned long long)s->frames[i].pc, (unsigned long long)s->frames[i].sp,
			(unsigned long long)s->frames[i].fp, (int)s->frames[i].how,
			m ? m->path : "?", m ? (unsigned long long)(s->frames[i].pc - m->bias) : 0);
	}
}

/* Return addresses in files must follow a call, but for those that nothing called. */
static void check_calls(struct check *c, struct memory *mem)
{
	for (size_t i = 1; i < c->got.n; i++) {
		const struct raw_frame *f = &c->got.frames[i];
		uint64_t vaddr;

		if (f->how == HOW_SIGNAL || !file_of(c, f->pc, &vaddr) ||
		    code_after_call(c->space, mem, f->pc) == 1 ||
		    code_is_sigreturn(c->space, mem, f->pc))
			continue;
		/* V8 writes returns to its builtins when it deoptimizes. */
		if (!has_row(c, f->pc - 1))
			continue;
		if (c->not_after_call++ < 3)
			print_stack("not after a call", c, &c->got);
	}
}

/* The same frames; libunwind gives no true stack pointer after a step by the frame pointer. */
static bool same_stack(const struct raw_stack *a, const struct raw_stack *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->frames[i].pc != b->frames[i].pc)
			return false;
	return true;
}

/*
 * Where libunwind is known to err: at a leaf without rules it guesses, and in an
 * epilogue it reads popped registers from below the stack pointer.
 */
static bool libunwind_errs_at(struct check *c, const struct raw_frame *leaf)
{
	struct elf_file *file;
	struct cfi_row row;
	uint64_t vaddr;

	file = file_of(c, leaf->pc, &vaddr);
	if (!file || eh_index_row(file, vaddr, &row) != 1)
		return true;
	for (size_t reg = 0; reg < DW_RIP; reg++)
		if (row.cfa.kind == CFI_REGISTER && row.cfa.reg == DW_RSP &&
		    row.regs[reg].kind == CFI_OFFSET && row.cfa.value + row.regs[reg].value < 0)
			return true;
	return false;
}

static void compare(struct check *c)
{
	if (c->want.end != STACK_COMPLETE || c->got.end != STACK_COMPLETE)
		return;
	c->compared++;
	if (same_stack(&c->got, &c->want))
		return;
	if (libunwind_errs_at(c, &c->got.frames[0])) {
		c->differ_at_leaf++;
	} else if (c->differ++ < 3) {
		print_stack("native", c, &c->got);
		print_stack("libunwind", c, &c->want);
	}
}

static void unwind(struct check *c, const struct sample_bytes *s, struct memory_dump *mem)
{
	memory_live_forget(c->live);
	memory_dump_init(mem, s->regs.r[DW_RSP], s->stack, s->len, memory_of_live(c->live));
	unwinder_native.unwind(c->native, &s->regs, &mem->base, &c->got);
}

/*
 * The same from a short dump, whose tail is read from the live target: the same
 * stack, or one that knows that the target has gone on.
 */
static void compare_tail(struct check *c, const struct sample_bytes *s)
{
	struct memory_dump mem;

	memory_live_forget(c->live);
	memory_dump_init(&mem, s->regs.r[DW_RSP], s->stack, SHORT_DUMP, memory_of_live(c->live));
	unwinder_native.unwind(c->native, &s->regs, &mem.base, &c->want);
	unwind_check_seam(&c->want, &mem, c->live);
	c->tails_spliced += unwind_splice(&c->want, &c->before);
	raw_stack_copy(&c->before, &c->got);
	c->tails++;
	if (c->want.end == STACK_SEAM)
		c->tails_changed++;
	else if (!same_stack(&c->got, &c->want))
		c->tails_differ++;
}

static void each(void *arg, const struct sample_bytes *s)
{
	struct check *c = arg;
	struct memory_dump mem;
	struct error err;

	unwind(c, s, &mem);
	if (c->got.end == STACK_NOT_CODE && space_refresh(c->space, &err) == 0)
		unwind(c, s, &mem);
	unwind_check_seam(&c->got, &mem, c->live);
	if (c->got.end != STACK_COMPLETE && c->ends[c->got.end] < 3)
		print_stack("incomplete", c, &c->got);
	c->ends[c->got.end]++;
	c->frames += c->got.n;
	for (size_t i = 0; i < c->got.n; i++)
		c->scans += c->got.frames[i].how == HOW_SCAN;
	check_calls(c, &mem.base);
	unwinder_libunwind.unwind(c->oracle, &s->regs, &mem.base, &c->want);
	compare(c);
	if (c->got.end == STACK_COMPLETE && s->len > SHORT_DUMP)
		compare_tail(c, s);
}

static int verdict(const struct check *c, const char *name, size_t n, size_t wrong)
{
	size_t complete = c->ends[STACK_COMPLETE];

	printf("%s: %zu samples, %.1f frames each, %zu scanned; %.2f %% complete", name, n,
	       (double)c->frames / (double)n, c->scans, 100.0 * (double)complete / (double)n);
	for (int i = STACK_COMPLETE + 1; i < STACK_ENDS; i++)
		if (c->ends[i])
			printf(", %s %zu", stack_end_names[i], c->ends[i]);
	printf("; libunwind completes %zu, differs at %zu leaves it cannot know and %zu others; "
	       "%zu return addresses not after a call; "
	       "%zu tails read live, %zu spliced, %zu changed, %zu wrong\n",
	       c->compared, c->differ_at_leaf, c->differ, c->not_after_call, c->tails,
	       c->tails_spliced, c->tails_changed, c->tails_differ);
	/* libunwind, and a target that goes on meanwhile, may err once in a while. */
	return complete * 100 < n * 99 || c->not_after_call || c->differ * 500 > n ||
	       c->tails_differ * 100 > c->tails * wrong;
}

int main(int argc, char **argv)
{
	struct check *c = xcalloc(1, sizeof(*c));
	struct samples_wanted wanted = {
		.hz = 997, .n = WANTED, .dump = DUMP, .each = each, .arg = c
	};
	struct error err;
	ssize_t n;
	pid_t pid;
	int rc;

	if (argc < 4)
		return 2;
	pid = samples_start((const char *const *)argv + 3);
	sleep(1);
	wanted.tid = pid;
	wanted.seconds = (unsigned)atoi(argv[1]);
	c->space = space_new(pid);
	c->live = memory_live_new(pid);
	c->native = unwinder_native.create(c->space);
	c->oracle = unwinder_libunwind.create(c->space);
	n = space_refresh(c->space, &err) == 0 ? samples_take(&wanted) : -ESRCH;
	samples_stop(pid);
	if (n <= 0) {
		fprintf(stderr, "unwind_real: no samples of %s: %s\n", argv[3],
			n < 0 ? strerror((int)-n) : "it does not run");
		return n == -EACCES || n == -EPERM ? 77 : 1;
	}
	rc = verdict(c, argv[3], (size_t)n, (size_t)atoi(argv[2]));
	unwinder_native.destroy(c->native);
	unwinder_libunwind.destroy(c->oracle);
	memory_live_free(c->live);
	space_free(c->space);
	free(c);
	return rc;
}
