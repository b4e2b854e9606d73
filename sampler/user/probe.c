#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>

#include "sampler/bpf/decode.h"
#include "sampler/mend.h"
#include "sampler/proc/proc.h"
#include "sampler/user/events.h"

/*
 * The rung `user`: what perf_event_open(2) lets an ordinary user see.  Context
 * switches tell when a sleeping poll is over, a breakpoint on the poll's
 * system call instruction tells when the next begins.  It fires once and is
 * armed again by the next tick, so that its cost is bounded by the second and not
 * by the turn; what happens before that is known to the millisecond.
 */
static const nsec DOUBT_EVERY = 200000000, DOUBT_FOR = 4000000;
static const nsec SILENCE = 5000000; /* without a sample of the clock's: it is in the kernel */
enum { LATE = 5 };                   /* thresholds after which a turn is doubted */

struct user_seen {
	struct user_events events;
	nsec out;         /* when it last left its CPU; 0: it is on one */
	bool preempted;   /* and why */
	nsec newest;      /* of the records so far */
	nsec exec_at;     /* when it last ran another program */
	bool broken;      /* no breakpoint can be set */
	struct ticker *t; /* while draining */
	struct followed *f;
	char path[PATH_MAX];
};

static int explain(struct error *err)
{
	struct surroundings here;

	if (err->code != -ENOSYS && err->code != -EACCES && err->code != -EPERM)
		return err->code;
	surroundings_read(&here);
	mend_perf(&here, err);
	return err->code;
}

static int user_follow(struct ticker *t, struct followed *f, struct error *err)
{
	struct user_seen *seen = xcalloc(1, sizeof(*seen));
	int ret = user_events_open(&seen->events, f->tid, &t->config, err);

	if (ret < 0) {
		free(seen);
		return explain(err);
	}
	seen->t = t;
	seen->f = f;
	t->tells_of_execs = true;
	f->track.off_known = true;
	f->own = seen;
	return 0;
}

static void user_unfollow(struct ticker *t, struct followed *f)
{
	struct user_seen *seen = f->own;

	t->retired_lost += perf_ring_lost(&seen->events.clock);
	user_events_close(&seen->events);
	free(seen);
	f->own = NULL;
}

static void user_chosen(struct ticker *t, struct followed *f)
{
	struct user_seen *seen = f->own;

	user_events_disarm(&seen->events);
	f->poll_pc = 0;
	seen->broken = false;
}

static void begin_turn(struct followed *f, nsec at)
{
	struct cpu_time base = ticker_cpu_time(&f->last);

	track_begin_turn(&f->track, at, &base);
}

static void begin_poll(struct ticker *t, struct followed *f, nsec at, const struct glance *g)
{
	struct cpu_time now = ticker_cpu_time(g);

	ticker_begin_poll(t, f, at, &now);
}

static uint64_t key_of(const struct user_record *r)
{
	const struct poll_syscall *call = poll_syscall_find((int)r->number);

	if (!call || (call->wait_argument == 2 && !(uint32_t)r->wait))
		return 0;
	return call->key_class ? call->key_class | (uint32_t)r->argument : r->sp;
}

static void handle_in(struct followed *f, struct user_seen *seen, nsec at)
{
	nsec out = seen->out, length = at > out ? at - out : 0;

	seen->out = 0;
	if (!out)
		return;
	if (f->track.turn_start && out >= f->track.turn_start) {
		f->track.off += length;
		f->track.preempted += seen->preempted ? length : 0;
	} else if (f->track.poll_start && out >= f->track.poll_start && !seen->preempted) {
		begin_turn(f, at);
	}
}

static void handle_switch(void *arg, const struct perf_event_header *h)
{
	struct user_seen *seen = arg;
	struct followed *f = seen->f;
	struct poll_seen poll;
	struct user_record r;

	if (!user_events_decode(h, &r))
		return;
	/* The clock of records may step back a little: their order is what counts. */
	if (seen->newest < r.at)
		seen->newest = r.at;
	switch (r.kind) {
	case USER_IN:
		handle_in(f, seen, r.at);
		break;
	case USER_OUT:
	case USER_PREEMPTED:
		seen->out = r.at;
		seen->preempted = r.kind == USER_PREEMPTED;
		break;
	case USER_EXEC:
		seen->exec_at = r.at;
		ticker_push(seen->t, f, &(struct event){ .kind = EVENT_EXEC, .at = r.at });
		break;
	case USER_TRAP:
		user_events_disarm(&seen->events);
		poll = (struct poll_seen){ .key = key_of(&r), .sp = r.sp, .at = r.at };
		if (!ticker_see_poll(seen->t, f, &poll))
			break;
		ticker_doubt(seen->t, f, r.at);
		begin_poll(seen->t, f, r.at, &f->last);
		f->met_at = r.at;
		break;
	}
}

static void handle_sample(void *arg, const struct perf_event_header *h)
{
	struct user_seen *seen = arg;
	struct followed *f = seen->f;
	struct event e;

	if (!decode_perf_record(h, &e, seen->path) || e.kind != EVENT_SAMPLE ||
	    !e.sample.raw.regs.valid)
		return;
	/* An exec before it has its record by now.  What came before that cannot be read any more.
	 */
	perf_ring_drain(&seen->events.switches, handle_switch, seen);
	if (e.at < seen->exec_at)
		return;
	ticker_push_sample(seen->t, f, e.at, &e.sample.raw, false);
	f->next_sample = e.at + SILENCE;
}

/* What is lost leaves the turn in hand unknown. */
static void count_lost(struct ticker *t, struct followed *f)
{
	struct user_seen *seen = f->own;
	uint64_t lost = perf_ring_lost(&seen->events.switches);

	if (lost == seen->events.lost_known)
		return;
	seen->events.lost_known = lost;
	t->losses.turns++;
	track_lose(&f->track);
	seen->out = 0;
}

/* Asleep in the loop's poll. */
static void meet_poll(struct ticker *t, struct followed *f, const struct glance *g)
{
	struct user_seen *seen = f->own;

	f->poll_pc = g->pc;
	if (f->track.turn_start && f->presumed) {
		f->track.poll_start = f->track.turn_start;
		f->track.turn_start = 0;
	} else if (!f->track.poll_start) {
		/* The breakpoint was not armed: it slept from its last switch on. */
		begin_poll(t, f, seen->out > f->track.turn_start ? seen->out : g->at, g);
	}
	f->presumed = false;
	/* It fell asleep before there were records of that, or before it was told to be in its
	 * poll. */
	if (seen->out < f->track.poll_start) {
		seen->out = f->track.poll_start;
		seen->preempted = false;
	}
}

/* Awake, or asleep elsewhere: then its poll returned without a sleep. */
static void meet_turn(struct followed *f, const struct glance *g)
{
	struct user_seen *seen = f->own;
	nsec poll = f->track.poll_start;
	bool sleeps = seen->out >= poll && seen->out && !seen->preempted;

	if (poll && g->at > poll && (!sleeps || g->kind != GLANCE_RUNNING))
		begin_turn(f, poll);
}

static void arm(struct followed *f)
{
	struct user_seen *seen = f->own;
	struct error err;

	if (!f->poll_pc || seen->broken)
		return;
	if (seen->events.trap < 0) {
		f->watched_from = ticker_now();
		f->unseen = f->watched_from > f->met_at + f->track.off
				    ? f->watched_from - f->met_at - f->track.off
				    : 0;
	}
	seen->broken = user_events_arm(&seen->events, f->tid, f->poll_pc - 2, &err) < 0;
}

static void switch_clock(struct ticker *t, struct followed *f, nsec now)
{
	struct user_seen *seen = f->own;
	bool on = f->track.turn_start && now > f->track.turn_start + t->config.gate;

	if (on && !seen->events.sampling)
		f->next_sample = now + SILENCE;
	user_events_sample(&seen->events, on);
}

/*
 * A turn that lasts very long: perhaps the loop polls by another instruction now
 * (libc has two, for one thread and for many).  Looked into for a moment, now and
 * then.
 */
static bool is_doubtful(const struct ticker *t, const struct followed *f, nsec now)
{
	nsec age = f->track.turn_start ? now - f->track.turn_start : 0;

	return age > LATE * t->config.threshold && age % DOUBT_EVERY < DOUBT_FOR;
}

static void user_flush(struct ticker *t, struct followed *f)
{
	struct user_seen *seen = f->own;

	perf_ring_drain(&seen->events.switches, handle_switch, seen);
	perf_ring_drain(&seen->events.clock, handle_sample, seen);
	count_lost(t, f);
}

static void user_tick(struct ticker *t, struct followed *f, const struct glance *g)
{
	struct user_seen *seen = f->own;
	uint64_t key = glance_poll_key(g);
	bool polls;

	user_flush(t, f);
	polls = key && (track_matches(&f->track, key) ||
			(f->track.key == 0 && ticker_see_glanced(t, f, g)));
	/* What happened since the glance is newer than what it saw. */
	if (seen->newest <= g->at) {
		if (polls)
			meet_poll(t, f, g);
		else
			meet_turn(f, g);
	}
	arm(f);
	switch_clock(t, f, g->at);
	/* Where the poll is not known, or no breakpoint tells of it, tracing does. */
	f->hunted = !f->poll_pc || seen->broken || is_doubtful(t, f, g->at);
	f->unmet = !f->poll_pc && t->config.gate_fd < 0;
}

static const struct ticker_ops ops = {
	.follow = user_follow,
	.unfollow = user_unfollow,
	.chosen = user_chosen,
	.flush = user_flush,
	.tick = user_tick,
	.sample = proc_sample,
	.idle = proc_idle,
};

static int user_open(void **state, const struct probe_config *config, struct error *err)
{
	struct user_events events;
	int ret = user_events_open(&events, config->pid, config, err);

	if (ret < 0)
		return explain(err);
	user_events_close(&events);
	return ticker_open(state, config, &ops, NULL, err);
}

static void user_losses(void *state, struct probe_losses *out)
{
	struct ticker *t = state;

	ticker_losses(state, out);
	pthread_mutex_lock(&t->lock);
	out->lost += t->retired_lost;
	for (size_t i = 0; i < t->n; i++)
		if (t->followed[i]->own)
			out->lost += perf_ring_lost(
				&((struct user_seen *)t->followed[i]->own)->events.clock);
	pthread_mutex_unlock(&t->lock);
}

const struct probe probe_user = {
	TICKER_PROBE,
	.name = "user",
	.needs = "to be the target's user, and kernel.perf_event_paranoid <= 2",
	.error_bound = 2000000,
	.open = user_open,
	.lag = ticker_lag,
	.losses = user_losses,
};
