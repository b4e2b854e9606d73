#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sampler/bpf/emit.h"
#include "sampler/bpf/kernel.h"

/*
 * The programs see the thread ids of the initial pid namespace.  Inside another
 * one nobody says what those are, but the kernel's own list of threads is walked
 * by a program, and takes the id of the thread that is wanted as it is known here.
 */

bool kernel_is_in_namespace(void)
{
	static const char initial[] = "pid:[4026531836]"; /* PROC_PID_INIT_INO */
	char link[32];
	ssize_t n = readlink("/proc/self/ns/pid", link, sizeof(link) - 1);

	link[n > 0 ? n : 0] = '\0';
	return n > 0 && strcmp(link, initial) != 0;
}

/* Writes the id of each thread it is called with: {meta, task}, meta begins with the file. */
static void program_walk(struct assembler *a, const struct kernel_types *types)
{
	enum { META = 0, TASK = 8 };
	int none = asm_label(a);

	asm_load(a, R2, R1, TASK);
	asm_jump_if_imm(a, BPF_JEQ, R2, 0, none);
	asm_load32(a, R3, R2, types->task_pid);
	asm_store(a, BPF_REG_10, -8, R3);
	asm_load(a, R1, R1, META);
	asm_load(a, R1, R1, 0);
	asm_mov(a, R2, BPF_REG_10);
	asm_alu_imm(a, BPF_ADD, R2, -8);
	asm_mov_imm(a, R3, 8);
	asm_call(a, BPF_FUNC_seq_write);
	asm_place(a, none);
	asm_exit(a, 0);
	asm_link(a);
}

static int bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	int fd = (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return fd < 0 ? -errno : fd;
}

/* A file that holds what the program writes of this one thread. */
static int open_walk(int prog, pid_t tid)
{
	/* union bpf_iter_link_info, as it is since Linux 6.1. */
	uint32_t only[4] = { (uint32_t)tid };
	union bpf_attr link = { .link_create = { .prog_fd = (uint32_t)prog,
						 .attach_type = BPF_TRACE_ITER,
						 .iter_info = (uintptr_t)only,
						 .iter_info_len = sizeof(only) } };
	union bpf_attr iter = { 0 };
	int fd = bpf(BPF_LINK_CREATE, &link), ret;

	if (fd < 0)
		return fd;
	iter.iter_create.link_fd = (uint32_t)fd;
	ret = bpf(BPF_ITER_CREATE, &iter);
	close(fd);
	return ret;
}

int kernel_thread_id(const struct kernel_types *types, pid_t tid, struct error *err)
{
	const struct attach_point at = { BPF_TRACE_ITER, types->task_iterator_id };
	struct assembler a;
	uint64_t id = 0;
	int prog, fd;

	if (!kernel_is_in_namespace())
		return tid;
	asm_init(&a);
	program_walk(&a, types);
	prog = kernel_load_program("lagprof_walk", BPF_PROG_TYPE_TRACING, &at, &a, err);
	if (prog < 0)
		return prog;
	fd = open_walk(prog, tid);
	close(prog);
	if (fd >= 0 && read(fd, &id, sizeof(id)) != (ssize_t)sizeof(id))
		id = 0;
	if (fd >= 0)
		close(fd);
	if (id)
		return (int)id;
	error_set(err, -ESRCH,
		  "the kernel's own id of thread %d, as seen from outside this pid "
		  "namespace, cannot be found",
		  tid);
	return error_fix(err, "run it on the host, or in a container started with --pid=host");
}
