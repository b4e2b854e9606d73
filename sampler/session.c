#include "sampler/session.h"

#include <errno.h>
#include <linux/limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "sampler/family.h"
#include "sampler/proc/tracer.h"

enum { STEP_MS = 20 };
static const nsec TICK = 1000000000; /* counters and the sink's tick */

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

static void begin_session(struct session_run *s)
{
	struct session *session = &s->c.rec->session;
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	session->start_unix_ns = wall.tv_sec * 1000000000 + wall.tv_nsec;
	session->threshold = s->config.threshold;
	session->sample_hz = s->config.freq;
	session->probe = s->c.probe->name;
	session->unwinder = s->config.unwinder->name;
	session->error_bound = s->c.probe->error_bound;
	session->strict = s->config.strict;
	session->end = END_RUNNING;
	session->exit_status = -1;
}

static void handle_event(void *arg, const struct event *e)
{
	struct session_run *s = arg;

	if (e->kind == EVENT_PREEMPTED)
		host_watch_neighbour(&s->host, s->c.rec, e->preempted.by, e->preempted.length);
	else
		process_event(family_process_of(s, e), e);
	family_event(s, e);
}

static int open_target(struct session_run *s, const struct target *target, struct error *err)
{
	struct process *p = xcalloc(1, sizeof(*p));
	int ret;

	p->target = target;
	p->info = &s->c.rec->target;
	family_add(s, p, &s->c);
	ret = process_follow(p, err);
	if (ret == 0 && !target_alive(target))
		ret = error_set(err, -ESRCH, "process %d ended while it was being attached to",
				target->pid);
	return ret;
}

/* Not every probe can do what was asked for. */
static int check_probe(const struct probe *probe, const struct session_config *config,
		       struct error *err)
{
	if (config->strict && !probe->strict) {
		error_set(err, -EOPNOTSUPP, "the probe %s does not see system calls", probe->name);
		return error_fix(err, "run as root, or without --strict");
	}
	return 0;
}

/* Who may not trace finds the stalls, but not what computes in them. */
static void tell_of_stacks(struct session_run *s)
{
	struct error err = { 0 };

	if (s->c.probe->traces && tracer_allowed(&err) < 0)
		recording_note(s->c.rec, "no stacks of what computes: %s; for them: %s", err.msg,
			       err.fix);
}

/* The probe that was asked for, or the best that works: then says what is in the way of a better
 * one. */
static int open_probe(struct session_run *s, struct probe_config *pc, struct error *err)
{
	const struct probe *probe = s->config.probe;
	struct error unable;

	s->c.probe = probe;
	if (probe && check_probe(probe, &s->config, err) < 0)
		return err->code;
	if (probe)
		return probe->open(&s->c.probe_state, pc, err);
	pc->max_overhead = s->config.max_overhead;
	s->c.probe = probe_open_best(&s->c.probe_state, pc, err);
	if (!s->c.probe)
		return err->code;
	if (check_probe(s->c.probe, &s->config, &unable) < 0) {
		s->c.probe->close(s->c.probe_state);
		*err = unable;
		return err->code;
	}
	if (err->code)
		recording_note(s->c.rec, "watched by the probe %s: %s%s%s", s->c.probe->name,
			       err->msg, err->fix[0] ? "; for a better one: " : "", err->fix);
	return 0;
}

int session_open(struct session_run **out, const struct target *target,
		 const struct session_config *config, struct recording *rec, struct error *err)
{
	struct session_run *s = xcalloc(1, sizeof(*s));
	struct probe_config *pc = &s->probe_config;
	int ret;

	*pc = (struct probe_config){ .pid = target->pid,
				     .threshold = config->threshold,
				     .gate = config->threshold / 2,
				     .freq = config->freq,
				     .stack_bytes = config->stack_bytes,
				     .stack_ring = config->stack_ring,
				     .boundary_ring = config->boundary_ring,
				     .command = target->command,
				     .strict = config->strict,
				     .gate_fd = target->gate };
	s->config = *config;
	s->c = (struct watch_context){ .rec = rec,
				       .sink = config->sink,
				       .dump = config->dump,
				       .gate = pc->gate,
				       .show_queries = config->show_queries,
				       .threshold = config->threshold };
	/* What is read too late is lost, and the target is stalling already when there is much to
	 * read. */
	setpriority(PRIO_PROCESS, 0, -10);
	/* A dump is to answer at once, and does not tell of it. */
	if (!config->dump)
		rec->session.intrinsic_latency = intrinsic_latency();
	ret = open_probe(s, pc, err);
	if (ret < 0) {
		free(s);
		return ret;
	}
	tell_of_stacks(s);
	host_watch_init(&s->host, target);
	s->c.host = &s->host;
	s->c.base = now_ns();
	begin_session(s);
	ret = open_target(s, target, err);
	if (ret < 0) {
		session_close(s);
		return ret;
	}
	family_begin(s);
	*out = s;
	return 0;
}

/* What watching costs, here and there. */
static void count_overhead(struct session_run *s)
{
	struct session *session = &s->c.rec->session;
	struct probe_overhead overhead;
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	session->own_cpu =
		((nsec)usage.ru_utime.tv_sec + (nsec)usage.ru_stime.tv_sec) * 1000000000 +
		((nsec)usage.ru_utime.tv_usec + (nsec)usage.ru_stime.tv_usec) * 1000;
	if (!s->c.probe->overhead)
		return;
	s->c.probe->overhead(s->c.probe_state, &overhead);
	session->target_cpu = overhead.cpu;
	session->steps = overhead.steps;
	session->probe = overhead.rung;
	session->error_bound = overhead.error_bound;
}

static void tick(struct session_run *s, nsec now)
{
	struct probe_losses losses = { 0 };

	s->last_tick = now;
	for (size_t i = 0; i < s->n_processes; i++)
		process_count(s->processes[i]);
	s->c.probe->losses(s->c.probe_state, &losses);
	family_losses(s, &losses);
	for (size_t i = 0; i < s->n_processes; i++)
		losses.lost += s->processes[i]->unread;
	s->c.rec->session.lost_samples = losses.lost;
	s->c.rec->session.lost_turns = losses.turns;
	s->c.rec->session.strict_missed = losses.calls;
	s->c.rec->session.duration = now - s->c.base;
	host_watch_tick(&s->host, s->c.rec);
	for (size_t i = 0; i < s->n_processes; i++) {
		pool_watch_weigh(&s->processes[i]->pool, s->host.idle_share);
		pool_watch_report(&s->processes[i]->pool, &s->c.rec->threadpool);
	}
	count_overhead(s);
	s->c.sink->tick(s->c.sink, s->c.rec);
}

static void digest(struct session_run *s)
{
	struct process *target = s->processes[0];
	nsec now = now_ns();

	/*
	 * Looks come before the drain: what ended before a look has left its record by then.  The
	 * clock comes before the looks: what has not been looked at must not be told of.
	 */
	for (size_t i = 0; i < s->n_processes; i++)
		process_look(s->processes[i], now);
	s->c.probe->drain(s->c.probe_state, handle_event, s);
	family_drain(s, handle_event);
	host_watch_read(&s->host, now_ns());
	for (size_t i = 0; i < s->n_processes; i++)
		process_cycle(s->processes[i], now);
	family_cycle(s, now);
	/* To find a pool takes longer than all that a dump does, and it tells of none. */
	for (size_t i = 0; i < s->n_processes && !s->config.dump; i++)
		pool_watch_step(&s->processes[i]->pool, now_ns());
	if (now - s->last_tick < TICK)
		return;
	/* So that the first stall need not wait for symbols to be read. */
	stack_maker_attach(target->c.stacks);
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
	enum { MORE = 3 };
	struct pollfd fds[MORE + MAX_PROCESSES] = {
		{ .fd = s->c.probe->fd(s->c.probe_state), .events = POLLIN },
		{ .fd = s->processes[0]->target->pidfd, .events = POLLIN },
		{ .fd = wake_fd, .events = POLLIN },
	};
	nfds_t n = MORE + family_fds(s, fds + MORE);
	int timeout = timeout_ms < 0 || timeout_ms > STEP_MS ? STEP_MS : timeout_ms;

	for (size_t i = 0; i < s->n_processes && !s->config.dump; i++) {
		int pool = ms_until(pool_watch_due(&s->processes[i]->pool));

		timeout = pool < timeout ? pool : timeout;
	}
	if (poll(fds, n, timeout) < 0 && errno != EINTR)
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
	s->probe_config.threshold = threshold;
	s->probe_config.gate = s->c.gate;
	/* Several may share a probe: it is told more than once. */
	for (size_t i = 0; i < s->n_processes; i++) {
		struct watch_context *c = &s->processes[i]->c;

		c->threshold = threshold;
		c->gate = s->c.gate;
		c->probe->set_threshold(c->probe_state, threshold, c->gate);
	}
}

/* A service that puts itself into the background ends, and goes on as a child of nobody. */
static void note_survivors(const struct session_run *s)
{
	pid_t first = 0;
	size_t n = 0;

	for (size_t i = s->n_processes; i-- > 1;) {
		if (target_alive(s->processes[i]->target)) {
			first = s->processes[i]->target->pid;
			n++;
		}
	}
	if (n)
		recording_note(
			s->c.rec,
			"the target ended, but %zu process%s it had started went on; to watch "
			"on: lagprof attach --follow %d",
			n, n == 1 ? "" : "es", first);
}

void session_finish(struct session_run *s, enum session_end end)
{
	struct session *session = &s->c.rec->session;
	const struct target *target = s->processes[0]->target;
	nsec now;

	digest(s);
	now = now_ns();
	for (size_t i = 0; i < s->n_processes; i++)
		process_finish(s->processes[i], now, end == END_TARGET_EXITED);
	if (s->c.rec->n_loops == 0 && !s->processes[0]->denied)
		recording_note(s->c.rec,
			       "no thread of process %d was seen to poll: it ran no event "
			       "loop, or in a child process that was not watched%s",
			       target->pid, s->children ? "" : " (--follow does)");
	if (end == END_TARGET_EXITED)
		note_survivors(s);
	session->end = end;
	session->exit_status = target->status;
	if (session->serving_since == UINT64_MAX && s->config.startup != UINT64_MAX)
		session->serving_since = s->config.startup;
	tick(s, now);
}

void session_close(struct session_run *s)
{
	family_end(s);
	s->c.probe->close(s->c.probe_state);
	host_watch_destroy(&s->host);
	free(s);
}
