#ifndef LAGPROF_SAMPLER_PROC_FOLLOWED_H
#define LAGPROF_SAMPLER_PROC_FOLLOWED_H

#include "sampler/poll_choice.h"
#include "sampler/proc/glance.h"
#include "sampler/proc/tracer.h"
#include "sampler/proc/track.h"

/* A thread that the ticker follows, and what rungs do with it in the ticker's thread. */

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
 * The turn in hand ends at `at`.  Where the thread ran unseen for longer than the gate at its begin
 * it may have been many, and is one only from then on.
 */
void ticker_doubt(struct ticker *t, struct followed *f, nsec at);
/* When the turn in hand began, as far as that is sure; 0: not at all. */
nsec ticker_sure_since(const struct ticker *t, const struct followed *f);
/* When the next sample of a stall is due. */
void ticker_sampled(const struct ticker *t, struct followed *f, nsec at);

#endif
