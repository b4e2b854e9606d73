#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sampler/proc/proc.h"
#include "sampler/shim/page.h"
#include "sampler/shim/preloadable.h"

/*
 * The rung `shim`: a library preloaded into a launched target writes down each
 * of its polls.  The library and the page it writes are memfds of lagprof's, which
 * the target opens through /proc: nothing is on the disk, and nothing stays open.
 */
extern const char shim_library[], shim_library_end[];

static const nsec SWEEP = 1000000000; /* slots of ended threads are freed this often */

struct shim {
	struct shim_page *page;
	int page_fd, library_fd;
	nsec next_sweep;
	uint64_t listen_told;
};

/* What has been taken over from a thread's slot. */
struct shim_seen {
	uint64_t n_long, others;
	nsec told;  /* the start of the last long turn */
	nsec first; /* the length of the turn before its first poll */
	bool met;   /* it has a slot */
};

static int make_memfd(const char *name, const void *bytes, size_t size, struct error *err)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0 ||
	    (bytes && pwrite(fd, bytes, size, 0) != (ssize_t)size))
		error_set(err, -errno, "cannot create a memory file: %s", strerror(errno));
	else
		return fd;
	if (fd >= 0)
		close(fd);
	return err->code;
}

static int make_page(struct shim *s, const struct probe_config *config, struct error *err)
{
	void *p;

	s->page_fd = make_memfd("lagprof_page", NULL, sizeof(*s->page), err);
	if (s->page_fd < 0)
		return s->page_fd;
	p = mmap(NULL, sizeof(*s->page), PROT_READ | PROT_WRITE, MAP_SHARED, s->page_fd, 0);
	if (p == MAP_FAILED)
		return error_set(err, -errno, "cannot map a memory file: %s", strerror(errno));
	s->page = p;
	s->page->magic = SHIM_MAGIC;
	s->page->pid = (uint32_t)config->pid;
	s->page->threshold = config->threshold;
	return 0;
}

/* Ours comes first in LD_PRELOAD; what the user has there stays. */
static int send_variables(const struct shim *s, int gate, struct error *err)
{
	const char *theirs = getenv("LD_PRELOAD");
	char text[4096];
	int n = snprintf(text, sizeof(text),
			 SHIM_VARIABLE "=/proc/%d/fd/%d%c"
				       "LD_PRELOAD=/proc/%d/fd/%d%s%s%c",
			 getpid(), s->page_fd, 0, getpid(), s->library_fd,
			 theirs && *theirs ? ":" : "", theirs ? theirs : "", 0);

	if (n < 0 || (size_t)n >= sizeof(text))
		return error_set(err, -E2BIG, "LD_PRELOAD is too long to add a library to it");
	if (write(gate, text, (size_t)n) == n)
		return 0;
	return error_set(err, -errno, "cannot prepare the command: %s", strerror(errno));
}

static int prepare(struct shim *s, const struct probe_config *config, struct error *err)
{
	int ret = make_page(s, config, err);

	if (ret < 0)
		return ret;
	s->library_fd = make_memfd("lagprof_shim", shim_library,
				   (size_t)(shim_library_end - shim_library), err);
	return s->library_fd < 0 ? s->library_fd : 0;
}

static void shim_free(struct shim *s)
{
	if (s->page) {
		s->page->off = 1;
		munmap(s->page, sizeof(*s->page));
	}
	if (s->page_fd >= 0)
		close(s->page_fd);
	if (s->library_fd >= 0)
		close(s->library_fd);
	free(s);
}

static void shim_close(struct ticker *t)
{
	shim_free(t->own);
}

static int shim_follow(struct ticker *t, struct followed *f, struct error *err)
{
	f->own = xcalloc(1, sizeof(struct shim_seen));
	return 0;
}

static void shim_unfollow(struct ticker *t, struct followed *f)
{
	free(f->own);
	f->own = NULL;
}

static struct shim_thread *slot_of(const struct ticker *t, pid_t tid)
{
	struct shim_page *page = ((struct shim *)t->own)->page;

	for (size_t i = 0; i < SHIM_THREADS; i++) {
		struct shim_thread *slot = &page->threads[((size_t)tid + i) % SHIM_THREADS];

		if (__atomic_load_n(&slot->tid, __ATOMIC_ACQUIRE) == (uint32_t)tid)
			return slot;
	}
	return NULL;
}

static void shim_changed(struct ticker *t)
{
	((struct shim *)t->own)->page->threshold = t->config.threshold;
}

static void shim_chosen(struct ticker *t, struct followed *f)
{
	struct shim_thread *slot = slot_of(t, f->tid);

	if (slot)
		__atomic_store_n(&slot->key, f->track.key, __ATOMIC_RELAXED);
}

/* The scheduler's counts as the turn began: those of the last glance, when it polled still. */
static struct cpu_time base_of(const struct followed *f, const struct glance *g)
{
	struct cpu_time base = ticker_cpu_time(&f->last);

	base.exact = base.exact && f->track.poll_start;
	/* The wait for a CPU on waking up comes before the turn. */
	if (g->switches_in == f->last.switches_in + 1)
		base.delay = g->delay;
	return base;
}

static void take_long_turns(struct ticker *t, struct followed *f, const struct shim_thread *slot,
			    const struct glance *g)
{
	struct shim_seen *seen = f->own;
	uint64_t n = __atomic_load_n(&slot->n_long, __ATOMIC_ACQUIRE);
	struct cpu_time base, now;
	struct glance later = *g;

	if (n == seen->n_long)
		return;
	/* The turn may have ended after the glance, and that a while ago. */
	glancer_look(&f->glancer, &later);
	if (later.kind == GLANCE_GONE || later.kind == GLANCE_DENIED)
		later = *g;
	base = base_of(f, g);
	now = ticker_cpu_time(&later);
	if (n < seen->n_long) /* another program's */
		seen->n_long = 0;
	if (n - seen->n_long > SHIM_LONG - 1) {
		t->losses.turns += n - seen->n_long - (SHIM_LONG - 1);
		seen->n_long = n - (SHIM_LONG - 1);
	}
	for (; seen->n_long < n; seen->n_long++) {
		struct shim_turn turn = slot->longs[seen->n_long % SHIM_LONG];

		if (f->track.turn_start != turn.start)
			track_begin_turn(&f->track, turn.start, &base);
		ticker_begin_poll(t, f, turn.end, &now);
		seen->told = turn.start;
	}
}

/* Moves the track to the state that the slot is in. */
static void adopt_state(struct followed *f, const struct shim_thread *slot, const struct glance *g)
{
	nsec turn = __atomic_load_n(&slot->turn_start, __ATOMIC_ACQUIRE);
	nsec poll = __atomic_load_n(&slot->poll_start, __ATOMIC_ACQUIRE);
	struct shim_seen *seen = f->own;
	struct cpu_time base;

	if (poll && poll != f->track.poll_start) {
		track_lose(&f->track);
		f->track.poll_start = poll;
	} else if (!poll && turn && turn != f->track.turn_start && turn != seen->told) {
		base = base_of(f, g);
		track_begin_turn(&f->track, turn, &base);
	}
	f->track.key = __atomic_load_n(&slot->key, __ATOMIC_RELAXED);
	f->track.turns = slot->turns + (seen->first != 0);
	f->track.busy = slot->busy + seen->first;
	f->track.polled = slot->polled;
}

static void tell_of_others(struct ticker *t, struct followed *f, const struct shim_thread *slot)
{
	struct shim_seen *seen = f->own;
	struct event e = { .kind = EVENT_POLL, .at = slot->other_at };
	uint64_t others = __atomic_load_n(&slot->others, __ATOMIC_ACQUIRE);

	if (others == seen->others)
		return;
	seen->others = others;
	e.poll.key = slot->other_key;
	e.poll.sp = slot->other_sp;
	ticker_push(t, f, &e);
}

/* The first poll of the program ends the turn that began with its launch. */
static void meet_slot(struct ticker *t, struct followed *f, const struct shim_thread *slot,
		      const struct glance *g)
{
	struct shim_seen *seen = f->own;
	struct cpu_time now = ticker_cpu_time(g);

	*seen = (struct shim_seen){ .met = true };
	f->hunted = false;
	if (!f->track.turn_start || slot->first_poll < f->track.turn_start)
		return;
	seen->first = slot->first_poll - f->track.turn_start;
	ticker_begin_poll(t, f, slot->first_poll, &now);
}

/*
 * A thread that sleeps in a poll that the library knows nothing of: the program
 * is one that it was not loaded into (a static one that was run by a script),
 * or makes system calls by itself.  Then /proc has to do.
 */
static void tick_blind(struct ticker *t, struct followed *f, const struct glance *g)
{
	f->hunted = f->hunted || (glance_poll_key(g) && glance_poll_key(&f->last));
	if (f->hunted)
		proc_tick(t, f, g);
}

static void sweep(struct ticker *t, struct shim *s, nsec now)
{
	char path[32];

	if (now < s->next_sweep)
		return;
	s->next_sweep = now + SWEEP;
	for (size_t i = 0; i < SHIM_THREADS; i++) {
		struct shim_thread *slot = &s->page->threads[i];

		snprintf(path, sizeof(path), "task/%u", slot->tid);
		if (!slot->tid || faccessat(t->target.procfd, path, F_OK, 0) == 0)
			continue;
		memset(&slot->key, 0, sizeof(*slot) - offsetof(struct shim_thread, key));
		__atomic_store_n(&slot->tid, 0, __ATOMIC_RELEASE);
	}
}

static void tell_of_listen(struct ticker *t, struct followed *f, struct shim *s)
{
	struct event e = { .kind = EVENT_LISTEN, .at = s->page->listen_at };

	if (t->listened || !e.at)
		return;
	t->listened = true;
	ticker_push(t, f, &e);
}

static void shim_tick(struct ticker *t, struct followed *f, const struct glance *g)
{
	struct shim_thread *slot = slot_of(t, f->tid);
	struct shim_seen *seen = f->own;

	sweep(t, t->own, g->at);
	tell_of_listen(t, f, t->own);
	if (!slot || !slot->first_poll) {
		seen->met = false;
		tick_blind(t, f, g);
		return;
	}
	if (!seen->met)
		meet_slot(t, f, slot, g);
	tell_of_others(t, f, slot);
	take_long_turns(t, f, slot, g);
	adopt_state(f, slot, g);
}

static void shim_flush(struct ticker *t, struct followed *f)
{
	struct shim_thread *slot = slot_of(t, f->tid);

	if (slot && ((struct shim_seen *)f->own)->met)
		take_long_turns(t, f, slot, &f->last);
}

/* The slot tells whether the thread still was in its turn when it stopped. */
static void shim_sample(struct ticker *t, struct followed *f)
{
	struct shim_thread *slot = slot_of(t, f->tid);
	nsec turn = slot ? slot->turn_start : f->track.turn_start;

	if (turn != f->track.turn_start || !proc_stop(t, f))
		return;
	if (!slot || slot->turn_start == turn)
		proc_take_sample(t, f, ticker_now());
	proc_let_go(t, f);
}

static bool shim_lag(void *state, pid_t tid, struct hist *out)
{
	struct ticker *t = state;
	struct shim_thread *slot = slot_of(t, tid);
	struct followed *f = ticker_find(t, tid);
	const struct shim_seen *seen = f ? f->own : NULL;

	if (!slot || !seen)
		return ticker_lag(state, tid, out);
	hist_init(out);
	memcpy(out->count, slot->lag, sizeof(out->count));
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		out->n += out->count[i];
	if (out->n) {
		out->sum = slot->busy;
		out->min = slot->min;
		out->max = slot->max;
	}
	if (seen->first)
		hist_add(out, seen->first);
	return true;
}

static const struct ticker_ops ops = {
	.close = shim_close,
	.follow = shim_follow,
	.unfollow = shim_unfollow,
	.changed = shim_changed,
	.chosen = shim_chosen,
	.flush = shim_flush,
	.tick = shim_tick,
	.sample = shim_sample,
	.idle = proc_idle,
};

static int shim_open(void **state, const struct probe_config *config, struct error *err)
{
	struct shim *s;
	int ret;

	if (config->gate_fd < 0) {
		error_set(err, -ENOTSUP, "a running process cannot be given a library");
		return error_fix(err, "start it with lagprof run");
	}
	ret = preloadable_check(config->command, err);
	if (ret < 0)
		return ret;
	s = xcalloc(1, sizeof(*s));
	s->page_fd = s->library_fd = -1;
	ret = prepare(s, config, err);
	if (ret < 0) {
		shim_free(s);
		return ret;
	}
	ret = ticker_open(state, config, &ops, s, err);
	/* Last: what was sent cannot be taken back for another rung. */
	if (ret == 0)
		ret = send_variables(s, config->gate_fd, err);
	else
		return ret;
	if (ret < 0)
		ticker_close(*state);
	return ret;
}

const struct probe probe_shim = {
	TICKER_PROBE,
	.name = "shim",
	.needs = "lagprof run, and a target that is linked dynamically",
	.traces = true,
	.error_bound = 20000,
	.open = shim_open,
	.lag = shim_lag,
	.losses = ticker_losses,
};
