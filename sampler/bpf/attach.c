#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sampler/bpf/engine.h"

/* Where the programs run. */

/* Loads a tracing program and attaches it: the link's fd or -errno. */
static int attach(const char *name, uint32_t function, struct assembler *a, struct error *err)
{
	int prog = kernel_load_program(name, BPF_PROG_TYPE_TRACING, function, a, err), link;

	if (prog < 0)
		return prog;
	link = kernel_attach_tracing(prog, err);
	close(prog);
	return link;
}

/*
 * Runs a program at the tracepoint of one system call.  The event itself
 * belongs to lagprof's own thread and is never enabled: it only holds the
 * program.
 */
static int attach_tracepoint(struct engine *x, int tracefs, const char *call, struct assembler *a,
			     struct error *err)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT,
					.size = sizeof(attr),
					.sample_period = 1,
					.disabled = 1 };
	char event[64];
	int id, prog, fd, ret;

	snprintf(event, sizeof(event), "syscalls/sys_enter_%s", call);
	id = kernel_tracepoint_id(tracefs, event);
	if (id < 0)
		return error_set(err, id, "no tracepoint %s: %s", event, strerror(-id));
	attr.config = (uint64_t)id;
	fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return error_set(err, -errno, "cannot open the tracepoint %s: %s", event,
				 strerror(errno));
	x->tracepoints[x->n_tracepoints++] = fd;
	prog = kernel_load_program("lagprof_poll", BPF_PROG_TYPE_TRACEPOINT, 0, a, err);
	if (prog < 0)
		return prog;
	ret = ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog) < 0 ? -errno : 0;
	close(prog);
	if (ret < 0)
		return error_set(err, ret, "cannot attach to the tracepoint %s: %s", event,
				 strerror(-ret));
	return 0;
}

static int attach_tracepoints(struct engine *x, int tracefs, const struct kernel_types *types,
			      struct error *err)
{
	static const struct {
		const char *call;
		void (*program)(struct assembler *a, const struct program_maps *maps);
	} others[] = {
		{ "listen", program_listen },
		{ "exit", program_exit },
		{ "exit_group", program_exit },
	};
	struct assembler a;
	int ret;

	for (const struct poll_syscall *call = poll_syscalls; call->name; call++) {
		asm_init(&a);
		program_poll(&a, &x->maps, call, types);
		ret = attach_tracepoint(x, tracefs, call->name, &a, err);
		/* Some are younger than the oldest kernel that will do. */
		if (ret < 0 && (ret != -ENOENT || x->n_tracepoints == 0))
			return ret;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		asm_init(&a);
		others[i].program(&a, &x->maps);
		ret = attach_tracepoint(x, tracefs, others[i].call, &a, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* At the tracepoints of the poll family; where their ids are hidden, at that of all system calls.
 */
static int attach_polls(struct engine *x, const struct kernel_types *types, struct error *err)
{
	struct assembler a;
	int tracefs = kernel_open_tracefs(), ret = tracefs;

	if (tracefs >= 0) {
		ret = attach_tracepoints(x, tracefs, types, err);
		close(tracefs);
	}
	if (ret == 0 || x->n_tracepoints > 0)
		return ret;
	asm_init(&a);
	program_syscall(&a, &x->maps, types);
	x->syscall_link = attach("lagprof_poll", types->sys_enter_id, &a, err);
	return x->syscall_link < 0 ? x->syscall_link : 0;
}

int engine_attach(struct engine *x, struct error *err)
{
	struct kernel_types types;
	struct assembler a;
	int ret;

	ret = kernel_read_types(&types, err);
	if (ret < 0)
		return ret;
	asm_init(&a);
	program_clock_gate(&a, &x->maps);
	x->clock_gate = kernel_load_program("lagprof_clock", BPF_PROG_TYPE_PERF_EVENT, 0, &a, err);
	if (x->clock_gate < 0)
		return x->clock_gate;
	asm_init(&a);
	program_switch(&a, &x->maps, &types);
	x->switch_link = attach("lagprof_switch", types.sched_switch_id, &a, err);
	if (x->switch_link < 0)
		return x->switch_link;
	return attach_polls(x, &types, err);
}
