#include "sampler/call_path.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/test.h"

/* What wrappers of the C library end in. */
__asm__(".text\n"
	"call_path_in_openat: mov $257, %eax; syscall\n"
	"call_path_after_openat: ret\n"
	"call_path_in_read: mov $0, %eax; syscall\n"
	"call_path_after_read: ret\n"
	"call_path_in_any: mov %rdi, %rax; syscall\n"
	"call_path_after_any: ret\n");
extern const char call_path_after_openat[], call_path_after_read[], call_path_after_any[];

enum { REG_RDI = 5, REG_RSI = 4 };
static const char constant[] = "/etc/constant";

struct bench {
	struct space *space;
	struct memory_live *live;
	struct memory_dump dump;
	struct regs regs;
	char stack[64];
	struct call_path path;
};

/* A thread of this process in the kernel, with a copy of its stack that holds another name by now.
 */
static void bench_open(struct bench *b, const char *pc, const char *name)
{
	static char copy[64] = "/copied";
	struct error err;

	*b = (struct bench){ .space = space_new(getpid()), .live = memory_live_new(getpid()) };
	CHECK_EQ(space_refresh(b->space, &err), 0);
	strcpy(b->stack, "/changed");
	memory_dump_init(&b->dump, (uintptr_t)b->stack, copy, sizeof(copy),
			 memory_of_live(b->live));
	b->regs.valid = (1u << DW_N) - 1;
	b->regs.r[DW_RAX] = (uint64_t)-ENOSYS;
	b->regs.r[DW_RIP] = (uintptr_t)pc;
	b->regs.r[DW_RSP] = (uintptr_t)b->stack;
	b->regs.r[REG_RSI] = (uintptr_t)(name ? name : b->stack);
}

static void bench_close(struct bench *b)
{
	memory_live_free(b->live);
	space_free(b->space);
}

static bool read_path(struct bench *b, const char *kernel)
{
	return call_path_read(b->space, &b->dump.base, &b->regs, kernel, &b->path);
}

TEST(path_of_a_call_on_the_copied_stack_is_the_sampled_one)
{
	struct bench b;

	bench_open(&b, call_path_after_openat, NULL);
	CHECK(read_path(&b, NULL));
	CHECK_STR(b.path.text, "/copied");
	CHECK(b.path.sure);
	bench_close(&b);
}

TEST(path_of_a_call_that_nobody_can_change_is_sure_and_one_on_the_heap_is_not)
{
	char *heap = strdup("/tmp/on-the-heap");
	struct bench b;

	bench_open(&b, call_path_after_openat, constant);
	CHECK(read_path(&b, NULL));
	CHECK_STR(b.path.text, constant);
	CHECK(b.path.sure);
	bench_close(&b);
	bench_open(&b, call_path_after_openat, heap);
	CHECK(read_path(&b, NULL));
	CHECK_STR(b.path.text, heap);
	CHECK(!b.path.sure);
	bench_close(&b);
	free(heap);
}

TEST(path_of_a_call_is_in_the_register_that_the_kernel_function_says)
{
	struct bench b;

	bench_open(&b, call_path_after_any, "second");
	b.regs.r[REG_RDI] = (uintptr_t) "first";
	CHECK(!read_path(&b, NULL));
	CHECK(read_path(&b, "__x64_sys_statx"));
	CHECK_STR(b.path.text, "second");
	CHECK(read_path(&b, "__x64_sys_unlink"));
	CHECK_STR(b.path.text, "first");
	CHECK(!read_path(&b, "__x64_sys_read"));
	CHECK(call_path_is_call("__x64_sys_newfstatat"));
	CHECK(!call_path_is_call("__x64_sys_epoll_wait"));
	CHECK(!call_path_is_call("unlink"));
	CHECK(!call_path_is_call(NULL));
	bench_close(&b);
}

TEST(path_of_a_thread_that_is_in_no_such_call_is_unknown)
{
	struct bench b;

	bench_open(&b, call_path_after_read, constant);
	CHECK(!read_path(&b, NULL));
	b.regs.r[DW_RIP] = (uintptr_t)call_path_after_openat;
	b.regs.r[DW_RAX] = 3; /* back from it */
	CHECK(!read_path(&b, NULL));
	b.regs.r[DW_RAX] = (uint64_t)-ENOSYS;
	b.regs.r[DW_RIP] = 16;
	CHECK(!read_path(&b, NULL));
	b.regs.r[DW_RIP] = (uintptr_t)call_path_after_openat;
	b.regs.r[REG_RSI] = (uintptr_t) "";
	CHECK(!read_path(&b, NULL));
	b.regs.r[REG_RSI] = 8;
	CHECK(!read_path(&b, NULL));
	b.regs.r[REG_RSI] = (uintptr_t)constant;
	b.regs.valid = 1u << DW_RSP | 1u << DW_RIP;
	CHECK(!read_path(&b, "__x64_sys_openat"));
	bench_close(&b);
}
