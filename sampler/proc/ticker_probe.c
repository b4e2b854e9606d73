#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sampler/proc/ticker.h"

/* What the session asks of the ticker; all of it from the session's thread. */

enum { REPORTS = 64 }; /* other polls told of between two drains */
static const nsec STALE = 20000000;

int ticker_fd(void *state)
{
	return ((struct ticker *)state)->news;
}

struct followed *ticker_find(const struct ticker *t, pid_t tid)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->followed[i]->tid == tid && !t->followed[i]->leave)
			return t->followed[i];
	return NULL;
}

int ticker_follow(void *state, pid_t tid, struct error *err)
{
	struct ticker *t = state;
	struct followed *f;
	int ret;

	if (ticker_find(t, tid))
		return 0;
	if (t->n == TICKER_SLOTS)
		return error_set(err, -ENOSPC, "no room to follow thread %d as a loop", tid);
	f = xcalloc(1, sizeof(*f));
	f->tid = f->tracer.tid = tid;
	/* The end of a child of ours is the session's to collect. */
	f->tracer.reaps = tid != t->config.pid || t->config.gate_fd < 0;
	f->strange = REPORTS;
	track_init(&f->track);
	ret = glancer_open(&f->glancer, t->target.procfd, tid, err);
	if (ret == 0 && t->ops->follow)
		ret = t->ops->follow(t, f, err);
	if (ret < 0) {
		glancer_close(&f->glancer);
		free(f);
		return ret;
	}
	glancer_look(&f->glancer, &f->last);
	pthread_mutex_lock(&t->lock);
	t->followed[t->n++] = f;
	pthread_mutex_unlock(&t->lock);
	return 0;
}

void ticker_unfollow(void *state, pid_t tid)
{
	struct ticker *t = state;

	struct followed *f;

	pthread_mutex_lock(&t->lock);
	f = ticker_find(t, tid);
	if (f)
		f->leave = true; /* the ticker's thread lets it go, and frees it */
	pthread_mutex_unlock(&t->lock);
}

void ticker_choose(void *state, pid_t tid, uint64_t key, int asleep_in)
{
	struct ticker *t = state;
	struct followed *f;
	struct turn ignored;

	pthread_mutex_lock(&t->lock);
	f = ticker_find(t, tid);
	if (f) {
		glancer_look(&f->glancer, &f->last);
		f->track.key = key;
		track_lose(&f->track);
		if (t->ops->chosen)
			t->ops->chosen(t, f);
		if (asleep_in)
			track_begin_poll(&f->track, ticker_now(), &f->track.base, &ignored);
	}
	pthread_mutex_unlock(&t->lock);
}

void ticker_begin(void *state, pid_t tid, nsec at, int asleep_in)
{
	struct ticker *t = state;
	struct followed *f;
	struct cpu_time base;

	pthread_mutex_lock(&t->lock);
	f = ticker_find(t, tid);
	if (f && !f->track.poll_start && !f->track.turn_start) {
		glancer_look(&f->glancer, &f->last);
		base = ticker_cpu_time(&f->last);
		track_begin_turn(&f->track, at, &base);
	}
	pthread_mutex_unlock(&t->lock);
}

void ticker_set_threshold(void *state, nsec threshold, nsec gate)
{
	struct ticker *t = state;

	pthread_mutex_lock(&t->lock);
	t->config.threshold = threshold;
	t->config.gate = gate;
	if (t->ops->changed)
		t->ops->changed(t);
	pthread_mutex_unlock(&t->lock);
}

void ticker_drain(void *state, void (*handle)(void *arg, const struct event *e), void *arg)
{
	struct ticker *t = state;
	struct queue mine;
	uint64_t count;

	if (read(t->news, &count, sizeof(count)) < 0)
		count = 0; /* nothing urgent */
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->n; i++) {
		t->followed[i]->strange = REPORTS;
		/* The target may have ended since the last tick. */
		if (t->ops->flush && !t->followed[i]->leave)
			t->ops->flush(t, t->followed[i]);
	}
	ticker_look_for_exec(t, ticker_now());
	queue_take(&mine, &t->queue);
	pthread_mutex_unlock(&t->lock);
	queue_deliver(&mine, handle, arg);
}

bool ticker_look(void *state, pid_t tid, struct loop_look *out)
{
	struct ticker *t = state;
	struct followed *f;

	pthread_mutex_lock(&t->lock);
	f = ticker_find(t, tid);
	if (f)
		track_look(&f->track, f->last.delay, out);
	if (f && f->track.turn_start)
		out->turn_start = ticker_sure_since(t, f);
	/* Where our own thread waits for a CPU, the turn may be over long since. */
	if (f && ticker_now() > f->last.at + STALE)
		out->turn_start = 0;
	pthread_mutex_unlock(&t->lock);
	return f != NULL;
}

bool ticker_lag(void *state, pid_t tid, struct hist *out)
{
	struct ticker *t = state;
	struct followed *f;

	pthread_mutex_lock(&t->lock);
	f = ticker_find(t, tid);
	if (f)
		*out = f->track.lag;
	pthread_mutex_unlock(&t->lock);
	return f != NULL;
}

void ticker_losses(void *state, struct probe_losses *out)
{
	struct ticker *t = state;

	pthread_mutex_lock(&t->lock);
	*out = t->losses;
	pthread_mutex_unlock(&t->lock);
}
