#include "sampler/session.h"

#include <errno.h>
#include <linux/limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "sampler/place.h"
#include "sampler/pool_watch.h"
#include "sampler/watch.h"

enum { STEP_MS = 20, MAX_WATCHES = 64, MAX_THREADS = 4096 };
static const nsec TICK = 1000000000;       /* counters and the sink's tick */
static const nsec LOOK_AROUND = 250000000; /* at the threads that are not followed */
static const nsec REFRESH = 50000000;      /* of the mappings, at most this often */
static const nsec SLEEPING_POLL = 1000000;

/* A thread seen waiting in a poll, not followed (yet). */
struct sighting {
	pid_t tid;
	uint32_t times;
};

struct session_run {
	struct session_config config;
	const struct target *target;
	struct watch_context c;
	struct space *space;
	struct pool_watch pool;
	struct host_watch host;
	struct watch *watches[MAX_WATCHES];
	size_t n_watches;
	struct sighting *sightings;
	size_t n_sightings, cap_sightings;
	nsec last_tick, last_look_around, last_refresh;
	bool maps_changed, listening;
	bool started; /* a launched target has run its exec */
};

static nsec now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

/* The longest gap between two readings of the clock within 20 ms: what the machine itself adds. */
static nsec intrinsic_latency(void)
{
	nsec start = now_ns(), last = start, worst = 0;

	while (last - start < 20000000) {
		nsec now = now_ns();

		if (now - last > worst)
			worst = now - last;
		last = now;
	}
	return worst;
}

static struct watch *find_watch(struct session_run *s, pid_t tid)
{
	for (size_t i = 0; i < s->n_watches; i++)
		if (s->watches[i]->tid == tid)
			return s->watches[i];
	return NULL;
}

static int follow(struct session_run *s, pid_t tid, bool running, struct error *err)
{
	struct watch *w;
	int ret;

	if (s->n_watches == MAX_WATCHES)
		return error_set(err, -ENOSPC, "more than %d loops", MAX_WATCHES);
	ret = s->c.probe->follow(s->c.probe_state, tid, err);
	if (ret < 0)
		return ret;
	w = xcalloc(1, sizeof(*w));
	watch_init(w, tid);
	w->is_loop = s->config.dump;
	s->watches[s->n_watches++] = w;
	if (running)
		place_watch(w, &s->c);
	else
		s->c.probe->begin(s->c.probe_state, tid, now_ns(), -1);
	return 0;
}

static void unfollow(struct session_run *s, size_t i)
{
	struct watch *w = s->watches[i];

	watch_count(w, &s->c);
	watch_reset(w, &s->c, now_ns(), true);
	s->c.probe->unfollow(s->c.probe_state, w->tid);
	watch_destroy(w);
	free(w);
	s->watches[i] = s->watches[--s->n_watches];
}

static void begin_session(struct session_run *s)
{
	struct session *session = &s->c.rec->session;
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	session->start_unix_ns = wall.tv_sec * 1000000000 + wall.tv_nsec;
	session->threshold = s->config.threshold;
	session->sample_hz = s->config.freq;
	session->probe = s->config.probe->name;
	session->unwinder = s->config.unwinder->name;
	session->error_bound = s->config.probe->error_bound;
	session->end = END_RUNNING;
	session->exit_status = -1;
	session->serving_since = s->config.startup;
	/* Without an explicit length, a target that was found running has started up. */
	if (s->config.startup == UINT64_MAX && !s->target->child)
		session->serving_since = 0;
}

int session_open(struct session_run **out, const struct target *target,
		 const struct session_config *config, struct recording *rec, struct sink *sink,
		 struct error *err)
{
	struct session_run *s = xcalloc(1, sizeof(*s));
	struct probe_config pc = { .pid = target->pid,
				   .threshold = config->threshold,
				   .gate = config->threshold / 2,
				   .freq = config->freq,
				   .stack_bytes = config->stack_bytes,
				   .stack_ring = config->stack_ring,
				   .boundary_ring = config->boundary_ring,
				   .gate_fd = target->gate };
	int ret;

	s->config = *config;
	s->target = target;
	s->c = (struct watch_context){ .probe = config->probe,
				       .target = target,
				       .rec = rec,
				       .sink = sink,
				       .dump = config->dump,
				       .gate = pc.gate,
				       .threshold = config->threshold };
	/* What is read too late is lost, and the target is stalling already when there is much to
	 * read. */
	setpriority(PRIO_PROCESS, 0, -10);
	rec->session.intrinsic_latency = intrinsic_latency();
	ret = config->probe->open(&s->c.probe_state, &pc, err);
	if (ret < 0) {
		free(s);
		return ret;
	}
	s->space = s->c.space = space_new(target->pid);
	s->c.stacks = stack_maker_new(config->unwinder, s->space, target->pid, rec);
	pool_watch_init(&s->pool, target, s->space);
	host_watch_init(&s->host, target);
	s->c.host = &s->host;
	s->c.base = now_ns();
	begin_session(s);
	target_describe(target, rec);
	if (!target->child)
		space_refresh(s->space, err);
	ret = follow(s, target->pid, !target->child, err);
	if (ret == 0 && !target_alive(target))
		ret = error_set(err, -ESRCH, "process %d ended while it was being attached to",
				target->pid);
	if (ret < 0) {
		session_close(s);
		return ret;
	}
	*out = s;
	return 0;
}

static void refresh_maps(struct session_run *s, nsec now)
{
	struct error ignored;

	if (!s->maps_changed || now - s->last_refresh < REFRESH)
		return;
	s->maps_changed = false;
	s->last_refresh = now;
	space_refresh(s->space, &ignored);
}

/* Code is made without a record where mprotect() makes it executable (JIT pages). */
static void check_code(struct session_run *s, const struct event *e)
{
	const struct regs *regs = &e->sample.raw.regs;
	struct mapping *m;

	if (!regs->valid)
		return;
	m = space_find(s->space, regs->r[DW_RIP]);
	if (m && m->exec)
		return;
	s->maps_changed = true;
	refresh_maps(s, now_ns());
}

/*
 * The turn of a launched target begins as it is let go: the exec that follows
 * is the beginning of what the user asked for, not another program.
 */
static void restart_watch(struct session_run *s, const struct event *e)
{
	struct watch *w = find_watch(s, s->target->pid);

	if (s->target->child && !s->started) {
		s->started = true;
		return;
	}
	if (!w || watch_exec(w, e->at))
		return;
	watch_reset(w, &s->c, e->at, true);
	s->c.probe->choose(s->c.probe_state, w->tid, 0, 0);
	s->c.probe->begin(s->c.probe_state, w->tid, e->at, -1);
}

static void handle_exec(struct session_run *s, const struct event *e)
{
	struct error err;

	space_reset(s->space);
	space_refresh(s->space, &err);
	stack_maker_reset(s->c.stacks);
	pool_watch_stop(&s->pool, &s->c.rec->threadpool);
	target_describe(s->target, s->c.rec);
	/* All other threads are gone; the one that execs has the process's id now. */
	for (size_t i = s->n_watches; i-- > 0;)
		if (s->watches[i]->tid != s->target->pid)
			unfollow(s, i);
	restart_watch(s, e);
	if (s->target->child && s->c.rec->session.serving_since != s->config.startup)
		s->c.rec->session.serving_since = s->config.startup;
}

/* Stalls before it belong to the startup, now that its end is known. */
static void serve_from(struct session_run *s, nsec at)
{
	struct recording *rec = s->c.rec;

	rec->session.serving_since = at > s->c.base ? at - s->c.base : 0;
	for (size_t i = 0; i < rec->n_stalls; i++)
		rec->stalls[i].phase = rec->stalls[i].start < rec->session.serving_since
					       ? PHASE_STARTUP
					       : PHASE_SERVING;
}

static void handle_listen(struct session_run *s, const struct event *e)
{
	if (s->config.startup == UINT64_MAX && s->target->child && !s->listening) {
		s->listening = true;
		serve_from(s, e->at);
	}
}

static void handle_event(void *arg, const struct event *e)
{
	struct session_run *s = arg;
	struct watch *w = find_watch(s, e->tid);

	switch (e->kind) {
	case EVENT_MMAP:
		space_add(s->space, &e->mapping);
		return;
	case EVENT_EXEC:
		handle_exec(s, e);
		return;
	case EVENT_LISTEN:
		handle_listen(s, e);
		return;
	case EVENT_EXIT:
		if (w && e->tid != s->target->pid)
			w->gone = true;
		return;
	case EVENT_FORK:
		return;
	case EVENT_PREEMPTED:
		host_watch_neighbour(&s->host, s->c.rec, e->preempted.by, e->preempted.length);
		return;
	case EVENT_SAMPLE:
		check_code(s, e);
		break;
	default:
		break;
	}
	if (w)
		watch_event(w, &s->c, e);
}

/* A launched target that never listens serves from its first sleeping poll on. */
static void check_serving(struct session_run *s, nsec now)
{
	struct session *session = &s->c.rec->session;

	if (session->serving_since != UINT64_MAX || s->config.startup != UINT64_MAX)
		return;
	for (size_t i = 0; i < s->n_watches; i++) {
		const struct loop_look *look = &s->watches[i]->look;

		if (look->poll_start && now > look->poll_start + SLEEPING_POLL)
			serve_from(s, look->poll_start);
		else if (look->polled > SLEEPING_POLL)
			serve_from(s, look->turn_start ? look->turn_start : now);
	}
}

static struct sighting *sighting_of(struct session_run *s, pid_t tid)
{
	for (size_t i = 0; i < s->n_sightings; i++)
		if (s->sightings[i].tid == tid)
			return &s->sightings[i];
	ARRAY_GROW(s->sightings, s->n_sightings, s->cap_sightings);
	s->sightings[s->n_sightings] = (struct sighting){ .tid = tid };
	return &s->sightings[s->n_sightings++];
}

/* Has the main thread polled, or is it busy with what may come before that? */
static bool main_may_poll(struct session_run *s)
{
	struct watch *w = find_watch(s, s->target->pid);
	struct thread_state state;

	if (w && w->look.key)
		return true;
	return thread_look(s->target, s->target->pid, &state) && state.state == 'R';
}

/*
 * Loops on other threads: with all_loops each that was seen polling twice; else
 * only where the main thread does not poll at all.
 */
static void look_around(struct session_run *s, nsec now)
{
	pid_t tids[MAX_THREADS];
	struct error ignored;
	size_t n;

	if (now - s->last_look_around < LOOK_AROUND)
		return;
	s->last_look_around = now;
	if (!s->config.all_loops && (main_may_poll(s) || s->n_watches > 1))
		return;
	n = target_threads(s->target, tids, MAX_THREADS);
	for (size_t i = 0; i < n && i < MAX_THREADS; i++) {
		struct thread_state state;

		if (find_watch(s, tids[i]) || !thread_look(s->target, tids[i], &state) ||
		    state.syscall < 0 || !poll_syscall_find(state.syscall))
			continue;
		if (++sighting_of(s, tids[i])->times >= (s->config.all_loops ? 2 : 4))
			follow(s, tids[i], true, &ignored);
	}
}

static void tick(struct session_run *s, nsec now)
{
	struct probe_losses losses = { 0 };
	struct rusage usage;

	s->last_tick = now;
	for (size_t i = 0; i < s->n_watches; i++)
		watch_count(s->watches[i], &s->c);
	s->c.probe->losses(s->c.probe_state, &losses);
	s->c.rec->session.lost_samples = losses.lost;
	s->c.rec->session.lost_turns = losses.turns;
	s->c.rec->session.duration = now - s->c.base;
	host_watch_tick(&s->host, s->c.rec);
	getrusage(RUSAGE_SELF, &usage);
	s->c.rec->session.own_cpu =
		((nsec)usage.ru_utime.tv_sec + (nsec)usage.ru_stime.tv_sec) * 1000000000 +
		((nsec)usage.ru_utime.tv_usec + (nsec)usage.ru_stime.tv_usec) * 1000;
	s->c.sink->tick(s->c.sink, s->c.rec);
}

static void digest(struct session_run *s)
{
	nsec now = now_ns();

	/*
	 * Looks come before the drain: what ended before a look has left its record by then.  The
	 * clock comes before the looks: what has not been looked at must not be told of.
	 */
	for (size_t i = 0; i < s->n_watches; i++)
		watch_look(s->watches[i], &s->c);
	refresh_maps(s, now);
	s->c.probe->drain(s->c.probe_state, handle_event, s);
	check_serving(s, now);
	host_watch_read(&s->host, now_ns());
	for (size_t i = 0; i < s->n_watches; i++)
		place_first_poll(s->watches[i], &s->c);
	for (size_t i = 0; i < s->n_watches; i++)
		watch_cycle(s->watches[i], &s->c, now);
	for (size_t i = s->n_watches; i-- > 0;)
		if (s->watches[i]->gone)
			unfollow(s, i);
	look_around(s, now);
	pool_watch_step(&s->pool, now_ns(), &s->c.rec->threadpool);
	if (now - s->last_tick < TICK)
		return;
	/* So that the first stall need not wait for symbols to be read. */
	stack_maker_attach(s->c.stacks);
	tick(s, now);
}

/* Rounded up. */
static int ms_until(nsec due)
{
	nsec now = now_ns();

	return due > now ? (int)((due - now + 999999) / 1000000) : 0;
}

enum session_news session_step(struct session_run *s, int wake_fd, int timeout_ms)
{
	struct pollfd fds[3] = { { .fd = s->c.probe->fd(s->c.probe_state), .events = POLLIN },
				 { .fd = s->target->pidfd, .events = POLLIN },
				 { .fd = wake_fd, .events = POLLIN } };
	int timeout = timeout_ms < 0 || timeout_ms > STEP_MS ? STEP_MS : timeout_ms;
	int pool = ms_until(pool_watch_due(&s->pool));

	timeout = pool < timeout ? pool : timeout;

	if (poll(fds, 3, timeout) < 0 && errno != EINTR)
		return SESSION_ENDED;
	digest(s);
	if (fds[1].revents)
		return SESSION_ENDED;
	return fds[2].revents ? SESSION_WOKEN : SESSION_QUIET;
}

void session_set_threshold(struct session_run *s, nsec threshold)
{
	s->config.threshold = s->c.threshold = threshold;
	s->c.gate = threshold / 2;
	s->c.rec->session.threshold = threshold;
	s->c.probe->set_threshold(s->c.probe_state, threshold, s->c.gate);
}

void session_finish(struct session_run *s, enum session_end end)
{
	nsec now;

	digest(s);
	now = now_ns();
	for (size_t i = 0; i < s->n_watches; i++) {
		watch_count(s->watches[i], &s->c);
		watch_reset(s->watches[i], &s->c, now, end == END_TARGET_EXITED);
	}
	if (s->c.rec->n_loops == 0)
		recording_note(s->c.rec,
			       "no thread of process %d was seen to poll: it ran no event "
			       "loop, or in a child process that was not watched",
			       s->target->pid);
	pool_watch_stop(&s->pool, &s->c.rec->threadpool);
	s->c.rec->session.end = end;
	s->c.rec->session.exit_status = s->target->status;
	if (s->c.rec->session.serving_since == UINT64_MAX && s->config.startup != UINT64_MAX)
		s->c.rec->session.serving_since = s->config.startup;
	tick(s, now);
}

void session_close(struct session_run *s)
{
	for (size_t i = 0; i < s->n_watches; i++) {
		watch_destroy(s->watches[i]);
		free(s->watches[i]);
	}
	s->c.probe->close(s->c.probe_state);
	stack_maker_free(s->c.stacks);
	pool_watch_destroy(&s->pool);
	host_watch_destroy(&s->host);
	space_free(s->space);
	free(s->sightings);
	free(s);
}
