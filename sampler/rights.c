#include "sampler/rights.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sampler/memory.h"
#include "sampler/mend.h"
#include "sampler/probe.h"
#include "sampler/proc/tracer.h"
#include "sampler/symbols.h"

/* Opens the probe for real, on lagprof's own process; gate: as if that was launched, -1: not. */
static int open_probe(const struct probe *probe, int gate, struct error *err)
{
	struct probe_config config = { .pid = getpid(),
				       .threshold = 1000000000,
				       .gate = 500000000,
				       .freq = 99,
				       .stack_bytes = 4096,
				       .gate_fd = gate,
				       .command = "/proc/self/exe" };
	void *state;
	int ret = probe->open(&state, &config, err);

	if (ret < 0)
		return ret;
	if (gate < 0)
		ret = probe->follow(state, getpid(), err);
	probe->close(state);
	return ret;
}

/* What cannot be attached may be launched with. */
static void try_probe(const struct probe *probe, struct right *right)
{
	int gate[2];

	right->ok = open_probe(probe, -1, &right->err) == 0;
	if (right->ok || right->err.code != -ENOTSUP || pipe(gate) < 0)
		return;
	right->err = (struct error){ 0 };
	right->ok = right->run_only = open_probe(probe, gate[1], &right->err) == 0;
	close(gate[0]);
	close(gate[1]);
}

/*
 * Memory of a process that is not our child: the stranger is a grandchild
 * whose parent has ended.
 */
static bool try_stranger(struct error *err)
{
	int ready[2], value = 42, copy = 0;
	struct surroundings here;
	struct memory_live *live;
	pid_t child, stranger = 0;
	bool ok;

	if (pipe(ready) < 0)
		return false;
	child = fork();
	if (child == 0) {
		stranger = fork();
		if (stranger == 0) {
			close(ready[0]);
			close(ready[1]);
			alarm(5);
			for (;;)
				pause();
		}
		if (write(ready[1], &stranger, sizeof(stranger)) < 0)
			_exit(1);
		_exit(0);
	}
	close(ready[1]);
	ok = child > 0 && read(ready[0], &stranger, sizeof(stranger)) == (ssize_t)sizeof(stranger);
	close(ready[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	if (!ok || stranger <= 0)
		return false;
	live = memory_live_new(stranger);
	/* It has our image: the variable is at the same address. */
	ok = memory_read(memory_of_live(live), (uint64_t)(uintptr_t)&value, &copy, sizeof(copy)) ==
		     0 &&
	     copy == value;
	memory_live_free(live);
	kill(stranger, SIGKILL);
	if (ok)
		return true;
	error_set(err, -EPERM, "the kernel refuses to read the memory of another process");
	surroundings_read(&here);
	if (here.ptrace_scope > 0)
		error_set(err, -EPERM,
			  "kernel.yama.ptrace_scope is %d: no reading of memory other "
			  "than children's",
			  here.ptrace_scope);
	mend_ptrace(&here, err);
	return false;
}

static bool try_kernel_symbols(struct error *err)
{
	struct kernel_symbols *ks = kernel_symbols_load();
	struct surroundings here;
	bool ok = false;
	FILE *f = fopen("/proc/kallsyms", "r");
	unsigned long long addr = 0;

	if (f) {
		if (fscanf(f, "%llx", &addr) != 1)
			addr = 0;
		fclose(f);
	}
	/* Some first symbols lie at 0 by nature: ask for any that has a name. */
	ok = kernel_symbols_lookup(ks, addr ? addr : 0xffffffff81000000ull) != NULL;
	kernel_symbols_free(ks);
	if (ok)
		return true;
	error_set(err, -EPERM, "/proc/kallsyms hides the kernel's addresses");
	surroundings_read(&here);
	mend_kernel_names(&here, err);
	return false;
}

static bool try_tracing(struct error *err)
{
	return tracer_allowed(err) == 0;
}

size_t rights_check(struct right *rights, size_t max)
{
	static const struct {
		const char *name, *what;
		bool (*try)(struct error *err);
	} others[] = {
		{ "stacks", "shim and proc: what computes in a stall", try_tracing },
		{ "memory", "attach: names of JavaScript and Python code, deep stacks",
		  try_stranger },
		{ "kernel names", "names of kernel frames", try_kernel_symbols },
	};
	size_t n = 0;

	for (size_t i = 0; probes[i] && n < max; i++, n++) {
		rights[n] = (struct right){ .name = probes[i]->name,
					    .what = probes[i]->needs,
					    .probe = probes[i] };
		try_probe(probes[i], &rights[n]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && n < max; i++, n++) {
		rights[n] = (struct right){ .name = others[i].name, .what = others[i].what };
		rights[n].ok = others[i].try(&rights[n].err);
	}
	return n;
}
