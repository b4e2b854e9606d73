#include "sampler/proc/proc.h"

/*
 * The rung `proc`: what anybody may do with a process of their own.  An idle
 * loop's turns are seen in /proc/PID/task/TID/syscall once a millisecond.  One
 * that never sleeps looks the same there as a stall: a thread that has run for
 * long is therefore traced up to its next poll.  That costs a computing thread
 * nothing, and one that makes system calls two stops for each of them.
 */
enum { CALLS = 400 }; /* stops in a period */
static const nsec PERIOD = 1000000;
static const nsec SELDOM = 20000000; /* a stack is tried for this often on the busiest machine */
static const nsec REST = 20;         /* times as long as a vain watch took */

/* Woken, but not on a CPU yet: its poll is over when it is. */
static bool waits_for_cpu(const struct followed *f, const struct glance *g)
{
	return g->kind == GLANCE_RUNNING && g->has_sched && g->switches_in == f->last.switches_in;
}

/*
 * It slept in its poll at both glances, but not all the while.  What it did
 * between them was long only if lagprof itself was late.
 */
static void count_unseen(struct ticker *t, struct followed *f, const struct glance *g)
{
	nsec busy = g->exec - f->last.exec;
	uint64_t n = g->switches_in - f->last.switches_in;
	struct event e = { .kind = EVENT_TURN, .at = g->at };

	track_count(&f->track, n, busy);
	f->track.poll_start = g->at;
	f->track.polled += g->at - f->last.at > busy ? g->at - f->last.at - busy : 0;
	if (busy < t->config.threshold)
		return;
	if (n > 1) {
		t->losses.turns++;
		return;
	}
	e.turn.start = f->last.at + (g->at - f->last.at - busy) / 2;
	e.turn.end = e.turn.start + busy;
	ticker_push(t, f, &e);
}

static void begin_turn(struct followed *f, const struct glance *g)
{
	nsec from = f->last.at > f->track.poll_start ? f->last.at : f->track.poll_start;
	struct cpu_time base = ticker_cpu_time(&f->last);

	/* The wait for a CPU on waking up comes before the turn. */
	base.delay = g->delay;
	track_begin_turn(&f->track, from + (g->at - from) / 2, &base);
}

static nsec clamp(nsec v, nsec least, nsec most)
{
	return v < least ? least : v > most ? most : v;
}

/* When it polled: between both glances, and as its time on a CPU tells if it never slept. */
static nsec end_of_turn(const struct followed *f, const struct glance *g)
{
	const struct track *track = &f->track;
	nsec from = f->last.at > track->turn_start ? f->last.at : track->turn_start;
	nsec used = g->exec + g->delay - track->base.exec - track->base.delay;

	if (!track->base.exact || !g->has_sched || track->slept || track->sleep.from)
		return from + (g->at - from) / 2;
	return clamp(track->turn_start + used, from, g->at);
}

void proc_tick(struct ticker *t, struct followed *f, const struct glance *g)
{
	uint64_t key = glance_poll_key(g);
	bool polls = key && (track_matches(&f->track, key) ||
			     (f->track.key == 0 && ticker_see_glanced(t, f, g)));
	struct cpu_time now = ticker_cpu_time(g);

	if (f->track.poll_start && polls && g->switches_in != f->last.switches_in) {
		count_unseen(t, f, g);
	} else if (f->track.poll_start && !polls) {
		if (!waits_for_cpu(f, g))
			begin_turn(f, g);
	} else if (f->track.turn_start && polls && f->presumed) {
		f->track.poll_start = f->track.turn_start;
		f->track.turn_start = 0;
	} else if (polls && !f->track.poll_start) {
		ticker_begin_poll(t, f, f->track.turn_start ? end_of_turn(f, g) : g->at, &now);
	}
	f->presumed = false;
}

void proc_take_sample(struct ticker *t, struct followed *f, nsec now)
{
	struct raw_sample raw = { .stack = t->stack };

	raw.stack_len = tracer_copy(&f->tracer, &raw.regs, t->stack, t->config.stack_bytes);
	if (!raw.regs.valid)
		return;
	ticker_push_sample(t, f, now, &raw, false);
	ticker_sampled(t, f, now);
}

bool proc_stop(struct ticker *t, struct followed *f)
{
	nsec now = ticker_now();

	/* One that had no CPU to stop on when it was asked to is waited for on. */
	if (!f->tracer.seized && ticker_rests(t, now) && now < f->stopping + SELDOM)
		return false;
	f->stopping = now;
	return tracer_stop(&f->tracer, now + 2 * PERIOD) == 0;
}

void proc_let_go(struct ticker *t, struct followed *f)
{
	tracer_let_go(&f->tracer, f->stopping + 2 * PERIOD);
	ticker_took(t, f->stopping, ticker_now());
}

void proc_sample(struct ticker *t, struct followed *f)
{
	/* Watched: proc_idle() samples it. */
	if (f->hunted && f->tracer.seized)
		return;
	if (proc_stop(t, f)) {
		proc_take_sample(t, f, ticker_now());
		proc_let_go(t, f);
	}
}

static bool is_suspect(const struct ticker *t, const struct followed *f, nsec now)
{
	return f->hunted && f->track.turn_start && !f->leave && f->last.kind == GLANCE_RUNNING &&
	       (f->unmet || now > f->track.turn_start + t->config.gate / 2) && now > f->hunt_after;
}

/* One at a time: who is traced is waited for. */
static struct followed *find_suspect(struct ticker *t, nsec now)
{
	struct followed *suspect = NULL;

	for (size_t i = 0; i < t->n; i++) {
		struct followed *f = t->followed[i];

		if (f->tracer.seized)
			return f;
		if (!suspect && is_suspect(t, f, now))
			suspect = f;
	}
	return suspect;
}

/* It is about to poll: if that does not sleep, the next turn begins at once. */
static void meet_poll(struct ticker *t, struct followed *f, const struct traced_call *call)
{
	struct cpu_time now;
	struct glance g = { .kind = GLANCE_CALL,
			    .number = call->number,
			    .sp = call->sp,
			    .pc = call->pc,
			    .at = call->at };

	for (size_t i = 0; i < 6; i++)
		g.args[i] = call->args[i];
	if (!ticker_see_glanced(t, f, &g))
		return;
	f->poll_pc = call->pc;
	f->met = *call;
	/* The rung may have seen it for itself by now. */
	if (t->ops->flush)
		t->ops->flush(t, f);
	if (!f->track.turn_start)
		return;
	/* It is stopped: the times are exact. */
	glancer_look_at_schedule(&f->glancer, &g);
	now = ticker_cpu_time(&g);
	ticker_doubt(t, f, call->at);
	ticker_begin_poll(t, f, call->at, &now);
	track_begin_turn(&f->track, call->at, &now);
	f->met_at = call->at;
	f->presumed = true;
}

/* It is stopped, and goes on traced: its polls are seen from now on. */
static void begin_watching(struct followed *f, nsec now)
{
	struct glance g = { 0 };

	if (f->watched_from > f->track.turn_start)
		return;
	glancer_look_at_schedule(&f->glancer, &g);
	f->watched_from = now;
	f->unseen = g.exec > f->track.base.exec ? g.exec - f->track.base.exec : 0;
}

/* Traces it up to its next poll, without the lock: nobody else touches the tracer. */
static int watch(struct ticker *t, struct followed *f, nsec until, struct traced_call *call)
{
	unsigned calls = CALLS;
	nsec start = ticker_now();
	int ret;

	pthread_mutex_unlock(&t->lock);
	ret = tracer_run_to_poll(&f->tracer, until, &calls, call);
	pthread_mutex_lock(&t->lock);
	ticker_note_delay(t);
	if (calls == 0 && f->track.turn_start && start > f->track.turn_start + t->config.threshold)
		f->hunt_after = ticker_now() + REST * (ticker_now() - start);
	return ret;
}

void proc_idle(struct ticker *t, nsec until)
{
	struct followed *f = find_suspect(t, ticker_now());
	struct traced_call call;
	nsec now = ticker_now();

	if (!f)
		return;
	until = until > now + PERIOD / 2 ? until : now + PERIOD / 2;
	if (!f->track.turn_start || f->leave || !f->hunted) {
		if (f->track.turn_start && !f->leave)
			t->ops->sample(t, f);
		tracer_let_go(&f->tracer, until);
		return;
	}
	/* Once it is traced, it stops at its next system call by itself. */
	if (f->last.kind == GLANCE_RUNNING && (!f->tracer.seized || !ticker_rests(t, now)) &&
	    tracer_stop(&f->tracer, until) < 0)
		return;
	now = ticker_now();
	if (f->tracer.stopped)
		begin_watching(f, now);
	if (f->tracer.stopped && now >= f->next_sample && !ticker_rests(t, now) &&
	    now > f->track.turn_start + t->config.gate)
		proc_take_sample(t, f, now);
	if (watch(t, f, until, &call) == 1)
		meet_poll(t, f, &call);
	if (f->tracer.stopped || f->hunt_after > now)
		tracer_let_go(&f->tracer, until);
}

static int proc_follow(struct ticker *t, struct followed *f, struct error *err)
{
	f->hunted = true;
	return 0;
}

static const struct ticker_ops ops = {
	.follow = proc_follow, .tick = proc_tick, .sample = proc_sample, .idle = proc_idle
};

static int proc_open(void **state, const struct probe_config *config, struct error *err)
{
	return ticker_open(state, config, &ops, NULL, err);
}

const struct probe probe_proc = {
	TICKER_PROBE,
	.name = "proc",
	.needs = "to be the target's user, or CAP_SYS_PTRACE",
	.traces = true,
	.error_bound = 5000000,
	.open = proc_open,
	.lag = ticker_lag,
	.losses = ticker_losses,
};
