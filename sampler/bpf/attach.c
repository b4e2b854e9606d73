#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sampler/bpf/engine.h"
#include "sampler/bpf/hooks.h"

/* Where the programs run. */

/* Loads a tracing program and attaches it: the link's fd or -errno. */
static int attach(const char *name, uint32_t function, struct assembler *a, struct error *err)
{
	const struct attach_point at = { BPF_TRACE_RAW_TP, function };
	int prog = kernel_load_program(name, BPF_PROG_TYPE_TRACING, &at, a, err), link;

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
	prog = kernel_load_program("lagprof_poll", BPF_PROG_TYPE_TRACEPOINT, NULL, a, err);
	if (prog < 0)
		return prog;
	ret = ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog) < 0 ? -errno : 0;
	close(prog);
	if (ret < 0)
		return error_set(err, ret, "cannot attach to the tracepoint %s: %s", event,
				 strerror(-ret));
	return 0;
}

/* Some are younger than the oldest kernel that will do. */
static int attach_poll(struct engine *x, int tracefs, const struct poll_syscall *call,
		       struct error *err)
{
	struct assembler a;
	int ret;

	asm_init(&a);
	program_poll(&a, &x->maps, call, &x->types);
	ret = attach_tracepoint(x, tracefs, call->name, &a, err);
	return ret == -ENOENT && x->n_polls > 0 ? 0 : ret;
}

static int attach_listen(struct engine *x, int tracefs, struct error *err)
{
	struct assembler a;

	asm_init(&a);
	program_listen(&a, &x->maps);
	return attach_tracepoint(x, tracefs, "listen", &a, err);
}

/*
 * Those of the first `polls` of the polls, as far as they are not there, and of listen(2), for
 * which only a program that has just been started is waited.
 */
static int attach_tracepoints(struct engine *x, size_t polls, struct error *err)
{
	int tracefs = kernel_open_tracefs(), ret;

	if (tracefs < 0)
		return error_set(err, tracefs, "cannot read the ids of tracepoints: %s",
				 strerror(-tracefs));
	ret = x->n_tracepoints == 0 && x->config.gate_fd >= 0 ? attach_listen(x, tracefs, err) : 0;
	for (; ret == 0 && x->n_polls < polls && poll_syscalls[x->n_polls].name; x->n_polls++)
		ret = attach_poll(x, tracefs, &poll_syscalls[x->n_polls], err);
	close(tracefs);
	return ret;
}

int engine_hook_syscalls(struct engine *x, struct error *err)
{
	struct assembler a;

	if (x->syscall_link < 0) {
		asm_init(&a);
		program_syscall(&a, &x->maps, &x->types);
		x->syscall_link = attach("lagprof_poll", x->types.sys_enter_id, &a, err);
	}
	x->hooked_by = x->syscall_link < 0 ? HOOKED_NOT : HOOKED_ALL;
	return x->syscall_link < 0 ? x->syscall_link : 0;
}

/* -EACCES and such where their ids are hidden. */
int engine_hook_polls(struct engine *x, struct error *err)
{
	int ret = attach_tracepoints(x, SIZE_MAX, err);

	if (ret == 0)
		x->hooked_by = HOOKED_EACH;
	return ret;
}

int engine_hook_all(struct engine *x, struct error *err)
{
	if (engine_hook_polls(x, err) == 0)
		return 0;
	engine_unhook_all(x);
	return engine_hook_syscalls(x, err);
}

void engine_unhook_syscalls(struct engine *x)
{
	if (x->syscall_link >= 0)
		close(x->syscall_link);
	x->syscall_link = -1;
}

void engine_unhook_all(struct engine *x)
{
	for (size_t i = 0; i < x->n_tracepoints; i++)
		close(x->tracepoints[i]);
	x->n_tracepoints = x->n_polls = 0;
	engine_unhook_syscalls(x);
	x->hooked_by = HOOKED_NOT;
}

/* Descriptors that another thread closes. */
struct closing {
	int fds[ENGINE_MAX_TRACEPOINTS + 1];
	size_t n;
};

static void *close_all(void *arg)
{
	struct closing *c = arg;

	for (size_t i = 0; i < c->n; i++)
		close(c->fds[i]);
	free(c);
	return NULL;
}

void engine_unhook_all_beside(struct engine *x)
{
	struct closing *c = xcalloc(1, sizeof(*c));

	for (size_t i = 0; i < x->n_tracepoints; i++)
		c->fds[c->n++] = x->tracepoints[i];
	if (x->syscall_link >= 0)
		c->fds[c->n++] = x->syscall_link;
	engine_join(x);
	x->closing = pthread_create(&x->closer, NULL, close_all, c) == 0;
	if (!x->closing)
		close_all(c);
	x->n_tracepoints = x->n_polls = 0;
	x->syscall_link = -1;
	x->hooked_by = HOOKED_NOT;
}

void engine_join(struct engine *x)
{
	if (x->closing)
		pthread_join(x->closer, NULL);
	x->closing = false;
}

static int load_gates(struct engine *x, struct error *err)
{
	struct assembler a;

	asm_init(&a);
	program_clock_gate(&a, &x->maps, &x->types);
	x->clock_gate =
		kernel_load_program("lagprof_clock", BPF_PROG_TYPE_PERF_EVENT, NULL, &a, err);
	if (x->clock_gate < 0)
		return x->clock_gate;
	asm_init(&a);
	program_hook(&a, &x->maps, &x->types);
	x->hook_program =
		kernel_load_program("lagprof_hook", BPF_PROG_TYPE_PERF_EVENT, NULL, &a, err);
	return x->hook_program < 0 ? x->hook_program : 0;
}

static int attach_strict(struct engine *x, struct error *err)
{
	struct assembler a;

	asm_init(&a);
	program_strict(&a, &x->maps);
	x->strict_link = attach("lagprof_strict", x->types.sys_enter_id, &a, err);
	return x->strict_link < 0 ? x->strict_link : 0;
}

/* Without it the clock is only slow while no turn lasts. */
static void attach_tick(struct engine *x)
{
	struct assembler a;
	struct error ignored;

	if (!x->types.local_timer_id)
		return;
	asm_init(&a);
	program_tick(&a, &x->maps, &x->types);
	x->tick_link = attach("lagprof_tick", x->types.local_timer_id, &a, &ignored);
}

/*
 * Each tracepoint takes the kernel some 30 ms to let go of, so that a session begins with one of
 * them, which tells what they cost, and beside it the hook that is quickly gone.
 */
static int hook_first(struct engine *x, struct error *err)
{
	struct error hidden;

	x->hooked_all = 1; /* since ever */
	if (attach_tracepoints(x, 1, &hidden) == 0) {
		x->hooked_by = HOOKED_EACH;
		engine_measure_hooked(x);
		return engine_hook_syscalls(x, err);
	}
	engine_unhook_all(x);
	if (engine_hook_syscalls(x, err) < 0)
		return err->code;
	engine_measure_hooked(x);
	return 0;
}

int engine_attach(struct engine *x, struct error *err)
{
	struct assembler a;
	int ret;

	ret = kernel_read_types(&x->types, err);
	if (ret == 0)
		ret = load_gates(x, err);
	if (ret < 0)
		return ret;
	asm_init(&a);
	program_switch(&a, &x->maps, &x->types);
	x->switch_link = attach("lagprof_switch", x->types.sched_switch_id, &a, err);
	if (x->switch_link < 0)
		return x->switch_link;
	attach_tick(x);
	ret = x->config.strict ? attach_strict(x, err) : 0;
	return ret < 0 || x->light ? ret : hook_first(x, err);
}
