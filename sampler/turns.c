#include "sampler/turns.h"

#include <stdlib.h>
#include <string.h>

static void free_arguments(struct sample *s)
{
	free((void *)s->arguments);
}

void turns_sample(struct turns *t, const struct sample *s)
{
	struct sample *mine;

	if (t->n_samples >= TURNS_MAX_PENDING) {
		t->dropped++;
		return;
	}
	ARRAY_GROW(t->samples, t->n_samples, t->cap_samples);
	/* Stacks of sleeps may come late: keep the order of time. */
	for (mine = t->samples + t->n_samples++; mine > t->samples && mine[-1].at > s->at; mine--)
		mine[0] = mine[-1];
	*mine = *s;
	if (s->n_arguments) {
		struct argument *copy = xcalloc(s->n_arguments, sizeof(*copy));

		memcpy(copy, s->arguments, s->n_arguments * sizeof(*copy));
		mine->arguments = copy;
	} else {
		mine->arguments = NULL;
	}
}

void turns_sleep(struct turns *t, const struct sleep *s)
{
	if (t->n_sleeps >= TURNS_MAX_PENDING)
		return;
	ARRAY_GROW(t->sleeps, t->n_sleeps, t->cap_sleeps);
	t->sleeps[t->n_sleeps++] = *s;
}

const struct sleep *turns_sleep_of(const struct turns *t, const struct sample *s)
{
	const struct sleep *best = NULL;

	for (size_t i = 0; i < t->n_sleeps; i++) {
		if (t->sleeps[i].from > s->at)
			break;
		best = &t->sleeps[i];
	}
	/* Not seen to end: it was short, or its record was lost. */
	return best && (best->to == 0 || best->to >= s->at) ? best : NULL;
}

static nsec sleep_length(const struct sleep *sleep, const struct turn *turn)
{
	nsec to = sleep->to && sleep->to < turn->end ? sleep->to : turn->end;
	nsec from = sleep->from > turn->start ? sleep->from : turn->start;

	return to > from ? to - from : 0;
}

static void weigh_raw(struct turns *t, const struct turn *turn, struct sample *s)
{
	const struct sleep *sleep;

	s->weight = 1;
	if (s->state != SAMPLE_BLOCKED)
		return;
	sleep = turns_sleep_of(t, s);
	if (!sleep)
		return;
	s->weight = sleep_length(sleep, turn) + 1;
	s->syscall = (int16_t)sleep->syscall;
}

/* Scales the raw weights of one state so that they add up to total, to the nanosecond. */
static void scale(struct sample *samples, size_t n, enum sample_state state, nsec total)
{
	unsigned __int128 sum = 0, before = 0;
	nsec given = 0;

	for (size_t i = 0; i < n; i++)
		if (samples[i].state == state)
			sum += samples[i].weight;
	for (size_t i = 0; i < n; i++) {
		nsec upto;

		if (samples[i].state != state)
			continue;
		before += samples[i].weight;
		upto = (nsec)(before * total / sum);
		samples[i].weight = upto - given;
		given = upto;
	}
}

static nsec page_fault_time(const struct turns *t, const struct turn *slice)
{
	nsec sum = 0;

	for (size_t i = 0; i < t->n_sleeps; i++)
		if (t->sleeps[i].state == SAMPLE_BLOCKED && t->sleeps[i].syscall == -1)
			sum += sleep_length(&t->sleeps[i], slice);
	return sum;
}

static nsec min_ns(nsec a, nsec b)
{
	return a < b ? a : b;
}

void turns_settle(struct turns *t, const struct turn *slice, struct stall *stall, size_t *first,
		  size_t *n)
{
	nsec length = slice->end - slice->start;
	nsec off = min_ns(slice->off, length);
	nsec stopped = min_ns(slice->stopped, off);
	nsec runnable = min_ns(slice->delay, off - stopped);
	nsec blocked = off - stopped - runnable;
	size_t from = 0, to;

	while (from < t->n_samples && t->samples[from].at < slice->start)
		from++;
	for (to = from; to < t->n_samples && t->samples[to].at < slice->end; to++)
		weigh_raw(t, slice, &t->samples[to]);
	*first = from;
	*n = to - from;
	scale(t->samples + from, *n, SAMPLE_RUNNING, length - off);
	scale(t->samples + from, *n, SAMPLE_BLOCKED, blocked);
	scale(t->samples + from, *n, SAMPLE_STOPPED, stopped);
	stall->duration += length;
	stall->running += length - off;
	stall->runnable += runnable;
	stall->blocked += blocked;
	stall->stopped += stopped;
	stall->page_fault += min_ns(page_fault_time(t, slice), blocked);
	stall->samples += (uint32_t)*n;
}

void turns_forget(struct turns *t, nsec at)
{
	size_t samples = 0, sleeps = 0;

	while (samples < t->n_samples && t->samples[samples].at < at)
		free_arguments(&t->samples[samples++]);
	while (sleeps < t->n_sleeps && t->sleeps[sleeps].to && t->sleeps[sleeps].to <= at)
		sleeps++;
	t->n_samples -= samples;
	t->n_sleeps -= sleeps;
	if (samples && t->n_samples)
		memmove(t->samples, t->samples + samples, t->n_samples * sizeof(*t->samples));
	if (sleeps && t->n_sleeps)
		memmove(t->sleeps, t->sleeps + sleeps, t->n_sleeps * sizeof(*t->sleeps));
}

void turns_destroy(struct turns *t)
{
	turns_forget(t, UINT64_MAX);
	free(t->samples);
	free(t->sleeps);
	*t = (struct turns){ 0 };
}
