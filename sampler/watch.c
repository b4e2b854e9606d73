#include "sampler/watch.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sampler/loop_kind.h"
#include "sampler/strict_call.h"

enum { MAX_HELD = 128 };
static const nsec SLICE = 200000000;     /* an open stall is settled at this age, and this often */
static const nsec DUMP_SLICE = 20000000; /* the same of a dump, which has no time */
static const nsec TELL = 1000000000;     /* and told of this often */

/* The registers and bytes of a sleep whose turn may still turn out to be short. */
struct held_stack {
	nsec at;
	struct raw_sample raw;
	void *bytes; /* raw.stack and raw.kernel point into it */
};

/* ns the thread has waited for a CPU since it exists, 0 if unknown. */
static nsec run_delay(const struct target *t, pid_t tid)
{
	nsec ran, waited;

	return thread_schedstat(t, tid, &ran, &waited) ? waited : 0;
}

void watch_init(struct watch *w, const struct target *target, pid_t tid)
{
	*w = (struct watch){ .tid = tid, .loop = UINT32_MAX, .waited = run_delay(target, tid) };
}

static void drop_held(struct watch *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(w->held[i].bytes);
	w->n_held -= n;
	if (n && w->n_held)
		memmove(w->held, w->held + n, w->n_held * sizeof(*w->held));
}

void watch_destroy(struct watch *w)
{
	drop_held(w, w->n_held);
	free(w->held);
	free(w->ended);
	turns_destroy(&w->turns);
}

void watch_look(struct watch *w, struct watch_context *c)
{
	if (!c->probe->look(c->probe_state, w->tid, &w->look))
		w->look = (struct loop_look){ 0 };
	held_up_look(&w->held_up, c->target, w->tid, &w->look);
}

static void hold(struct watch *w, const struct event *e)
{
	struct held_stack *h;

	if (w->n_held == MAX_HELD)
		drop_held(w, 1);
	ARRAY_GROW(w->held, w->n_held, w->cap_held);
	h = &w->held[w->n_held++];
	h->at = e->at;
	h->raw = e->sample.raw;
	h->bytes = raw_sample_copy(&h->raw);
}

/* While the request is still in memory. */
static void see_request(struct watch *w, struct watch_context *c, const struct raw_sample *raw,
			nsec at)
{
	struct request request;
	bool found;

	if (!in_hand_due(&w->in_hand))
		return;
	found = stack_maker_request(c->stacks, raw, c->show_queries, &request);
	in_hand_add(&w->in_hand, c->target, c->rec, at, found ? &request : NULL);
}

/* The sleep that began at `at` still lasts. */
static bool sleeps_on(const struct watch *w, const struct watch_context *c, nsec at)
{
	struct loop_look look;

	return c->probe->look(c->probe_state, w->tid, &look) && look.sleep.from == at;
}

static void make_stack(struct watch *w, struct watch_context *c, const struct raw_sample *raw,
		       nsec at, bool asleep)
{
	struct sample s = { .at = at,
			    .state = asleep ? SAMPLE_BLOCKED : SAMPLE_RUNNING,
			    .syscall = -1 };

	stack_maker_make(c->stacks, raw, &s);
	if (asleep && stack_maker_path_in_doubt(c->stacks) && sleeps_on(w, c, at))
		stack_maker_believe_path(c->stacks, &s);
	if (asleep)
		w->last_sleep = s;
	turns_sample(&w->turns, &s);
	see_request(w, c, raw, at);
}

/* Makes the held stacks that lie in [from, to). */
static void make_held(struct watch *w, struct watch_context *c, nsec from, nsec to)
{
	size_t i = 0;

	for (; i < w->n_held && w->held[i].at < to; i++)
		if (w->held[i].at >= from)
			make_stack(w, c, &w->held[i].raw, w->held[i].at, true);
	drop_held(w, i);
}

static void feed_choice(struct watch *w, struct watch_context *c, const struct event *e)
{
	struct poll_seen poll = {
		.key = e->poll.key, .sp = e->poll.sp, .ip = e->poll.ip, .at = e->at
	};
	bool alive = POLL_KEY_CLASS(w->choice.key) == 0 ||
		     target_fd_polls(c->target, POLL_KEY_FD(w->choice.key));

	if (!poll_choice_feed(&w->choice, &poll, w->look.turns, alive))
		return;
	/* The probe takes the first one by itself. */
	if (w->choice.key != w->look.key && w->look.key != 0)
		c->probe->choose(c->probe_state, w->tid, w->choice.key, 0);
}

/* The recording's loop of this thread, made when it first polls or stalls. */
static struct loop *loop_of(struct watch *w, struct watch_context *c)
{
	struct thread_state state;
	struct loop *loop;

	if (w->loop != UINT32_MAX)
		return c->rec->loops[w->loop];
	w->loop = (uint32_t)c->rec->n_loops;
	loop = recording_add_loop(c->rec);
	loop->pid = c->target->pid;
	loop->tid = w->tid;
	loop->kind = loop_kind_of(w->look.key, c->space);
	if (thread_look(c->target, w->tid, &state))
		loop->name = recording_intern(c->rec, state.name);
	return loop;
}

static enum phase phase_at(const struct watch_context *c, nsec at)
{
	return at >= c->serving_since ? PHASE_SERVING : PHASE_STARTUP;
}

/* What is known of a call's file, host or command; the probe tells of no other argument. */
static void name_call(struct strict_call *call, const struct sample *s)
{
	static const enum argument_key keys[] = { ARG_HOST, ARG_COMMAND, ARG_PATH };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && !call->text; i++) {
		const struct argument *a = sample_argument(s, keys[i]);

		if (a && a->text) {
			call->key = keys[i];
			call->text = a->text;
		}
	}
}

/* A call that blocks; before it serves, a process may make any. */
static void make_call(struct watch *w, struct watch_context *c, const struct event *e)
{
	nsec at = e->at > c->base ? e->at - c->base : 0;
	struct strict_call call = { .syscall = (int16_t)e->sample.syscall,
				    .count = 1,
				    .first = at };
	struct sample s = { .at = e->at };

	if (phase_at(c, at) != PHASE_SERVING || w->look.key == 0 ||
	    !strict_call_counts(e->sample.syscall, &e->sample.raw.regs))
		return;
	loop_of(w, c);
	stack_maker_make(c->stacks, &e->sample.raw, &s);
	call.loop = w->loop;
	call.stack = s.stack;
	name_call(&call, &s);
	recording_add_call(c->rec, &call);
}

void watch_event(struct watch *w, struct watch_context *c, const struct event *e)
{
	switch (e->kind) {
	case EVENT_TURN:
		ARRAY_GROW(w->ended, w->n_ended, w->cap_ended);
		w->ended[w->n_ended++] = e->turn;
		break;
	case EVENT_SLEEP:
		turns_sleep(&w->turns, &e->sleep);
		break;
	case EVENT_SAMPLE:
		/* A stack taken past the gate is very likely wanted, and is read best at once. */
		if (!e->sample.asleep ||
		    (w->look.turn_start && e->at > w->look.turn_start + c->gate))
			make_stack(w, c, &e->sample.raw, e->at, e->sample.asleep);
		else
			hold(w, e);
		break;
	case EVENT_CALL:
		make_call(w, c, e);
		break;
	case EVENT_POLL:
		feed_choice(w, c, e);
		break;
	default:
		break;
	}
}

static struct stall *open_stall(struct watch *w, struct watch_context *c, nsec start)
{
	struct stall *stall;

	loop_of(w, c);
	stall = recording_add_stall(c->rec);
	stall->loop = w->loop;
	stall->start = start > c->base ? start - c->base : 0;
	stall->phase = phase_at(c, stall->start);
	stall->open = true;
	stall->cut = w->cut && start == w->cut;
	w->stall = stall->id;
	w->settled = (struct turn){ .start = start, .end = start };
	w->told = start;
	return stall;
}

/* The open stall is of the turn that began at `start`: when it did may be known better by now. */
static bool is_settled(const struct watch *w, nsec start)
{
	return w->settled.start && start >= w->settled.start &&
	       (start == w->settled.start || start < w->settled.end);
}

/* A sleep that lasts across slices has its one stack in the first: each later slice gets a copy. */
static void continue_sleep(struct watch *w, const struct turn *slice)
{
	struct sample s = w->last_sleep;

	for (size_t i = 0; s.at && i < w->turns.n_sleeps; i++) {
		const struct sleep *sleep = &w->turns.sleeps[i];

		if (sleep->from <= s.at && s.at < slice->start && sleep->to > slice->start) {
			s.at = slice->start;
			s.n_arguments = 0;
			turns_sample(&w->turns, &s);
			return;
		}
	}
}

/* What of its wait for a CPU in the slice is the doing of a quota. */
static void settle_throttled(const struct watch_context *c, const struct turn *slice, nsec runnable,
			     struct stall *stall)
{
	nsec throttled = host_watch_throttled(c->host, slice->start, slice->end);

	stall->throttled += throttled < runnable ? throttled : runnable;
}

/* What of its sleeps in the turn so far others spent waiting for a CPU. */
static void settle_held_up(struct watch *w, const struct watch_context *c, nsec turn,
			   struct stall *stall)
{
	nsec time = held_up_time(&w->held_up, c->target, w->tid, turn);

	stall->held_up = time < stall->blocked ? time : stall->blocked;
}

/* What the system call tells goes with what runtimes told, who know it better. */
static void add_sample(struct watch *w, struct watch_context *c, struct sample *s, nsec seen_to)
{
	const struct sleep *sleep = s->syscall < 0 ? NULL : turns_sleep_of(&w->turns, s);
	struct argument told[SYSCALL_ARGS_MAX];
	size_t n = sleep ? syscall_args_of(c->calls, sleep, told) : 0;
	struct argument *all = xcalloc(s->n_arguments + n + 1, sizeof(*all));
	uint16_t n_all = s->n_arguments;

	if (s->n_arguments)
		memcpy(all, s->arguments, s->n_arguments * sizeof(*all));
	for (size_t i = 0; i < n; i++) {
		const struct argument *known = sample_argument(s, told[i].key);

		/* How long it sleeps is known once it woke up. */
		if (told[i].key == ARG_DURATION && sleep->to >= seen_to)
			continue;
		if (!known || !known->text)
			all[n_all++] = told[i];
	}
	s->arguments = all;
	s->n_arguments = n_all;
	s->at = s->at > c->base ? s->at - c->base : 0;
	recording_add_sample(c->rec, s);
	free(all);
}

/* Moves the part of `turn` that is not in the recording yet into it. */
static void settle_slice(struct watch *w, struct watch_context *c, const struct turn *turn)
{
	struct stall *stall = &c->rec->stalls[w->stall];
	struct turn slice = { .start = w->settled.end, .end = turn->end };
	struct stall before = *stall;
	size_t first, n;

	/* What an earlier slice took for blocked may have been a wait for a CPU. */
	slice.off = turn->off > w->settled.off ? turn->off - w->settled.off : 0;
	slice.stopped = turn->stopped > w->settled.stopped ? turn->stopped - w->settled.stopped : 0;
	slice.delay = turn->delay > w->settled.delay ? turn->delay - w->settled.delay : 0;
	continue_sleep(w, &slice);
	turns_settle(&w->turns, &slice, stall, &first, &n);
	settle_throttled(c, &slice, stall->runnable - before.runnable, stall);
	settle_held_up(w, c, turn->start, stall);
	for (size_t i = first; i < first + n; i++) {
		struct sample s = w->turns.samples[i];

		s.stall = w->stall;
		add_sample(w, c, &s, slice.end);
	}
	turns_forget(&w->turns, turn->end);
	in_hand_settle(&w->in_hand, turn, stall);
	/* Not what was asked for: what does not fit into this slice belongs to the next. */
	w->settled.start = turn->start;
	w->settled.end = turn->end;
	w->settled.stopped += stall->stopped - before.stopped;
	w->settled.delay += stall->runnable - before.runnable;
	w->settled.off += slice.end - slice.start - (stall->running - before.running);
}

/*
 * The open stall is of a turn that is no more, and whose end left no record: the
 * thread exited, or it is only sure since later when the turn in hand began.
 * What was seen of it stays.
 */
static void close_left(struct watch *w, struct watch_context *c)
{
	struct stall *stall = &c->rec->stalls[w->stall];

	if (!w->settled.start)
		return;
	w->settled.start = 0;
	stall->open = false;
	c->sink->stall(c->sink, c->rec, stall);
}

static void settle_ended(struct watch *w, struct watch_context *c, const struct turn *turn)
{
	if (turn->end - turn->start < c->threshold) /* what is left of it after an exec */
		return;
	make_held(w, c, turn->start, turn->end);
	if (!is_settled(w, turn->start)) {
		close_left(w, c);
		open_stall(w, c, turn->start);
	}
	settle_slice(w, c, turn);
	c->rec->stalls[w->stall].open = false;
	w->settled.start = 0;
	c->sink->stall(c->sink, c->rec, &c->rec->stalls[w->stall]);
}

/* The open turn as far as it is known now. */
static struct turn turn_now(const struct watch *w, const struct watch_context *c, nsec now)
{
	const struct loop_look *look = &w->look;
	struct turn turn = {
		.start = look->turn_start, .end = now, .off = look->off, .stopped = look->stopped
	};
	nsec asleep = look->sleep.from && now > look->sleep.from ? now - look->sleep.from : 0;
	nsec delay = look->delay_base ? run_delay(c->target, w->tid) : 0;

	turn.off += asleep;
	if (look->sleep.from && look->sleep.state == SAMPLE_STOPPED)
		turn.stopped += asleep;
	if (delay > look->delay_base)
		turn.delay = delay - look->delay_base;
	/* The scheduler counts a wait for a CPU when it is over. */
	if (look->sleep.from && look->sleep.state == SAMPLE_RUNNABLE)
		turn.delay += asleep;
	return turn;
}

/*
 * A thread that has not polled yet is perhaps no loop at all (a shell that
 * waits for its child): it stalls only while it computes.
 */
static bool may_stall(const struct watch *w, const struct watch_context *c, const struct turn *turn)
{
	nsec waited = turn->delay + turn->stopped;
	nsec blocked = turn->off > waited ? turn->off - waited : 0;

	if (w->is_loop || w->look.key != 0)
		return true;
	return !c->child && !w->trial && 2 * blocked < turn->end - turn->start;
}

/* Settles the open turn as it is now, with the sleep that may be under way. */
static void settle_up_to(struct watch *w, struct watch_context *c, const struct turn *turn)
{
	if (w->look.sleep.from) {
		w->look.sleep.to = turn->end;
		turns_sleep(&w->turns, &w->look.sleep);
	}
	settle_slice(w, c, turn);
}

static void settle_open(struct watch *w, struct watch_context *c, nsec now)
{
	struct turn turn = turn_now(w, c, now);
	nsec slice = c->dump ? DUMP_SLICE : SLICE;

	make_held(w, c, turn.start, now);
	/* Not earlier: the thread may be about to exit, which is no stall. */
	if (!may_stall(w, c, &turn) || now - turn.start < slice)
		return;
	if (!is_settled(w, turn.start))
		open_stall(w, c, turn.start);
	else if (now - w->settled.end < slice)
		return;
	settle_up_to(w, c, &turn);
	if (now - w->told < TELL)
		return;
	w->told = now;
	c->sink->stall(c->sink, c->rec, &c->rec->stalls[w->stall]);
}

void watch_cycle(struct watch *w, struct watch_context *c, nsec now)
{
	const struct loop_look *look = &w->look;
	bool stale = false;

	for (size_t i = 0; i < w->n_ended; i++) {
		settle_ended(w, c, &w->ended[i]);
		stale = stale || (look->turn_start && w->ended[i].end > look->turn_start);
	}
	w->n_ended = 0;
	/* The turn that was open when looked at is over: nothing is known of the next. */
	if (stale)
		return;
	/* Both are 0 where a probe cannot tell for the moment. */
	if (!is_settled(w, look->turn_start) && (look->turn_start || look->poll_start))
		close_left(w, c);
	if (!look->turn_start) {
		turns_forget(&w->turns, look->poll_start);
		in_hand_forget(&w->in_hand, look->poll_start);
		make_held(w, c, UINT64_MAX, look->poll_start);
		return;
	}
	turns_forget(&w->turns, look->turn_start);
	in_hand_forget(&w->in_hand, look->turn_start);
	make_held(w, c, UINT64_MAX, look->turn_start);
	if (now > look->turn_start + c->threshold)
		settle_open(w, c, now);
	else if (now > look->turn_start + c->gate)
		make_held(w, c, look->turn_start, now);
}

/* Settles the turn in hand as far as it went. */
static void settle_last(struct watch *w, struct watch_context *c, nsec now, bool over)
{
	struct turn turn = turn_now(w, c, now);

	if (turn.start == 0 || turn.end < turn.start + c->threshold || !may_stall(w, c, &turn))
		return;
	make_held(w, c, turn.start, now);
	if (!is_settled(w, turn.start))
		open_stall(w, c, turn.start);
	settle_up_to(w, c, &turn);
	c->rec->stalls[w->stall].open = !over;
	c->sink->stall(c->sink, c->rec, &c->rec->stalls[w->stall]);
}

void watch_reset(struct watch *w, struct watch_context *c, nsec now, bool over)
{
	settle_last(w, c, now, over);
	if (over && !is_settled(w, w->look.turn_start))
		close_left(w, c);
	w->settled.start = 0;
	w->choice = (struct poll_choice){ 0 };
	w->last_sleep.at = 0;
	w->look = (struct loop_look){ 0 };
	turns_forget(&w->turns, UINT64_MAX);
	in_hand_forget(&w->in_hand, UINT64_MAX);
	drop_held(w, w->n_held);
}

/* Time of the turn before `at` that was spent asleep, as far as sleeps were reported. */
static nsec slept_before(const struct watch *w, const struct turn *turn, nsec at)
{
	nsec sum = 0;

	for (size_t i = 0; i < w->turns.n_sleeps; i++) {
		const struct sleep *s = &w->turns.sleeps[i];

		if (s->from >= turn->start && s->to <= at)
			sum += s->to - s->from;
	}
	return sum;
}

bool watch_exec(struct watch *w, nsec at)
{
	bool polled = w->look.turn_start > at || w->look.poll_start > at;

	for (size_t i = 0; i < w->n_ended; i++) {
		struct turn *turn = &w->ended[i];
		nsec slept = slept_before(w, turn, at);

		if (turn->end <= at)
			continue;
		polled = true;
		if (turn->start >= at)
			continue;
		turn->off = turn->off > slept ? turn->off - slept : 0;
		turn->start = at;
	}
	if (polled)
		turns_forget(&w->turns, at);
	return polled;
}

/* A thread that has just ended cannot be asked any more. */
static void count_waited(struct watch *w, const struct watch_context *c, struct loop *loop)
{
	nsec waited = run_delay(c->target, w->tid);

	if (c->serving_since == UINT64_MAX && waited)
		w->waited = waited;
	if (waited > w->waited)
		loop->waited = waited - w->waited;
}

void watch_count(struct watch *w, struct watch_context *c)
{
	struct loop *loop;

	watch_look(w, c);
	/* Other threads than the main one poll for many reasons: those that only wait are no loops.
	 */
	if (w->loop == UINT32_MAX && !w->look.turns &&
	    (!w->look.polled || w->tid != c->target->pid))
		return;
	loop = loop_of(w, c);
	loop->kind = loop_kind_of(w->look.key, c->space);
	loop->turns = w->look.turns;
	loop->busy = w->look.busy;
	loop->polled = w->look.polled;
	count_waited(w, c, loop);
	c->probe->lag(c->probe_state, w->tid, &loop->lag);
}
