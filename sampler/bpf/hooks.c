#include "sampler/bpf/hooks.h"

#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * Hooks of the light rung.  A turn ends and begins where the scheduler puts the
 * loop to sleep in its poll and wakes it; a poll that does not sleep is seen by a
 * breakpoint on the instruction by which the loop polls.  One costs the loop some
 * microseconds each time it fires, so it fires a limited number of times, which
 * the kernel itself counts: a loop that turns seldom has one all the time, and one
 * that turns often gets one that fires once when it has not slept for long.  A loop
 * that never sleeps so pays for some two hundred a second, however fast it turns.
 *
 * A thread of its own does it, ahead of all else where that is allowed: the session
 * may be at the symbols of the first stall when the next one begins.
 */
enum {
	SYSCALL_INSN = 2, /* bytes of the instruction; poll_ip is behind it */
	SELDOM = 200,     /* turns a second */
	FIRINGS = 600,    /* of the hook of a loop that turns seldom */
	FEW_LEFT = 300,
};
static const nsec TEND = 1000000000;  /* how often hooks are looked at */
static const nsec BUSY = 10000000000; /* how long a loop that turns often is taken for one */
static const nsec RENEW = 100000000;  /* one that has not fired for this long may be wrong */
/* A turn asks for a hook at this age, or a part of the threshold. */
static const nsec MAY_BE_UNSEEN = 3000000;
static const nsec LEARN = 200000000; /* polls of all are hooked at least this long */
static const nsec SETTLE =
	1500000000; /* from the start: the hook on all system calls stays no longer */

static nsec now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

void engine_drop_hook(struct followed *f)
{
	if (f->hook >= 0)
		close(f->hook);
	f->hook = -1;
}

/* Opening is the only way to arm it again that works each time (Linux 6.18). */
int engine_open_hook(const struct engine *x, pid_t tid, uint64_t at)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_BREAKPOINT,
					.size = sizeof(attr),
					.bp_type = HW_BREAKPOINT_X,
					.bp_addr = at,
					.bp_len = sizeof(long),
					.sample_period = 1,
					.disabled = 1,
					.exclude_kernel = 1,
					.exclude_hv = 1 };
	int fd = (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, x->hook_program) == 0)
		return fd;
	close(fd);
	return -EOPNOTSUPP;
}

/* How long the turn in hand has been on a CPU; 0 without one. */
static nsec ran_for(const struct loop_slot *slot, nsec now)
{
	nsec start = slot->turn_start, off_since = slot->off_since;
	nsec off = slot->off_time + (off_since && off_since < now ? now - off_since : 0);

	return start && now > start + off ? now - start - off : 0;
}

/*
 * When the turn in hand, which began at a hook, really did: since then the thread ran for that long
 * and may have turned at any time.  The clock looked whether it was in its poll.  A look that found
 * no poll says little where most do not, and much where most do.
 */
static nsec likely_begin(const struct loop_slot *slot, nsec ran)
{
	nsec start = slot->turn_start, missed = slot->missed_at, middle = ran / 2, likely;

	if (missed <= start || !slot->looks_hit)
		return start + middle;
	likely =
		(missed - start) / 2 + (nsec)((double)(missed - start) *
					      (double)slot->looks_missed / (double)slot->looks_hit);
	return start + (likely < middle ? likely : middle);
}

/*
 * Polls are seen from now on.  When did the turn in hand begin?  If it had just slept that is
 * known. Where it ran unseen for long the turn is sure only from now on; else there is a best
 * guess.
 */
static void guess_begin(const struct engine *x, struct loop_slot *slot, nsec now)
{
	nsec ran = ran_for(slot, now);

	if (!slot->hooked_since && slot->entered && ran > 0)
		slot->sure_since = ran > x->config.gate ? now : likely_begin(slot, ran);
}

static void set_hooked(struct engine *x, nsec since)
{
	for (size_t i = 0; i < x->n_followed; i++) {
		struct loop_slot *slot = &x->slots[x->followed[i].slot].slot;

		if (since)
			guess_begin(x, slot, since);
		slot->hooked_since = since;
		slot->hooked = since ? x->hooked_by : HOOKED_NOT;
		x->followed[i].slept = slot->polled;
	}
	x->hooked_all = since;
}

/* Where a breakpoint does not do: the poll is not known yet, or all of them are taken. */
void engine_learn_poll(struct engine *x)
{
	struct error ignored;

	if (x->hooked_all)
		return;
	if (engine_hook_syscalls(x, &ignored) == 0)
		set_hooked(x, now_ns());
}

static void hook(struct engine *x, struct followed *f, nsec now, uint32_t firings)
{
	struct loop_slot *slot = &x->slots[f->slot].slot;

	engine_drop_hook(f);
	f->lasting = false;
	f->hook = engine_open_hook(x, f->tid, slot->poll_ip - SYSCALL_INSN);
	f->hooked_at = now;
	if (f->hook < 0)
		return;
	slot->hooks_left = firings;
	guess_begin(x, slot, now);
	if (!slot->hooked_since)
		__atomic_store_n(&slot->hooked_since, now, __ATOMIC_RELEASE);
	ioctl(f->hook, PERF_EVENT_IOC_REFRESH, (unsigned long)firings);
}

static void hook_next(struct engine *x, struct followed *f, nsec now)
{
	if (x->hooked_all)
		return;
	x->asks_served++;
	if (x->slots[f->slot].slot.poll_ip)
		hook(x, f, now, 1);
	else
		engine_drop_hook(f);
	if (f->hook < 0)
		engine_learn_poll(x);
}

/* Every loop can be hooked by itself, or has slept since. */
static bool can_unhook(const struct engine *x)
{
	for (size_t i = 0; i < x->n_followed; i++) {
		const struct followed *f = &x->followed[i];
		const struct loop_slot *slot = &x->slots[f->slot].slot;
		bool hookable = slot->poll_ip && f->hook >= -1;

		if (!hookable && slot->polled == f->slept && !slot->poll_start)
			return false;
	}
	return true;
}

/* An event on a thread costs it at each switch, also one that fires no more. */
static void drop_spent(struct engine *x, struct followed *f, nsec now)
{
	struct loop_slot *slot = &x->slots[f->slot].slot;

	if (f->hook < 0 || slot->hooks_left)
		return;
	if (f->lasting)
		f->busy_until = now + BUSY;
	slot->hooked_since = 0;
	engine_drop_hook(f);
}

/* In a turn that lasts, and has not fired: what if the loop polls elsewhere by now? */
static void renew(struct engine *x, struct followed *f, nsec now)
{
	const struct loop_slot *slot = &x->slots[f->slot].slot;
	nsec start = slot->turn_start;

	if (f->hook >= 0 && slot->poll_ip && start && now > start + RENEW &&
	    now > f->hooked_at + RENEW)
		hook(x, f, now, slot->hooks_left);
}

/* A loop that turns seldom keeps a hook. */
static void keep_hook(struct engine *x, struct followed *f, nsec now, nsec elapsed)
{
	struct loop_slot *slot = &x->slots[f->slot].slot;
	uint64_t turns = slot->turns - f->last_turns;

	f->last_turns = slot->turns;
	/* Polls that neither sleep nor are hooked are not counted: it may turn more often yet. */
	if (turns * 1000000000 >= SELDOM * elapsed)
		f->busy_until = now + BUSY;
	if (!slot->poll_ip || f->hook < -1 || now < f->busy_until ||
	    (f->hook >= 0 && slot->hooks_left >= FEW_LEFT))
		return;
	hook(x, f, now, FIRINGS);
	f->lasting = true;
}

static void tend_hooks(struct engine *x, nsec now)
{
	nsec elapsed = now - x->tended;

	if (x->hooked_all && now - x->hooked_all > LEARN && can_unhook(x)) {
		set_hooked(x, 0);
		engine_unhook_all_beside(x);
	}
	if (x->hooked_all)
		return;
	for (size_t i = 0; i < x->n_followed; i++) {
		drop_spent(x, &x->followed[i], now);
		renew(x, &x->followed[i], now);
		if (elapsed >= TEND)
			keep_hook(x, &x->followed[i], now, elapsed);
	}
	if (elapsed >= TEND)
		x->tended = now;
}

nsec engine_ask_after(const struct engine *x)
{
	nsec part = x->config.threshold / ASKS;

	return part < MAY_BE_UNSEEN ? part : MAY_BE_UNSEEN;
}

static void ask_after(struct engine *x, nsec age)
{
	for (size_t i = 0; i < x->n_followed; i++)
		x->slots[x->followed[i].slot].slot.ask_after = age;
}

bool engine_is_between_turns(const struct engine *x, nsec now)
{
	for (size_t i = 0; i < x->n_followed; i++)
		if (ran_for(&x->slots[x->followed[i].slot].slot, now) > x->config.threshold / ASKS)
			return false;
	return true;
}

void engine_be_light(struct engine *x)
{
	x->light = x->was_light = true;
	ask_after(x, engine_ask_after(x));
	set_hooked(x, 0);
	engine_unhook_all_beside(x);
	x->tended = now_ns();
}

int engine_be_exact(struct engine *x)
{
	struct error ignored;
	int ret = x->hooked_all ? 0 : engine_hook_all(x, &ignored);

	if (ret < 0) {
		engine_unhook_all_beside(x);
		return ret;
	}
	for (size_t i = 0; i < x->n_followed; i++)
		engine_drop_hook(&x->followed[i]);
	x->light = false;
	ask_after(x, 0);
	set_hooked(x, now_ns());
	return 0;
}

/* From the hook on all system calls to those on the polls. */
static void settle(struct engine *x, nsec now)
{
	struct error ignored;

	if (x->light || x->hooked_by != HOOKED_ALL || !x->n_polls || now < x->opened + SETTLE)
		return;
	if (engine_hook_polls(x, &ignored) < 0) {
		x->n_polls = 0; /* not again */
		return;
	}
	for (size_t i = 0; i < x->n_followed; i++)
		x->slots[x->followed[i].slot].slot.hooked = x->hooked_by;
	engine_unhook_syscalls(x);
}

static void handle_ask(void *arg, const void *record, size_t len)
{
	struct engine *x = arg;
	const struct news_listen *ask = record;

	if (len >= sizeof(*ask) && ask->type == NEWS_LONG) {
		engine_set_clock(x, true);
		return;
	}
	for (size_t i = 0; len >= sizeof(*ask) && i < x->n_followed; i++)
		if (x->followed[i].tid == (pid_t)ask->tid)
			hook_next(x, &x->followed[i], now_ns());
}

static void *hooking(void *arg)
{
	struct engine *x = arg;
	struct pollfd fds[2] = { { .fd = x->asks.fd, .events = POLLIN },
				 { .fd = x->hooker_end, .events = POLLIN } };

	while (fds[1].revents == 0) {
		poll(fds, 2, x->step_due ? 5 : 100);
		pthread_mutex_lock(&x->lock);
		bpf_ring_drain(&x->asks, handle_ask, x);
		if (x->light)
			tend_hooks(x, now_ns());
		settle(x, now_ns());
		engine_tend_clock(x, now_ns());
		engine_govern(x, now_ns());
		pthread_mutex_unlock(&x->lock);
	}
	return NULL;
}

int engine_start_hooking(struct engine *x, struct error *err)
{
	struct sched_param first = { .sched_priority = 1 };
	int ret;

	x->tended = now_ns();
	x->hooker_end = eventfd(0, EFD_CLOEXEC);
	if (x->hooker_end < 0)
		return error_set(err, -errno, "cannot create an event: %s", strerror(errno));
	ret = -pthread_create(&x->hooker, NULL, hooking, x);
	if (ret == 0) {
		pthread_mutex_lock(&x->lock);
		x->prompt = pthread_setschedparam(x->hooker, SCHED_FIFO, &first) == 0;
		engine_set_clock(x, x->fast);
		pthread_mutex_unlock(&x->lock);
		return 0;
	}
	close(x->hooker_end);
	x->hooker_end = -1;
	return error_set(err, ret, "cannot start a thread: %s", strerror(-ret));
}

void engine_stop_hooking(struct engine *x)
{
	if (x->hooker_end < 0)
		return;
	eventfd_write(x->hooker_end, 1);
	pthread_join(x->hooker, NULL);
	close(x->hooker_end);
	x->hooker_end = -1;
	engine_join(x);
}
