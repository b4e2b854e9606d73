#include "sampler/place.h"

#include <stdlib.h>
#include <time.h>

#include "sampler/nested_poll.h"
#include "sampler/snapshot.h"

static nsec now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

/* The thread sleeps inside a turn since long: no probe will sample that sleep. */
static void begin_asleep(struct watch *w, struct watch_context *c, int syscall,
			 const struct raw_sample *raw)
{
	struct event e = { .kind = EVENT_SAMPLE, .pid = c->target->pid, .tid = w->tid };

	e.at = w->cut = now_ns();
	e.sample.asleep = true;
	e.sample.raw = *raw;
	c->probe->begin(c->probe_state, w->tid, e.at, syscall);
	watch_event(w, c, &e);
}

static void snapshot_watch(struct watch *w, struct watch_context *c,
			   const struct thread_state *state)
{
	struct snapshot *snapshot = xcalloc(1, sizeof(*snapshot));
	struct error err;

	if (snapshot_take(snapshot, w->tid, &err) < 0)
		recording_note(c->rec, "%s", err.msg);
	begin_asleep(w, c, state->syscall, &snapshot->raw);
	free(snapshot);
}

static const struct poll_syscall *poll_of(const struct thread_state *state)
{
	const struct poll_syscall *call =
		state->syscall >= 0 ? poll_syscall_find(state->syscall) : NULL;

	return call && (call->wait_argument < 0 || state->args[call->wait_argument]) ? call : NULL;
}

/* A loop made for one wait has a descriptor that is younger than that of the thread's own loop. */
static bool may_be_second(const struct target *t, const struct thread_state *state)
{
	for (int fd = 0; poll_of(state)->key_class && fd < (int)state->args[0]; fd++)
		if (target_fd_polls(t, fd))
			return true;
	return false;
}

static const struct stack *stack_of(struct watch_context *c, const struct snapshot *snapshot)
{
	struct sample sample = { 0 };

	stack_maker_make(c->stacks, &snapshot->raw, &sample);
	return recording_get_stack(c->rec, sample.stack);
}

/*
 * Does the thread, which sleeps in a poll, wait inside a turn?  Fills *snapshot
 * with what it does.  The first stack of a target takes a while, and the thread
 * may wake up meanwhile: *state is as it was last looked at.
 */
static bool polls_inside_turn(struct watch *w, struct watch_context *c, struct thread_state *state,
			      struct snapshot *snapshot)
{
	const struct stack *stack = NULL;
	struct error ignored;

	for (int tries = 0; tries < 5 && poll_of(state); tries++) {
		snapshot_peek(snapshot, w->tid, state);
		stack = stack_of(c, snapshot);
		thread_look(c->target, w->tid, state);
		if (stack->end == STACK_COMPLETE)
			break;
	}
	/* Some builds of libuv cannot be unwound without more registers. */
	if (stack->end != STACK_COMPLETE && c->dump && poll_of(state) &&
	    may_be_second(c->target, state) && snapshot_take(snapshot, w->tid, &ignored) == 0)
		stack = stack_of(c, snapshot);
	return stack_polls_inside_turn(c->rec, stack);
}

static void choose_poll(struct watch *w, struct watch_context *c, const struct thread_state *state)
{
	uint64_t key_class = poll_of(state)->key_class;

	w->choice.key = key_class ? key_class | (uint32_t)state->args[0] : state->sp;
	w->choice.sp = state->sp;
	c->probe->choose(c->probe_state, w->tid, w->choice.key, state->syscall);
}

/* False unless the thread, which is in a poll, waits there inside a turn: it is taken for that. */
static bool place_inside_turn(struct watch *w, struct watch_context *c, struct thread_state *state)
{
	struct snapshot *snapshot = xcalloc(1, sizeof(*snapshot));
	uint64_t sp = state->sp;
	bool inside = polls_inside_turn(w, c, state, snapshot);

	if (inside) {
		poll_choice_nested(&w->choice, sp);
		c->probe->choose(c->probe_state, w->tid, w->choice.key, 0);
		begin_asleep(w, c, poll_of(state) ? state->syscall : -1, &snapshot->raw);
	}
	free(snapshot);
	return inside;
}

void place_watch(struct watch *w, struct watch_context *c)
{
	struct thread_state state;

	if (!thread_look(c->target, w->tid, &state))
		return;
	if (poll_of(&state) && place_inside_turn(w, c, &state))
		return;
	if (poll_of(&state)) {
		choose_poll(w, c, &state);
		return;
	}
	w->unsure = true;
	if (state.state == 'R' || state.state == 'D') {
		c->probe->begin(c->probe_state, w->tid, now_ns(), -1);
		watch_look(w, c);
		w->cut = w->look.turn_start;
	} else if (c->dump && state.state == 'S') {
		snapshot_watch(w, c, &state);
	}
}

void place_first_poll(struct watch *w, struct watch_context *c)
{
	struct thread_state state;

	if (!w->unsure || w->choice.key == 0)
		return;
	w->unsure = false;
	if (thread_look(c->target, w->tid, &state) && poll_of(&state))
		place_inside_turn(w, c, &state);
}
