#ifndef LAGPROF_SAMPLER_PROC_TICKER_H
#define LAGPROF_SAMPLER_PROC_TICKER_H

#include <pthread.h>

#include "sampler/image.h"
#include "sampler/proc/followed.h"
#include "sampler/queue.h"
#include "sampler/target.h"

/*
 * The rungs that need no privilege share this: a thread of lagprof's own that
 * glances at each followed thread once a millisecond, tells sleeps from turns,
 * and takes stacks of turns that last.  A rung adds how it learns of the turns'
 * borders, and its stacks of a running thread.
 */
enum { TICKER_SLOTS = 64, TICKER_STACK = 16384 };

struct ticker;
struct ticker_ops {
	/* Any may be NULL but tick and sample.  open and close are called by the session's thread.
	 */
	int (*open)(struct ticker *t, struct error *err);
	void (*close)(struct ticker *t);
	int (*follow)(struct ticker *t, struct followed *f, struct error *err);
	void (*unfollow)(struct ticker *t, struct followed *f);
	/* A new threshold; a new key of the loop's poll.  May be NULL. */
	void (*changed)(struct ticker *t);
	void (*chosen)(struct ticker *t, struct followed *f);
	/* Moves f->track to what is now. */
	void (*tick)(struct ticker *t, struct followed *f, const struct glance *g);
	/*
	 * Takes over what is known without the thread itself, which may have ended; also called by
	 * the session's thread.  May be NULL.
	 */
	void (*flush)(struct ticker *t, struct followed *f);
	/* It runs inside a turn older than the gate, and a sample is due. */
	void (*sample)(struct ticker *t, struct followed *f);
	/* After all of them: may take until then.  Gives up the lock while it waits. */
	void (*idle)(struct ticker *t, nsec until);
};

struct ticker {
	struct probe_config config;
	const struct ticker_ops *ops;
	void *own; /* the rung's */
	struct target target;
	pthread_t thread;
	bool started, stop;
	nsec served;          /* when it last looked after those that are traced */
	pthread_mutex_t lock; /* of all that follows */
	struct followed *followed[TICKER_SLOTS];
	size_t n;
	struct queue queue;
	int news; /* an eventfd: readable when the session should drain */
	struct image image;
	nsec next_image, next_listen;
	bool listened;
	bool tells_of_execs; /* the rung itself does */
	struct probe_losses losses;
	nsec rest_until;       /* nothing is traced before: see ticker_rests() */
	uint64_t retired_lost; /* the rung's: samples of threads that are not followed any more */
	uint8_t stack[TICKER_STACK]; /* of the sample in hand */
};

/*
 * The functions of struct probe; `open` of a rung calls ticker_open with its ops, and its
 * row begins with the rest of them.
 */
int ticker_open(void **state, const struct probe_config *config, const struct ticker_ops *ops,
		void *own, struct error *err);
void ticker_close(void *state);
int ticker_fd(void *state);
int ticker_follow(void *state, pid_t tid, struct error *err);
void ticker_unfollow(void *state, pid_t tid);
void ticker_choose(void *state, pid_t tid, uint64_t key, int asleep_in);
void ticker_begin(void *state, pid_t tid, nsec at, int asleep_in);
void ticker_set_threshold(void *state, nsec threshold, nsec gate);
void ticker_drain(void *state, void (*handle)(void *arg, const struct event *e), void *arg);
bool ticker_look(void *state, pid_t tid, struct loop_look *out);
bool ticker_lag(void *state, pid_t tid, struct hist *out);
void ticker_losses(void *state, struct probe_losses *out);

#define TICKER_PROBE                                                                 \
	.close = ticker_close, .fd = ticker_fd, .follow = ticker_follow,             \
	.unfollow = ticker_unfollow, .choose = ticker_choose, .begin = ticker_begin, \
	.set_threshold = ticker_set_threshold, .drain = ticker_drain, .look = ticker_look

/* With the lock: tells of an exec that has happened.  True if there was one, or is one. */
bool ticker_look_for_exec(struct ticker *t, nsec now);

/* For rungs, in the ticker's thread. */
nsec ticker_now(void);
/*
 * What is stopped stays so until our own thread gets a CPU.  Where the machine is
 * too busy for that, it is left alone for a multiple of what it took.
 */
void ticker_took(struct ticker *t, nsec from, nsec to);
bool ticker_rests(const struct ticker *t, nsec now);
/* Who is traced and stopped has waited until now, if that is late. */
void ticker_note_delay(struct ticker *t);

#endif
