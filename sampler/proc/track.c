#include "sampler/proc/track.h"

static const nsec CLOCK_TICK = 4000000; /* at 250 Hz */

void track_init(struct track *t)
{
	*t = (struct track){ 0 };
	hist_init(&t->lag);
}

bool track_matches(const struct track *t, uint64_t key)
{
	return t->key == key || (t->key == POLL_KEY_ANY_POLL && key && POLL_KEY_CLASS(key) == 0);
}

void track_begin_turn(struct track *t, nsec at, const struct cpu_time *base)
{
	if (t->poll_start && at > t->poll_start)
		t->polled += at - t->poll_start;
	t->poll_start = 0;
	t->turn_start = at;
	t->base = *base;
	t->off = t->preempted = 0;
	t->slept = t->stopped = t->held = 0;
	t->sleep.from = 0;
}

static nsec grown(nsec from, nsec to)
{
	return to > from ? to - from : 0;
}

static nsec min_ns(nsec a, nsec b)
{
	return a < b ? a : b;
}

/*
 * The time on a CPU is the better witness, but it is exact only where both ends
 * of the turn found the thread off it; else it is up to a clock tick old, and
 * bounds what the waits that were seen add up to.
 */
static nsec time_off(const struct track *t, nsec length, const struct cpu_time *now)
{
	nsec off = length - min_ns(grown(t->base.exec, now->exec), length);
	nsec waited = min_ns(grown(t->base.delay, now->delay) + t->slept, length);

	if (t->off_known)
		return min_ns(t->off, length);
	if (t->base.exact && now->exact)
		return off;
	if (waited + CLOCK_TICK < off)
		return off - CLOCK_TICK;
	return min_ns(waited, off + CLOCK_TICK);
}

/* What is left of the time off the CPU when all that was seen is taken from it. */
static nsec unexplained(const struct track *t, const struct turn *turn)
{
	nsec seen = turn->delay + (t->slept > turn->stopped ? t->slept : turn->stopped);

	return grown(seen, turn->off);
}

bool track_begin_poll(struct track *t, nsec at, const struct cpu_time *now, struct turn *turn)
{
	nsec start = t->turn_start, length;

	t->sleep.from = 0;
	t->turn_start = 0;
	/* One poll after the other: the turn between them was missed, and short. */
	if (t->poll_start && at > t->poll_start)
		t->polled += at - t->poll_start;
	t->poll_start = at;
	if (start == 0)
		return false;
	length = at > start ? at - start : 0;
	turn->start = start;
	turn->end = start + length;
	turn->off = time_off(t, length, now);
	turn->stopped = min_ns(t->stopped, turn->off);
	turn->delay = grown(t->base.delay, now->delay);
	if (t->off_known && turn->delay < t->preempted)
		turn->delay = t->preempted;
	turn->delay = min_ns(turn->delay, turn->off - turn->stopped);
	turn->delay += min_ns(t->held, unexplained(t, turn));
	track_count(t, 1, length);
	return true;
}

void track_hold(struct track *t, nsec late)
{
	t->held += late;
}

void track_shorten(struct track *t, nsec at, nsec ran)
{
	nsec off = grown(t->turn_start + ran, at);

	t->off = grown(off, t->off);
	t->preempted = min_ns(t->preempted, t->off);
	t->base.exec += ran;
	t->turn_start = at;
}

void track_count(struct track *t, uint64_t n, nsec busy)
{
	if (n == 0)
		return;
	t->turns += n;
	t->busy += busy;
	for (uint64_t i = 0; i < n && i < 1000; i++)
		hist_add(&t->lag, busy / n);
}

void track_lose(struct track *t)
{
	t->turn_start = t->poll_start = 0;
	t->sleep.from = 0;
}

void track_begin_sleep(struct track *t, const struct sleep *sleep)
{
	t->sleep = *sleep;
	if (t->sleep.from < t->turn_start)
		t->sleep.from = t->turn_start;
}

bool track_end_sleep(struct track *t, nsec at, struct sleep *sleep)
{
	if (t->sleep.from == 0)
		return false;
	*sleep = t->sleep;
	sleep->to = at > sleep->from ? at : sleep->from;
	t->sleep.from = 0;
	t->slept += sleep->to - sleep->from;
	if (sleep->state == SAMPLE_STOPPED)
		t->stopped += sleep->to - sleep->from;
	return true;
}

void track_look(const struct track *t, nsec delay, struct loop_look *out)
{
	*out = (struct loop_look){ .turn_start = t->turn_start,
				   .poll_start = t->poll_start,
				   .turns = t->turns,
				   .busy = t->busy,
				   .polled = t->polled,
				   .key = t->key };
	if (!t->turn_start)
		return;
	out->off = t->slept + grown(t->base.delay, delay);
	/* The end of a sleep may be seen before the switch that ended it. */
	if (t->off_known && (t->off > t->slept || t->slept == 0))
		out->off = t->off;
	out->stopped = t->stopped;
	out->sleep = t->sleep;
	out->delay_base = t->base.delay;
}
