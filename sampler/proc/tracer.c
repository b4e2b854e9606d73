#include "sampler/proc/tracer.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sampler/mend.h"
#include "sampler/poll_key.h"

enum { DYING_MAX = 256 };
enum { SYSCALL_STOP = SIGTRAP | 0x80, KERNEL_RESTARTNOHAND = 514 };
static const nsec BRIEFLY = 100000;
static const long AGAIN = 250000; /* ns between two alarms, should the first come too early */

static __thread timer_t alarm_clock; /* ends a wait of this thread */
/* Threads that ended while they were traced, or are about to, whose end is ours to collect. */
static __thread struct {
	pid_t tids[DYING_MAX];
	size_t n;
} dying;

static nsec now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

int tracer_allowed(struct error *err)
{
	struct surroundings here;

	/* There is no process 0: the kernel itself would say so. */
	if (ptrace(PTRACE_INTERRUPT, 0, NULL, NULL) < 0 && errno == ESRCH)
		return 0;
	error_set(err, -EPERM, "ptrace(2) is refused by a seccomp filter: %s", strerror(errno));
	surroundings_read(&here);
	mend_ptrace(&here, err);
	return err->code;
}

static void wake_up(int sig)
{
}

int tracer_prepare(struct error *err)
{
	struct sigaction wake = { .sa_handler = wake_up }, child;
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN };
	sigset_t set;

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	sigaction(SIGRTMIN, &wake, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	/* The stops of the target are nobody's news but this thread's. */
	sigaction(SIGCHLD, NULL, &child);
	child.sa_flags |= SA_NOCLDSTOP;
	sigaction(SIGCHLD, &child, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, &alarm_clock) == 0)
		return 0;
	return error_set(err, -errno, "cannot create a timer: %s", strerror(errno));
}

void tracer_unprepare(void)
{
	timer_delete(alarm_clock);
}

static void set_alarm(nsec at)
{
	struct itimerspec spec = {
		.it_value = { (time_t)(at / 1000000000), (long)(at % 1000000000) },
		.it_interval = { 0, at ? AGAIN : 0 },
	};

	timer_settime(alarm_clock, TIMER_ABSTIME, &spec, NULL);
}

/*
 * It cannot be traced any more.  One that is killed while it is stopped has not ended yet: until
 * its end is collected the kernel keeps back that of its process.
 */
static int gone(struct tracer *t)
{
	if (t->seized && t->reaps && dying.n < DYING_MAX)
		dying.tids[dying.n++] = t->tid;
	t->seized = t->stopped = t->at_entry = false;
	return -ESRCH;
}

void tracer_collect(void)
{
	for (size_t i = 0; i < dying.n; i++) {
		siginfo_t info = { 0 };

		if (waitid(P_PID, (id_t)dying.tids[i], &info, WEXITED | WNOHANG | __WALL) < 0 ||
		    info.si_pid)
			dying.tids[i--] = dying.tids[--dying.n];
	}
}

/*
 * The end of a thread must be collected by who traces it; the end of our own
 * child is its parent's news, and that is the session.
 */
static int wait_for_change(struct tracer *t, nsec until, siginfo_t *info)
{
	int what = WSTOPPED | __WALL | (t->reaps ? WEXITED : 0);
	int ret;

	*info = (siginfo_t){ 0 };
	if (waitid(P_PID, (id_t)t->tid, info, what | WNOHANG) < 0)
		return gone(t);
	if (info->si_pid)
		return 0;
	set_alarm(until);
	do {
		*info = (siginfo_t){ 0 };
		ret = waitid(P_PID, (id_t)t->tid, info, what) < 0 ? -errno : 0;
	} while (ret == -EINTR && now_ns() < until);
	set_alarm(0);
	if (ret == -EINTR)
		return -ETIMEDOUT;
	return ret < 0 ? gone(t) : 0;
}

/*
 * The waits that the kernel does not take up again by itself after a stop, but
 * ends with EINTR: see signal(7).
 */
static bool ends_with_eintr(long number)
{
	static const int waits[] = {
		/* clang-format off */
		SYS_epoll_wait, SYS_epoll_pwait, 441 /* epoll_pwait2 */,
		SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg, SYS_sendto, SYS_sendmsg, SYS_accept, SYS_accept4,
		SYS_read, SYS_write, SYS_semop, SYS_semtimedop, SYS_rt_sigtimedwait, SYS_io_getevents,
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		if (waits[i] == number)
			return true;
	return false;
}

/*
 * -ERESTARTNOHAND makes it take them up, too, unless a signal is to be handled.
 * Any stop uses up the interruption that led to it: this one must be mended.
 */
static void mend_wait(const struct tracer *t)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, t->tid, NULL, &regs) < 0 || (long)regs.rax != -EINTR ||
	    !ends_with_eintr((long)regs.orig_rax))
		return;
	regs.rax = (unsigned long long)-KERNEL_RESTARTNOHAND;
	ptrace(PTRACE_SETREGS, t->tid, NULL, &regs);
}

static void detach(struct tracer *t)
{
	if (ptrace(PTRACE_DETACH, t->tid, NULL, (long)t->signal) < 0)
		gone(t);
	t->seized = t->stopped = t->at_entry = false;
}

static bool runs_program(const struct __ptrace_syscall_info *call)
{
	return call->entry.nr == SYS_execve || call->entry.nr == SYS_execveat;
}

/* Waits until it stops, for whatever reason: its status as wait(2) has it, shifted right by 8. */
static int wait_for_stop(struct tracer *t, nsec until, int *why)
{
	struct __ptrace_syscall_info call;
	siginfo_t info;
	int ret = wait_for_change(t, until, &info);

	if (ret < 0)
		return ret;
	if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED)
		return gone(t);
	*why = info.si_status;
	t->stopped = true;
	t->signal = *why >> 8 || *why == SYSCALL_STOP ? 0 : *why;
	t->at_entry = *why == SYSCALL_STOP &&
		      ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(call), &call) > 0 &&
		      call.op == PTRACE_SYSCALL_INFO_ENTRY;
	if (!t->at_entry)
		mend_wait(t);
	/* Who is traced does not become another user by it: it goes on alone. */
	if (t->at_entry && runs_program(&call)) {
		detach(t);
		return -ESRCH;
	}
	return 0;
}

static int seize(struct tracer *t)
{
	if (ptrace(PTRACE_SEIZE, t->tid, NULL, PTRACE_O_TRACESYSGOOD) < 0)
		return -errno;
	t->seized = true;
	t->stopped = t->at_entry = false;
	return 0;
}

int tracer_stop(struct tracer *t, nsec until)
{
	int ret = t->seized ? 0 : seize(t), why;

	if (ret < 0 || t->stopped)
		return ret;
	if (ptrace(PTRACE_INTERRUPT, t->tid, NULL, NULL) < 0)
		return gone(t);
	return wait_for_stop(t, until, &why);
}

/* In one call, page by page: it ends where a page is not there. */
size_t tracer_read(pid_t tid, uint64_t addr, uint8_t *out, size_t size)
{
	enum { PAGE = 4096, PAGES = 17 };
	struct iovec local = { out, size }, remote[PAGES];
	size_t asked = 0, n = 0;
	ssize_t got;

	for (; asked < size && n < PAGES; n++) {
		size_t piece = PAGE - (addr + asked) % PAGE;

		piece = piece < size - asked ? piece : size - asked;
		remote[n] = (struct iovec){ (void *)(uintptr_t)(addr + asked), piece };
		asked += piece;
	}
	got = process_vm_readv(tid, &local, 1, remote, n, 0);
	return got > 0 ? (size_t)got : 0;
}

size_t tracer_copy(const struct tracer *t, struct regs *out, uint8_t *stack, size_t size)
{
	struct user_regs_struct r;

	*out = (struct regs){ 0 };
	if (ptrace(PTRACE_GETREGS, t->tid, NULL, &r) < 0)
		return 0;
	*out = (struct regs){ .r = { r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp, r.rsp, r.r8,
				     r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rip },
			      .valid = (1u << DW_N) - 1 };
	return tracer_read(t->tid, r.rsp, stack, size);
}

static bool is_waiting_poll(const struct __ptrace_syscall_info *info)
{
	const struct poll_syscall *call = poll_syscall_find((int)info->entry.nr);

	return call && (call->wait_argument < 0 || info->entry.args[call->wait_argument]);
}

/* Stopped as it enters a system call: true if it is about to poll. */
static bool enters_poll(const struct tracer *t, struct traced_call *out)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(info), &info) <= 0 ||
	    !is_waiting_poll(&info))
		return false;
	*out = (struct traced_call){ .at = now_ns(),
				     .number = (int)info.entry.nr,
				     .sp = info.stack_pointer,
				     .pc = info.instruction_pointer };
	for (size_t i = 0; i < 6; i++)
		out->args[i] = info.entry.args[i];
	return true;
}

/* A stopped job stays stopped: PTRACE_LISTEN would keep it traced for no gain. */
static bool is_job_stop(int why)
{
	return why >> 8 == PTRACE_EVENT_STOP && (why & 0x7f) != SIGTRAP;
}

int tracer_run_to_poll(struct tracer *t, nsec until, unsigned *calls, struct traced_call *out)
{
	int ret = 0, why;

	while (*calls > 0 && ret == 0 && now_ns() < until) {
		if (t->stopped && ptrace(PTRACE_SYSCALL, t->tid, NULL, (long)t->signal) < 0)
			return gone(t);
		t->stopped = t->at_entry = false;
		ret = wait_for_stop(t, until, &why);
		if (ret < 0)
			break;
		if (t->at_entry && enters_poll(t, out))
			return 1;
		if (is_job_stop(why))
			break;
		--*calls;
	}
	return ret == -ESRCH ? ret : 0;
}

/*
 * Detaching leaves a mark on the thread as a signal does.  As it enters a system
 * call, that would end the wait in it; as it returns from one, it does no harm.
 */
static void leave_entry(struct tracer *t)
{
	int why;

	ptrace(PTRACE_SYSCALL, t->tid, NULL, 0);
	t->stopped = t->at_entry = false;
	wait_for_stop(t, now_ns() + BRIEFLY, &why);
}

bool tracer_let_go(struct tracer *t, nsec until)
{
	for (int i = 0; t->seized && i < 4; i++) {
		if (t->stopped && t->at_entry)
			leave_entry(t);
		if (t->seized && !t->stopped && tracer_stop(t, until) == -ETIMEDOUT)
			return false;
		if (t->seized && !t->at_entry)
			break;
	}
	if (t->seized)
		detach(t);
	return true;
}
