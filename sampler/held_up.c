#include "sampler/held_up.h"

#include <stdio.h>
#include <stdlib.h>

enum whom { NOBODY, THREADS, CHILDREN };

/* Who it is that a thread waits for in a system call. */
static enum whom waits_for(int syscall)
{
	static const struct {
		int16_t syscall;
		enum whom whom;
	} calls[] = {
		{ 0, CHILDREN },   /* read, of a pipe */
		{ 7, CHILDREN },   /* poll */
		{ 9, THREADS },    /* mmap and its kin wait for each other */
		{ 10, THREADS },   /* mprotect */
		{ 11, THREADS },   /* munmap */
		{ 28, THREADS },   /* madvise */
		{ 56, CHILDREN },  /* clone: until the child execs */
		{ 58, CHILDREN },  /* vfork */
		{ 61, CHILDREN },  /* wait4 */
		{ 202, THREADS },  /* futex */
		{ 232, CHILDREN }, /* epoll_wait: of the loop in which a child is waited for */
		{ 247, CHILDREN }, /* waitid */
		{ 281, CHILDREN }, /* epoll_pwait */
		{ 435, CHILDREN }, /* clone3 */
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].syscall == syscall)
			return calls[i].whom;
	return NOBODY;
}

/* All that the loop's thread may wait for, as they are now; how many. */
static size_t read_others(const struct target *target, pid_t tid, enum whom whom,
			  struct other *others)
{
	pid_t pids[HELD_UP_OTHERS];
	size_t n = 0, found;

	found = whom == THREADS ? target_threads(target, pids, HELD_UP_OTHERS)
				: target_thread_children(target, tid, pids, HELD_UP_OTHERS);
	for (size_t i = 0; i < found && i < HELD_UP_OTHERS; i++) {
		struct other *o = &others[n];

		o->tid = pids[i];
		if (o->tid == tid)
			continue;
		n += whom == THREADS ? thread_schedstat(target, o->tid, &o->ran, &o->delay)
				     : process_schedstat(o->tid, &o->ran, &o->delay);
	}
	return n;
}

/* How long one that ran meanwhile has waited for a CPU since: the longest. */
static nsec longest_wait(const struct held_up *h, const struct target *target, pid_t tid)
{
	struct other now[HELD_UP_OTHERS];
	size_t n = read_others(target, tid, waits_for(h->syscall), now);
	nsec longest = 0;

	for (size_t i = 0; i < n; i++) {
		struct other before = { 0 };

		for (size_t k = 0; k < h->n; k++)
			if (h->others[k].tid == now[i].tid)
				before = h->others[k];
		if (now[i].ran > before.ran && now[i].delay > before.delay + longest)
			longest = now[i].delay - before.delay;
	}
	return longest;
}

void held_up_look(struct held_up *h, const struct target *target, pid_t tid,
		  const struct loop_look *look)
{
	const struct sleep *s = &look->sleep;

	if (h->from && h->from != s->from) {
		h->total += longest_wait(h, target, tid);
		h->from = 0;
	}
	if (!s->from || s->state != SAMPLE_BLOCKED || !waits_for(s->syscall) || h->from)
		return;
	if (h->turn != look->turn_start)
		h->total = 0;
	h->turn = look->turn_start;
	h->from = s->from;
	h->syscall = s->syscall;
	h->n = read_others(target, tid, waits_for(s->syscall), h->others);
}

nsec held_up_time(const struct held_up *h, const struct target *target, pid_t tid, nsec turn)
{
	if (h->turn != turn)
		return 0;
	return h->total + (h->from ? longest_wait(h, target, tid) : 0);
}
