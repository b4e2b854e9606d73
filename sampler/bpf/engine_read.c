#include "sampler/bpf/engine_read.h"

#include <string.h>

#include "sampler/bpf/decode.h"

/*
 * Has the turn lasted for so long unhooked that it may be several?  Where the loop
 * had slept it has little to do, and is taken for one; a loop that does not sleep
 * may have turned a thousand times.
 */
static bool is_unknown(const struct engine *x, const struct news_turn *turn)
{
	return turn->entered && !turn->hooked_since &&
	       turn->end - turn->start > turn->off + x->config.gate;
}

/* The turn may have begun that much earlier or later. */
static void note_doubt(struct engine *x, nsec earlier, nsec later)
{
	nsec doubt = earlier > later ? earlier : later;

	x->doubt = doubt > x->doubt ? doubt : x->doubt;
}

/* Takes a turn of which not all is known: true. */
static bool take_turn(struct engine *x, const struct news_turn *turn)
{
	nsec least = x->config.threshold;
	struct event e;

	if (is_unknown(x, turn)) {
		x->unknown++;
		return true;
	}
	if (turn->sure_since <= turn->start) {
		if (turn->entered && !turn->hooked_since)
			note_doubt(x, turn->end - turn->start - turn->off, 0);
		return false;
	}
	decode_bpf_record(turn, sizeof(*turn), x->config.pid, &e);
	e.turn.start = turn->sure_since;
	if (e.turn.end - e.turn.start < least) {
		/* A guess, and it may have lasted for all that time; or nothing is known of before.
		 */
		if (turn->sure_since == turn->hooked_since) {
			x->unknown++;
			return true;
		}
		e.turn.start = e.turn.end - least;
	}
	note_doubt(x, turn->sure_since - turn->start, turn->hooked_since - turn->sure_since);
	x->handle(x->arg, &e);
	return true;
}

static void handle_bpf(void *arg, const void *record, size_t len)
{
	struct engine *x = arg;
	const struct news_turn *turn = record; /* all begin with their type */
	struct event e;

	if (len >= sizeof(*turn) && turn->type == NEWS_TURN && take_turn(x, turn))
		return;
	if (decode_bpf_record(record, len, x->config.pid, &e))
		x->handle(x->arg, &e);
}

static bool is_wanted(const struct engine *x, pid_t pid)
{
	if (pid == x->config.pid)
		return true;
	for (size_t i = 0; i < x->n_children; i++)
		if (x->children[i] == pid)
			return true;
	return false;
}

static void handle_perf(void *arg, const struct perf_event_header *record)
{
	struct engine *x = arg;
	struct event e;

	if (!decode_perf_record(record, &e, x->path) || !is_wanted(x, e.pid))
		return;
	x->handle(x->arg, &e);
}

static void refill(const struct engine *x, struct loop_slot *slot)
{
	uint64_t calls = x->config.strict ? ENGINE_CALLS : 0;

	/* Only where it changes something: the CPU of the loop would have to fetch the line again.
	 */
	if (slot->reports_left != ENGINE_REPORTS)
		slot->reports_left = ENGINE_REPORTS;
	if (slot->calls_left != calls)
		slot->calls_left = calls;
}

/* Boundaries first: they decide what becomes of the samples. */
void engine_drain(void *state, void (*handle)(void *arg, const struct event *e), void *arg)
{
	struct engine *x = state;

	x->handle = handle;
	x->arg = arg;
	bpf_ring_drain(&x->ring, handle_bpf, x);
	for (size_t i = 0; i < x->n_cpus; i++)
		perf_ring_drain(&x->sides[i], handle_perf, x);
	bpf_ring_drain(&x->stacks, handle_bpf, x);
	for (size_t i = 0; i < x->n_cpus; i++)
		perf_ring_drain(&x->clocks[i], handle_perf, x);
	for (size_t i = 0; i < x->n_followed; i++)
		refill(x, &x->slots[x->followed[i].slot].slot);
}

static struct sleep sleep_now(const struct loop_slot *slot)
{
	uint32_t state = slot->off_state;
	struct sleep sleep = { .from = __atomic_load_n(&slot->off_since, __ATOMIC_ACQUIRE),
			       .syscall = (int)slot->off_syscall,
			       .args = { slot->off_args[0], slot->off_args[1], slot->off_args[2] },
			       .sampled = slot->sampled };

	sleep.state = state == OFF_BLOCKED   ? SAMPLE_BLOCKED
		      : state == OFF_STOPPED ? SAMPLE_STOPPED
					     : SAMPLE_RUNNABLE;
	return sleep;
}

bool engine_look(void *state, pid_t tid, struct loop_look *out)
{
	struct loop_slot *slot = engine_slot(state, tid);

	if (!slot)
		return false;
	/* The thread may run on: take it again until a turn did not change meanwhile. */
	for (int tries = 0; tries < 4; tries++) {
		out->turn_start = __atomic_load_n(&slot->turn_start, __ATOMIC_ACQUIRE);
		out->poll_start = slot->poll_start;
		out->off = slot->off_time;
		out->stopped = slot->stopped_time;
		out->sleep = out->turn_start ? sleep_now(slot) : (struct sleep){ 0 };
		out->turns = slot->turns;
		out->busy = slot->busy;
		out->polled = slot->polled;
		out->key = slot->key;
		out->delay_base = slot->delay_valid ? slot->delay_base : 0;
		if (__atomic_load_n(&slot->turn_start, __ATOMIC_ACQUIRE) == out->turn_start)
			break;
	}
	if (out->turn_start && out->turn_start < slot->sure_since)
		out->turn_start = slot->sure_since;
	return true;
}

bool engine_lag(void *state, pid_t tid, struct hist *out)
{
	struct engine *x = state;
	struct followed *f = engine_find(x, tid);

	if (!f)
		return false;
	hist_init(out);
	out->sum = x->slots[f->slot].slot.busy - x->slots[f->slot].slot.vague;
	out->min = x->slots[f->slot].slot.min;
	out->max = x->slots[f->slot].slot.max;
	memcpy(out->count, x->hists->count[f->slot], sizeof(out->count));
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		out->n += out->count[i];
	return true;
}

void engine_losses(void *state, struct probe_losses *out)
{
	struct engine *x = state;

	*out = x->retired;
	out->turns += x->unknown;
	for (size_t i = 0; i < x->n_followed; i++) {
		const struct loop_slot *slot = &x->slots[x->followed[i].slot].slot;

		out->made += slot->made_clock + slot->made_sleep;
		out->turns += slot->lost_turns;
		out->lost += slot->lost_sleep;
		out->calls += slot->calls_missed;
	}
	for (size_t i = 0; i < x->n_cpus; i++)
		out->lost += perf_ring_lost(&x->clocks[i]);
}

static nsec light_error(const struct engine *x)
{
	return x->doubt > probe_light.error_bound ? x->doubt : probe_light.error_bound;
}

void engine_overhead(void *state, struct probe_overhead *out)
{
	struct engine *x = state;

	*out = (struct probe_overhead){
		.rung = x->was_light ? probe_light.name : probe_exact.name,
		.steps = x->steps,
		.error_bound = x->was_light ? light_error(x) : probe_exact.error_bound,
		.cpu = x->overhead,
	};
}
