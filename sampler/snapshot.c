#include "sampler/snapshot.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

enum { PATIENCE_MS = 50 };

/* Waits for the stop, not for ever: a thread in an uninterruptible sleep stops when that is over.
 */
static int wait_for_stop(pid_t tid)
{
	const struct timespec pause = { 0, 100000 };
	int status;

	for (int i = 0; i < PATIENCE_MS * 10; i++) {
		pid_t got = waitpid(tid, &status, __WALL | WNOHANG);

		if (got == tid)
			return WIFSTOPPED(status) ? 0 : -ESRCH;
		if (got < 0)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}

static void copy_regs(struct regs *out, const struct user_regs_struct *r)
{
	*out = (struct regs){ .r = { r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi, r->rbp, r->rsp,
				     r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
				     r->rip },
			      .valid = (1u << DW_N) - 1 };
}

/* The piece-wise read stops where the stack does. */
static size_t copy_stack(pid_t tid, uint64_t sp, uint8_t *out, size_t size)
{
	enum { PIECE = 1024 };
	size_t done = 0;

	while (done < size) {
		struct iovec local = { out + done, PIECE };
		struct iovec remote = { (void *)(uintptr_t)(sp + done), PIECE };

		if (process_vm_readv(tid, &local, 1, &remote, 1, 0) != PIECE)
			break;
		done += PIECE;
	}
	return done;
}

int snapshot_take(struct snapshot *s, pid_t tid, struct error *err)
{
	struct user_regs_struct regs;
	int ret;

	s->raw = (struct raw_sample){ .stack = s->bytes };
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0) {
		error_set(err, -errno, "cannot trace thread %d: %s", tid, strerror(errno));
		return error_fix(err, "run as its user or as root");
	}
	ret = ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 ? -errno : wait_for_stop(tid);
	if (ret == 0 && ptrace(PTRACE_GETREGS, tid, NULL, &regs) == 0) {
		copy_regs(&s->raw.regs, &regs);
		s->raw.stack_len = copy_stack(tid, regs.rsp, s->bytes, sizeof(s->bytes));
	}
	if (ret == -ETIMEDOUT) {
		/*
		 * Detaching wants a stopped thread; it stops as soon as it can, and the end of
		 * lagprof lets it go at once.
		 */
		return error_set(err, ret, "thread %d is in an uninterruptible sleep", tid);
	}
	ptrace(PTRACE_DETACH, tid, NULL, NULL);
	return ret < 0 ? error_set(err, ret, "thread %d did not stop: %s", tid, strerror(-ret)) : 0;
}

void snapshot_peek(struct snapshot *s, pid_t tid, const struct thread_state *state)
{
	s->raw = (struct raw_sample){ .stack = s->bytes };
	s->raw.regs.r[DW_RSP] = state->sp;
	s->raw.regs.r[DW_RIP] = state->pc;
	s->raw.regs.valid = 1u << DW_RSP | 1u << DW_RIP;
	s->raw.stack_len = copy_stack(tid, state->sp, s->bytes, sizeof(s->bytes));
}
