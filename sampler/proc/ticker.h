#ifndef LAGPROF_SAMPLER_PROC_TICKER_H
#define LAGPROF_SAMPLER_PROC_TICKER_H

#include <pthread.h>

#include "sampler/image.h"
#include "sampler/poll_choice.h"
#include "sampler/proc/glance.h"
#include "sampler/proc/tracer.h"
#include "sampler/proc/track.h"
#include "sampler/queue.h"
#include "sampler/target.h"

/*
 * The rungs that need no privilege share this: a thread of lagprof's own that
 * glances at each followed thread once a millisecond, tells sleeps from turns,
 * and takes stacks of turns that last.  A rung adds how it learns of the turns'
 * borders, and its stacks of a running thread.
 */
enum { TICKER_SLOTS = 64, TICKER_STACK = 16384 };

struct followed {
	pid_t tid;
	bool denied;             /* the kernel does not let us look at it any more */
	bool gone, leave, woken; /* woken: stopped in its sleep since the last tick */
	bool presumed; /* its poll was seen to begin; that the turn after it has begun is a guess */
	struct track track;
	struct glancer glancer;
	struct glance last;            /* of the tick before; at 0: none */
	nsec next_sample, next_asleep; /* not earlier than this */
	uint64_t poll_pc; /* where the loop's poll returns to, when it was seen there; 0: unknown */
	struct tracer tracer;
	struct traced_call met; /* the last poll that it was stopped at */
	/* The turn in hand, if it began at met_at: there it polled and did not sleep.  How long it
	   ran until that would be seen again, and since when it would (0: it is not). */
	nsec met_at, unseen, watched_from;
	bool hunted;      /* its polls show by tracing only, where it does not sleep in them */
	bool unmet;       /* and its poll is wanted as soon as can be */
	nsec stopping;    /* when it was last asked to stop for a stack */
	nsec hunt_after;  /* the rung proc: no watching for its polls until then */
	unsigned strange; /* polls not the loop's that may still be told of */
	void *own;        /* the rung's */
};

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
/* NULL if it is not followed. */
struct followed *ticker_find(const struct ticker *t, pid_t tid);
struct cpu_time ticker_cpu_time(const struct glance *g);
/* The loop polls from `at` on: ends its turn, and tells of it when it was long. */
void ticker_begin_poll(struct ticker *t, struct followed *f, nsec at, const struct cpu_time *now);
/* A stack of it; raw is copied.  Dropped if it may be of the program before. */
void ticker_push_sample(struct ticker *t, struct followed *f, nsec at, const struct raw_sample *raw,
			bool asleep);
void ticker_push(struct ticker *t, struct followed *f, struct event *e);
/* A poll that was seen: takes it for the loop's if none is known.  True if it is the loop's. */
bool ticker_see_poll(struct ticker *t, struct followed *f, const struct poll_seen *poll);
/* The same for the poll, if any, that a glance found it asleep in. */
bool ticker_see_glanced(struct ticker *t, struct followed *f, const struct glance *g);
/*
 * What is stopped stays so until our own thread gets a CPU.  Where the machine is
 * too busy for that, it is left alone for a multiple of what it took.
 */
void ticker_took(struct ticker *t, nsec from, nsec to);
bool ticker_rests(const struct ticker *t, nsec now);
/*
 * The turn in hand ends at `at`.  Where the thread ran unseen for longer than the gate at its begin
 * it may have been many, and is one only from then on.
 */
void ticker_doubt(struct ticker *t, struct followed *f, nsec at);
/* When the turn in hand began, as far as that is sure; 0: not at all. */
nsec ticker_sure_since(const struct ticker *t, const struct followed *f);
/* Who is traced and stopped has waited until now, if that is late. */
void ticker_note_delay(struct ticker *t);
/* When the next sample of a stall is due. */
void ticker_sampled(const struct ticker *t, struct followed *f, nsec at);

#endif
