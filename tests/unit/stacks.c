#include "sampler/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sampler/symbols.h"
#include "tests/test.h"

/* An unwinder that gives the frames it was told: what is tested here is all around it. */
static struct raw_frame script[4];
static size_t n_script;
static int dumped; /* what the memory given to it held at sp */

static void *create(struct space *space)
{
	return space;
}

static void destroy(void *state)
{
}

static void replay(void *state, const struct regs *regs, struct memory *mem, struct raw_stack *out)
{
	out->n = n_script;
	out->end = STACK_COMPLETE;
	out->regs = *regs;
	memcpy(out->frames, script, sizeof(script));
	if (memory_read(mem, regs->r[DW_RSP], &dumped, sizeof(dumped)) < 0)
		dumped = -1;
}

static const struct unwinder scripted = { "scripted", create, destroy, replay };

struct bench {
	struct recording *rec;
	struct space *space;
	struct stack_maker *maker;
	struct raw_sample raw;
	struct sample sample;
	int stack;
};

static void bench_open(struct bench *b)
{
	struct error err;

	*b = (struct bench){ .rec = recording_new(), .space = space_new(getpid()), .stack = 42 };
	CHECK_EQ(space_refresh(b->space, &err), 0);
	b->maker = stack_maker_new(&scripted, b->space, getpid(), b->rec);
	b->raw.regs.r[DW_RSP] = (uintptr_t)&b->stack;
	b->raw.stack = (const uint8_t *)&b->stack;
	b->raw.stack_len = sizeof(b->stack);
}

static void bench_close(struct bench *b)
{
	stack_maker_free(b->maker);
	space_free(b->space);
	recording_free(b->rec);
}

static void play(struct bench *b, uint64_t pc, uint64_t caller)
{
	script[0] = (struct raw_frame){ .pc = pc, .how = HOW_LEAF };
	script[1] = (struct raw_frame){ .pc = caller, .how = HOW_CFI };
	n_script = caller ? 2 : 1;
	stack_maker_make(b->maker, &b->raw, &b->sample);
}

static const struct frame *frame_of(const struct bench *b, uint32_t i)
{
	const struct stack *s = recording_get_stack(b->rec, b->sample.stack);

	return i < s->n ? recording_get_frame(b->rec, s->frames[i]) : NULL;
}

/* As a wrapper of the C library ends. */
__asm__(".text\n"
	"mov $257, %eax; syscall\n"
	"stacks_test_after_openat: ret\n");
extern const char stacks_test_after_openat[];

__attribute__((noinline)) static void stacks_test_function(void)
{
	__asm__ volatile("nop; nop; nop; nop");
}

TEST(stacks_native_frames_have_function_module_and_address)
{
	uint64_t pc = (uintptr_t)stacks_test_function;
	const struct frame *f;
	char exe[4096] = "";
	struct bench b;

	bench_open(&b);
	play(&b, pc, (uintptr_t)bench_open + 1);
	CHECK_EQ(dumped, 42);
	f = frame_of(&b, 0);
	CHECK_EQ(f->kind, FRAME_NATIVE);
	CHECK_STR(f->function, "stacks_test_function");
	CHECK(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	CHECK_STR(f->module, exe);
	CHECK_EQ(f->address, pc - space_find(b.space, pc)->bias);
	CHECK(f->build_id && strlen(f->build_id) == 40);
	/* a caller is looked up one byte before its return address */
	CHECK_STR(frame_of(&b, 1)->function, "bench_open");
	CHECK_EQ(frame_of(&b, 1)->address, (uintptr_t)bench_open - (pc - f->address));
	CHECK_EQ(recording_get_stack(b.rec, b.sample.stack)->end, STACK_COMPLETE);
	bench_close(&b);
}

TEST(stacks_equal_samples_share_a_stack)
{
	struct bench b;
	uint32_t first;

	bench_open(&b);
	play(&b, (uintptr_t)stacks_test_function, 0);
	first = b.sample.stack;
	play(&b, (uintptr_t)bench_open, 0);
	CHECK(b.sample.stack != first);
	play(&b, (uintptr_t)stacks_test_function, 0);
	CHECK_EQ(b.sample.stack, first);
	CHECK_EQ(b.rec->stacks.n_frames, 2);
	bench_close(&b);
}

TEST(stacks_code_of_a_library_has_its_module)
{
	const struct frame *f;
	struct bench b;

	bench_open(&b);
	play(&b, (uintptr_t)getppid, 0);
	f = frame_of(&b, 0);
	CHECK_STR(f->function, "getppid");
	CHECK(f->module && strstr(f->module, "libc"));
	bench_close(&b);
}

TEST(stacks_code_in_anonymous_memory_is_jit)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct frame *f;
	char path[64];
	struct bench b;
	FILE *map;

	bench_open(&b);
	play(&b, (uintptr_t)page + 16, 0);
	f = frame_of(&b, 0);
	CHECK_EQ(f->kind, FRAME_JIT);
	CHECK(!f->function && !f->module);
	bench_close(&b);

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	map = fopen(path, "w");
	fprintf(map, "%lx 20 JS:*hot /app/hot.js:7:1\n", (unsigned long)page);
	fclose(map);
	bench_open(&b);
	play(&b, (uintptr_t)page + 16, 0);
	f = frame_of(&b, 0);
	CHECK_EQ(f->kind, FRAME_JS);
	CHECK_STR(f->function, "hot");
	CHECK_STR(f->file, "/app/hot.js");
	bench_close(&b);
	unlink(path);
	munmap(page, 4096);
}

TEST(stacks_code_of_the_vdso_is_named)
{
	const struct frame *f;
	struct mapping *vdso;
	struct symbol symbol;
	struct bench b;

	bench_open(&b);
	vdso = space_find(b.space, getauxval(AT_SYSINFO_EHDR));
	if (vdso && space_file(b.space, vdso) &&
	    symbols_find(vdso->file, "__vdso_clock_gettime", &symbol)) {
		play(&b, vdso->bias + symbol.start + 1, 0);
		f = frame_of(&b, 0);
		CHECK_EQ(f->kind, FRAME_NATIVE);
		CHECK_STR(f->module, "[vdso]");
		CHECK(f->function && strstr(f->function, "clock_gettime"));
		CHECK_EQ(f->address, symbol.start + 1);
	}
	bench_close(&b);
}

TEST(stacks_address_that_nothing_maps_is_an_unnamed_frame)
{
	struct bench b;

	bench_open(&b);
	play(&b, 16, 0);
	CHECK_EQ(frame_of(&b, 0)->kind, FRAME_NATIVE);
	CHECK(!frame_of(&b, 0)->function && !frame_of(&b, 0)->module);
	bench_close(&b);
}

TEST(stacks_names_are_forgotten_when_mappings_change)
{
	uint64_t pc = (uintptr_t)stacks_test_function;
	struct mapping jit = {
		.start = pc & ~(uint64_t)4095, .exec = true, .anon = true, .path = ""
	};
	struct bench b;

	bench_open(&b);
	play(&b, pc, 0);
	CHECK_STR(frame_of(&b, 0)->function, "stacks_test_function");
	jit.end = jit.start + 8192;
	space_add(b.space, &jit);
	play(&b, pc, 0);
	CHECK_EQ(frame_of(&b, 0)->kind, FRAME_JIT);
	bench_close(&b);
}

TEST(stacks_guessed_frames_say_so)
{
	struct bench b;

	bench_open(&b);
	script[0] =
		(struct raw_frame){ .pc = (uintptr_t)stacks_test_function + 1, .how = HOW_SCAN };
	n_script = 1;
	stack_maker_make(b.maker, &b.raw, &b.sample);
	CHECK(frame_of(&b, 0)->guessed);
	CHECK_STR(frame_of(&b, 0)->function, "stacks_test_function");
	script[0].how = HOW_CFI;
	stack_maker_make(b.maker, &b.raw, &b.sample);
	CHECK(!frame_of(&b, 0)->guessed);
	bench_close(&b);
}

TEST(stacks_kernel_frames_come_first_without_marks)
{
	uint64_t kernel[] = { (uint64_t)-128, 0xffffffff81000000, 0xffffffff81000010 };
	struct bench b;

	bench_open(&b);
	b.raw.kernel = kernel;
	b.raw.n_kernel = 3;
	play(&b, (uintptr_t)stacks_test_function, 0);
	CHECK_EQ(recording_get_stack(b.rec, b.sample.stack)->n, 3);
	CHECK_EQ(frame_of(&b, 0)->kind, FRAME_KERNEL);
	CHECK_STR(frame_of(&b, 0)->module, "[kernel]");
	CHECK_EQ(frame_of(&b, 1)->kind, FRAME_KERNEL);
	CHECK_STR(frame_of(&b, 2)->function, "stacks_test_function");
	bench_close(&b);
}

TEST(stacks_of_no_frame_are_empty)
{
	struct bench b;

	bench_open(&b);
	n_script = 0;
	stack_maker_make(b.maker, &b.raw, &b.sample);
	CHECK_EQ(recording_get_stack(b.rec, b.sample.stack)->n, 0);
	CHECK_EQ(b.sample.n_arguments, 0);
	bench_close(&b);
}

TEST(stacks_survive_an_exec_of_the_target)
{
	struct error err;
	struct bench b;

	bench_open(&b);
	play(&b, (uintptr_t)stacks_test_function, 0);
	b.rec->target.runtime = "v8"; /* of the program that was */
	space_reset(b.space);
	stack_maker_reset(b.maker);
	CHECK(b.rec->target.runtime == NULL);
	CHECK_EQ(space_refresh(b.space, &err), 0);
	play(&b, (uintptr_t)stacks_test_function, 0);
	CHECK_STR(frame_of(&b, 0)->function, "stacks_test_function");
	bench_close(&b);
}

TEST(stacks_path_of_a_system_call_counts_if_it_cannot_have_changed_or_the_call_lasts)
{
	enum { REG_RSI = 4 };
	static const char name[] = "/in/a/file";
	char *heap = strdup("/on/the/heap");
	struct bench b;

	bench_open(&b);
	b.raw.regs.valid = (1u << DW_N) - 1;
	b.raw.regs.r[DW_RAX] = (uint64_t)-ENOSYS;
	b.raw.regs.r[DW_RIP] = (uintptr_t)stacks_test_after_openat;
	b.raw.regs.r[REG_RSI] = (uintptr_t)name;
	play(&b, (uintptr_t)stacks_test_after_openat, 0);
	CHECK(!stack_maker_path_in_doubt(b.maker));
	CHECK_STR(sample_argument(&b.sample, ARG_PATH)->text, name);
	b.raw.regs.r[REG_RSI] = (uintptr_t)heap;
	play(&b, (uintptr_t)stacks_test_after_openat, 0);
	CHECK_EQ(b.sample.n_arguments, 0);
	CHECK(stack_maker_path_in_doubt(b.maker));
	stack_maker_believe_path(b.maker, &b.sample);
	CHECK_STR(sample_argument(&b.sample, ARG_PATH)->text, heap);
	CHECK(!stack_maker_path_in_doubt(b.maker));
	free(heap);
	bench_close(&b);
}
