#include "sampler/proc/ticker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sampler/listening.h"

static const nsec PERIOD = 1000000;
static const nsec TOO_LONG = 4000000, LONGEST_REST = 20000000;
static const nsec LOOK_FOR_EXEC = 5000000;
static const nsec LOOK_FOR_PORT = 100000000;
static const size_t STACK_ROOM = 8 << 20; /* bytes of stacks that wait for the session */

nsec ticker_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

struct cpu_time ticker_cpu_time(const struct glance *g)
{
	return (struct cpu_time){ .exec = g->exec,
				  .delay = g->delay,
				  .exact = g->has_sched && g->kind != GLANCE_RUNNING };
}

static void tell(struct ticker *t)
{
	uint64_t one = 1;

	if (write(t->news, &one, sizeof(one)) < 0)
		return; /* it is readable already */
}

void ticker_push(struct ticker *t, struct followed *f, struct event *e)
{
	e->pid = t->config.pid;
	e->tid = f->tid;
	if (!queue_push(&t->queue, e))
		t->losses.lost++;
}

bool ticker_look_for_exec(struct ticker *t, nsec now)
{
	struct event e = {
		.kind = EVENT_EXEC, .pid = t->config.pid, .tid = t->config.pid, .at = now
	};

	if (t->tells_of_execs)
		return false;
	t->next_image = now + LOOK_FOR_EXEC;
	if (image_look(&t->image, t->target.procfd) != IMAGE_REPLACED)
		return false;
	if (image_open(&t->image, t->target.procfd) == 0 && queue_push(&t->queue, &e))
		tell(t);
	return true;
}

void ticker_push_sample(struct ticker *t, struct followed *f, nsec at, const struct raw_sample *raw,
			bool asleep)
{
	struct event e = { .kind = EVENT_SAMPLE, .at = at };

	/* It may be of the program before, or the first of another. */
	if (ticker_look_for_exec(t, at))
		return;
	e.sample.raw = *raw;
	e.sample.asleep = asleep;
	t->losses.made++;
	ticker_push(t, f, &e);
	tell(t);
}

void ticker_took(struct ticker *t, nsec from, nsec to)
{
	nsec rest = to > from + TOO_LONG ? 4 * (to - from) : 0;

	rest = rest < LONGEST_REST ? rest : LONGEST_REST;
	if (t->rest_until < to + rest)
		t->rest_until = to + rest;
}

bool ticker_rests(const struct ticker *t, nsec now)
{
	return now < t->rest_until;
}

void ticker_sampled(const struct ticker *t, struct followed *f, nsec at)
{
	f->next_sample = at + (t->config.freq ? 900000000 / t->config.freq : PERIOD);
}

void ticker_begin_poll(struct ticker *t, struct followed *f, nsec at, const struct cpu_time *now)
{
	struct event e = { .kind = EVENT_TURN, .at = at };
	struct event asleep = { .kind = EVENT_SLEEP, .at = at };

	if (f->track.turn_start && track_end_sleep(&f->track, at, &asleep.sleep))
		ticker_push(t, f, &asleep);
	if (!track_begin_poll(&f->track, at, now, &e.turn) ||
	    e.turn.end - e.turn.start < t->config.threshold)
		return;
	ticker_push(t, f, &e);
	tell(t);
}

nsec ticker_sure_since(const struct ticker *t, const struct followed *f)
{
	nsec start = f->track.turn_start;

	if (start != f->met_at)
		return start;
	if (f->watched_from <= start)
		return ticker_now() > start + t->config.threshold ? 0 : start;
	return f->unseen > t->config.gate ? f->watched_from : start;
}

void ticker_doubt(struct ticker *t, struct followed *f, nsec at)
{
	nsec start = f->track.turn_start, threshold = t->config.threshold;
	nsec sure = start && f->watched_from > start ? ticker_sure_since(t, f) : start;

	f->watched_from = 0;
	if (sure == start)
		return;
	if (at >= start + threshold && at < sure + threshold)
		t->losses.turns++;
	track_shorten(&f->track, sure, f->unseen);
}

void ticker_note_delay(struct ticker *t)
{
	nsec now = ticker_now(), due = t->served + PERIOD;

	t->served = now;
	for (size_t i = 0; now > due && i < t->n; i++)
		if (t->followed[i]->tracer.seized)
			track_hold(&t->followed[i]->track, now - due);
}

bool ticker_see_poll(struct ticker *t, struct followed *f, const struct poll_seen *poll)
{
	struct event e = { .kind = EVENT_POLL, .at = poll->at };

	if (poll->key == 0)
		return false;
	if (track_matches(&f->track, poll->key))
		return true;
	e.poll.key = poll->key;
	e.poll.sp = poll->sp;
	e.poll.ip = poll->ip;
	if (f->strange) {
		f->strange--;
		ticker_push(t, f, &e);
	}
	if (f->track.key)
		return false;
	/* The first one is taken for the loop's at once, so that no turn is missed. */
	f->track.key = poll->key;
	return true;
}

bool ticker_see_glanced(struct ticker *t, struct followed *f, const struct glance *g)
{
	struct poll_seen poll = {
		.key = glance_poll_key(g), .sp = g->sp, .ip = g->pc, .at = g->at
	};

	return ticker_see_poll(t, f, &poll);
}

/* Calls that a stop does not disturb: the kernel, or the tracer, takes them up again. */
static bool takes_up(int number)
{
	static const int calls[] = {
		/* clang-format off */
		SYS_futex, SYS_nanosleep, SYS_clock_nanosleep, SYS_restart_syscall, SYS_wait4, SYS_waitid,
		SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6, SYS_epoll_wait, SYS_epoll_pwait,
		SYS_read, SYS_recvfrom, SYS_recvmsg,
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i] == number)
			return true;
	return false;
}

/* With all registers, which takes a stop: frames of JIT code may need the frame pointer. */
static bool copy_stopped(struct ticker *t, struct followed *f, struct raw_sample *raw)
{
	nsec now = ticker_now();

	if (f->tracer.seized || ticker_rests(t, now))
		return false;
	if (tracer_stop(&f->tracer, now + PERIOD) == 0)
		raw->stack_len =
			tracer_copy(&f->tracer, &raw->regs, t->stack, t->config.stack_bytes);
	tracer_let_go(&f->tracer, now + 2 * PERIOD);
	ticker_took(t, now, ticker_now());
	f->woken = true;
	return raw->regs.valid;
}

/* What of it is known without touching it. */
static void copy_sleeping(struct ticker *t, struct followed *f, const struct glance *g,
			  struct raw_sample *raw)
{
	glance_regs(g, &raw->regs);
	raw->stack_len = tracer_read(f->tid, g->sp, t->stack, t->config.stack_bytes);
}

static void sample_asleep(struct ticker *t, struct followed *f, const struct glance *g)
{
	struct raw_sample raw = { .stack = t->stack };

	if (f->track.sleep.state == SAMPLE_STOPPED || !takes_up(g->number) ||
	    !copy_stopped(t, f, &raw))
		copy_sleeping(t, f, g, &raw);
	ticker_push_sample(t, f, g->at, &raw, true);
	f->track.sleep.sampled = true;
}

/* When, between the last glance and this one. */
static nsec middle(const struct followed *f, const struct glance *g)
{
	nsec from = f->last.at > f->track.turn_start ? f->last.at : f->track.turn_start;

	return from < g->at ? from + (g->at - from) / 2 : g->at;
}

static bool is_same_sleep(const struct followed *f, const struct glance *g)
{
	bool same = g->number == f->last.number && g->switches_in == f->last.switches_in;

	/* A stop for its stack wakes it, and the kernel lets it sleep on under another number. */
	if (f->woken)
		same = g->number == SYS_restart_syscall || g->number == f->last.number;
	return g->kind != GLANCE_RUNNING && g->kind == f->last.kind && g->sp == f->last.sp && same;
}

static void fall_asleep(struct ticker *t, struct followed *f, const struct glance *g)
{
	struct sleep sleep = { .from = middle(f, g),
			       .state = SAMPLE_BLOCKED,
			       .syscall = g->number,
			       .args = { g->args[0], g->args[1], g->args[2] } };

	track_begin_sleep(&f->track, &sleep);
	ticker_see_glanced(t, f, g);
}

/* Sleeps inside a turn. */
static void follow_sleep(struct ticker *t, struct followed *f, const struct glance *g)
{
	struct event e = { .kind = EVENT_SLEEP, .at = g->at };
	struct sleep *sleep = &f->track.sleep;
	char state;

	if (sleep->from && !is_same_sleep(f, g) &&
	    track_end_sleep(&f->track, middle(f, g), &e.sleep))
		ticker_push(t, f, &e);
	f->woken = false;
	if (g->kind == GLANCE_RUNNING)
		return;
	if (!sleep->from)
		fall_asleep(t, f, g);
	if (sleep->sampled || g->at < f->next_asleep ||
	    (g->at < sleep->from + PERIOD && g->at < f->track.turn_start + t->config.gate))
		return;
	state = glancer_state(&f->glancer);
	if (state == 'T' || (state == 't' && !f->tracer.seized))
		sleep->state = SAMPLE_STOPPED;
	sample_asleep(t, f, g);
	f->next_asleep = g->at + PERIOD / 2;
}

static void lose(struct ticker *t, struct followed *f, nsec at)
{
	struct event e = { .kind = EVENT_EXIT, .at = at };

	if (f->gone)
		return;
	f->gone = true;
	if (t->ops->flush)
		t->ops->flush(t, f);
	track_lose(&f->track);
	ticker_push(t, f, &e);
	tell(t);
}

/* True if the kernel refuses to show the thread: then its turns are not known either. */
static bool is_denied(struct ticker *t, struct followed *f, const struct glance *g)
{
	bool denied = g->kind == GLANCE_DENIED;

	if (denied && !f->denied) {
		t->losses.turns++;
		track_lose(&f->track);
	}
	f->denied = denied;
	return denied;
}

/* poll(2) is taken up under another number after a stop, and sleeps on in the same frame. */
static void name_restarted(const struct followed *f, struct glance *g)
{
	if (g->kind == GLANCE_CALL && g->number == SYS_restart_syscall && g->sp == f->met.sp)
		g->number = f->met.number;
}

static void tick_followed(struct ticker *t, struct followed *f)
{
	struct glance g;

	glancer_look(&f->glancer, &g);
	if (g.kind == GLANCE_GONE) {
		lose(t, f, g.at);
		return;
	}
	if (is_denied(t, f, &g))
		return;
	/* What we ourselves hold at a system call does not sleep in it. */
	if (f->tracer.seized && g.kind != GLANCE_RUNNING && glancer_state(&f->glancer) == 't')
		g.kind = GLANCE_RUNNING;
	name_restarted(f, &g);
	f->gone = false;
	t->ops->tick(t, f, &g);
	if (f->track.turn_start)
		follow_sleep(t, f, &g);
	f->last = g;
	if (f->track.turn_start && g.kind == GLANCE_RUNNING && g.at >= f->next_sample &&
	    g.at > f->track.turn_start + t->config.gate)
		t->ops->sample(t, f);
}

static void look_for_port(struct ticker *t, nsec now)
{
	struct event e = { .kind = EVENT_LISTEN, .at = now };

	if (t->listened || t->config.gate_fd < 0 || now < t->next_listen || t->n == 0)
		return;
	t->next_listen = now + LOOK_FOR_PORT;
	if (target_listening_port(&t->target) == 0)
		return;
	t->listened = true;
	ticker_push(t, t->followed[0], &e);
}

static void drop(struct ticker *t, size_t i)
{
	struct followed *f = t->followed[i];

	if (t->ops->unfollow)
		t->ops->unfollow(t, f);
	glancer_close(&f->glancer);
	free(f);
	t->followed[i] = t->followed[--t->n];
}

/* Only the thread that traces can let go. */
static void drop_leaving(struct ticker *t)
{
	for (size_t i = t->n; i-- > 0;)
		if (t->followed[i]->leave &&
		    tracer_let_go(&t->followed[i]->tracer, ticker_now() + PERIOD))
			drop(t, i);
}

static void tick(struct ticker *t, nsec until)
{
	nsec now = ticker_now();

	pthread_mutex_lock(&t->lock);
	ticker_took(t, until - PERIOD, now);
	ticker_note_delay(t);
	drop_leaving(t);
	if (now >= t->next_image)
		ticker_look_for_exec(t, now);
	for (size_t i = 0; i < t->n; i++)
		if (!t->followed[i]->leave)
			tick_followed(t, t->followed[i]);
	look_for_port(t, now);
	if (t->ops->idle)
		t->ops->idle(t, until);
	pthread_mutex_unlock(&t->lock);
}

static void let_all_go(struct ticker *t)
{
	for (size_t i = 0; i < t->n; i++)
		tracer_let_go(&t->followed[i]->tracer, ticker_now() + 100 * PERIOD);
}

/* A thread that is traced may stop at any time and must not wait for us. */
static bool traces(const struct ticker *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->followed[i]->tracer.seized)
			return true;
	return false;
}

/* Until the next tick: a whole period after the last, but never without a pause. */
static nsec sleep_until_next(const struct ticker *t, nsec last)
{
	nsec now = ticker_now(), next = last + PERIOD;
	struct timespec at;

	if (next < now + PERIOD / 4)
		next = traces(t) ? now : now + PERIOD / 4;
	at = (struct timespec){ (time_t)(next / 1000000000), (long)(next % 1000000000) };
	if (next > now)
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
	return next;
}

static void *run(void *arg)
{
	struct ticker *t = arg;
	struct error ignored;
	nsec next = ticker_now();

	prctl(PR_SET_TIMERSLACK, 10000UL);
	prctl(PR_SET_NAME, "lagprof tick");
	tracer_prepare(&ignored);
	while (!__atomic_load_n(&t->stop, __ATOMIC_ACQUIRE)) {
		tick(t, next + PERIOD);
		tracer_collect();
		next = sleep_until_next(t, next);
	}
	pthread_mutex_lock(&t->lock);
	let_all_go(t);
	pthread_mutex_unlock(&t->lock);
	tracer_unprepare();
	return NULL;
}

static int open_target(struct ticker *t, struct error *err)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", t->config.pid);
	t->target.pid = t->config.pid;
	t->target.pidfd = -1;
	t->target.procfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->target.procfd < 0)
		return error_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	t->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return t->news >= 0
		       ? 0
		       : error_set(err, -errno, "cannot create an eventfd: %s", strerror(errno));
}

/* With every signal blocked: they are the session's. */
static int start_thread(struct ticker *t, struct error *err)
{
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&t->thread, NULL, run, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	t->started = ret == 0;
	if (ret == 0)
		return 0;
	error_set(err, -ret, "cannot start a thread: %s", strerror(ret));
	return error_fix(err, "allow more processes: ulimit -u, or pids.max of the cgroup");
}

int ticker_open(void **state, const struct probe_config *config, const struct ticker_ops *ops,
		void *own, struct error *err)
{
	struct ticker *t = xcalloc(1, sizeof(*t));
	struct glancer glancer;
	int ret;

	t->config = *config;
	if (t->config.stack_bytes > TICKER_STACK)
		t->config.stack_bytes = TICKER_STACK;
	t->ops = ops;
	t->own = own;
	t->queue.max_bytes = config->stack_ring ? config->stack_ring : STACK_ROOM;
	t->target.procfd = t->news = -1;
	image_init(&t->image);
	pthread_mutex_init(&t->lock, NULL);
	ret = open_target(t, err);
	/* Without the right to look, say so now. */
	if (ret == 0)
		ret = glancer_open(&glancer, t->target.procfd, config->pid, err);
	if (ret == 0)
		glancer_close(&glancer);
	/* A launched one has its exec before it. */
	if (ret == 0)
		image_open(&t->image, t->target.procfd);
	if (ret == 0 && ops->open)
		ret = ops->open(t, err);
	if (ret == 0)
		ret = start_thread(t, err);
	if (ret < 0) {
		ticker_close(t);
		return ret;
	}
	*state = t;
	return 0;
}

void ticker_close(void *state)
{
	struct ticker *t = state;

	__atomic_store_n(&t->stop, true, __ATOMIC_RELEASE);
	if (t->started)
		pthread_join(t->thread, NULL);
	while (t->n)
		drop(t, t->n - 1);
	if (t->ops->close)
		t->ops->close(t);
	queue_destroy(&t->queue);
	image_close(&t->image);
	if (t->news >= 0)
		close(t->news);
	if (t->target.procfd >= 0)
		close(t->target.procfd);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
