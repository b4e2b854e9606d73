#include "tests/stepper.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/arena.h"
#include "sampler/code.h"

static ssize_t read_memory(const struct stepper *s, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = { buf, len }, remote = { (void *)(uintptr_t)addr, len };

	return process_vm_readv(s->pid, &local, 1, &remote, 1, 0);
}

static uint64_t read_word(const struct stepper *s, uint64_t addr)
{
	uint64_t word = 0;

	read_memory(s, addr, &word, sizeof(word));
	return word;
}

static void take_regs(struct stepper *s)
{
	struct user_regs_struct u;

	ptrace(PTRACE_GETREGS, s->tid, NULL, &u);
	s->regs = (struct regs){
		.r = { u.rax, u.rdx, u.rcx, u.rbx, u.rsi, u.rdi, u.rbp, u.rsp, u.r8, u.r9, u.r10,
		       u.r11, u.r12, u.r13, u.r14, u.r15, u.rip },
		.valid = (1u << DW_N) - 1,
	};
}

/* A SIGTRAP that came from an int3, not from a step or the kernel's events. */
static bool at_breakpoint(const struct stepper *s, int status)
{
	siginfo_t info;

	return WSTOPSIG(status) == SIGTRAP && status >> 16 == 0 &&
	       ptrace(PTRACE_GETSIGINFO, s->tid, NULL, &info) == 0 && info.si_code == SI_KERNEL;
}

bool stepper_start(struct stepper *s, const char *path, const char *arg, int n)
{
	int status;

	*s = (struct stepper){ .pid = fork() };
	if (s->pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execl(path, path, arg, NULL);
		_exit(127);
	}
	waitpid(s->pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, s->pid, NULL, PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE);
	for (s->tid = s->pid; n > 0 && WIFSTOPPED(status);) {
		if (at_breakpoint(s, status) && --n == 0)
			break;
		ptrace(PTRACE_CONT, s->tid, NULL, NULL);
		s->tid = waitpid(-1, &status, __WALL);
	}
	s->space = space_new(s->pid);
	s->live = memory_live_new(s->pid);
	take_regs(s);
	return WIFSTOPPED(status) && space_refresh(s->space, &(struct error){ 0 }) == 0;
}

static void push(struct stepper *s, uint64_t pc, uint64_t sp, uint64_t fp)
{
	if (s->n == sizeof(s->calls) / sizeof(s->calls[0]))
		abort();
	s->calls[s->n++] = (struct stepper_call){ pc, sp, fp };
}

/* What the instruction of `before`, now done, did to the stack of calls. */
static void follow(struct stepper *s, const struct regs *before, const uint8_t *code)
{
	uint64_t sp = s->regs.r[DW_RSP], next = read_word(s, sp);

	if (code[0] == 0xf3 || code[0] == 0xf2)
		code++; /* rep ret */
	if (sp == before->r[DW_RSP] - 8 && next > before->r[DW_RIP] &&
	    next <= before->r[DW_RIP] + 8 &&
	    code_ends_in_call(code, (size_t)(next - before->r[DW_RIP])))
		push(s, next, sp + 8, before->r[DW_RBP]);
	else if ((code[0] == 0xc3 || code[0] == 0xc2) && s->n)
		s->n--;
	else if (code[0] == 0x0f && code[1] == 0x05 && before->r[DW_RAX] == 15 && s->n)
		s->n--; /* sigreturn */
}

bool stepper_step(struct stepper *s)
{
	struct regs before = s->regs;
	int delivered = s->signal, status;
	uint8_t code[16] = { 0 };

	read_memory(s, before.r[DW_RIP], code, sizeof(code));
	s->signal = 0;
	ptrace(PTRACE_SINGLESTEP, s->tid, NULL, delivered);
	if (waitpid(s->tid, &status, __WALL) != s->tid || !WIFSTOPPED(status) ||
	    at_breakpoint(s, status))
		return false;
	take_regs(s);
	memory_live_forget(s->live);
	if (delivered) { /* now at the handler's first instruction */
		uint64_t sp = s->regs.r[DW_RSP];

		push(s, before.r[DW_RIP], before.r[DW_RSP], before.r[DW_RBP]);
		push(s, read_word(s, sp), sp + 8, before.r[DW_RBP]);
	} else if (WSTOPSIG(status) != SIGTRAP) {
		s->signal = WSTOPSIG(status);
		if (s->regs.r[DW_RIP] != before.r[DW_RIP])
			follow(s, &before, code);
	} else {
		follow(s, &before, code);
	}
	return true;
}

void stepper_copy_stack(struct stepper *s, size_t len)
{
	ssize_t n;

	if (!s->dump)
		s->dump = xcalloc(1, 256 << 10);
	n = read_memory(s, s->regs.r[DW_RSP], s->dump, len);
	s->dump_len = n > 0 ? (size_t)n : 0;
}

void stepper_end(struct stepper *s)
{
	kill(s->pid, SIGKILL);
	while (waitpid(-1, NULL, __WALL) > 0)
		;
	space_free(s->space);
	memory_live_free(s->live);
	free(s->dump);
}
