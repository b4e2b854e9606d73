#include "sampler/held_up.h"

#include <stdio.h>
#include <stdlib.h>

/* System calls in which a thread waits until another thread or process is done. */
static bool waits_for_others(int syscall)
{
	static const int16_t calls[] = {
		0,   /* read, of a pipe */
		7,   /* poll */
		9,   /* mmap and its kin wait for each other */
		10,  /* mprotect */
		11,  /* munmap */
		28,  /* madvise */
		56,  /* clone */
		57,  /* fork */
		58,  /* vfork */
		61,  /* wait4 */
		202, /* futex */
		232, /* epoll_wait: of the loop in which a child is waited for */
		247, /* waitid */
		281, /* epoll_pwait */
		435, /* clone3 */
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i] == syscall)
			return true;
	return false;
}

/* The children that a thread has started, at most max; how many. */
static size_t children_of(const struct target *target, pid_t tid, pid_t *pids, size_t max)
{
	char path[48], text[1024], *at = text, *end;
	size_t n = 0;

	snprintf(path, sizeof(path), "task/%d/children", tid);
	if (target_read(target, path, text, sizeof(text)) <= 0)
		return 0;
	for (long pid; n < max && (pid = strtol(at, &end, 10)) > 0 && end != at; at = end)
		pids[n++] = (pid_t)pid;
	return n;
}

/* All that the loop's thread may wait for, as they are now; how many. */
static size_t read_others(const struct target *target, pid_t tid, struct other *others)
{
	pid_t pids[HELD_UP_OTHERS];
	size_t n = 0, threads, children;

	threads = target_threads(target, pids, HELD_UP_OTHERS / 2);
	if (threads > HELD_UP_OTHERS / 2)
		threads = HELD_UP_OTHERS / 2;
	children = children_of(target, tid, pids + threads, HELD_UP_OTHERS - threads);
	for (size_t i = 0; i < threads + children; i++) {
		struct other *o = &others[n];

		o->tid = pids[i];
		if (o->tid == tid)
			continue;
		n += i < threads ? thread_schedstat(target, o->tid, &o->ran, &o->delay)
				 : process_schedstat(o->tid, &o->ran, &o->delay);
	}
	return n;
}

/* How long one that ran meanwhile has waited for a CPU since: the longest. */
static nsec longest_wait(const struct held_up *h, const struct target *target, pid_t tid)
{
	struct other now[HELD_UP_OTHERS];
	size_t n = read_others(target, tid, now);
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
	if (!s->from || s->state != SAMPLE_BLOCKED || !waits_for_others(s->syscall) || h->from)
		return;
	if (h->turn != look->turn_start)
		h->total = 0;
	h->turn = look->turn_start;
	h->from = s->from;
	h->n = read_others(target, tid, h->others);
}

nsec held_up_time(const struct held_up *h, const struct target *target, pid_t tid, nsec turn)
{
	if (h->turn != turn)
		return 0;
	return h->total + (h->from ? longest_wait(h, target, tid) : 0);
}
