#ifndef LAGPROF_SAMPLER_SESSION_H
#define LAGPROF_SAMPLER_SESSION_H

#include "sampler/probe.h"
#include "sampler/target.h"
#include "sampler/unwind.h"

/*
 * One observation of one target: opens a probe, follows the loop threads, and
 * fills a recording.  Used as
 *
 *	session_open(), target_release() if launched,
 *	while (session_step() != SESSION_ENDED) …
 *	session_finish(), session_close()
 */
struct session_config {
	nsec threshold;
	nsec startup;  /* length of the startup phase; UINT64_MAX: by the target's listen() */
	uint32_t freq; /* Hz */
	uint32_t stack_bytes;      /* copied with each sample */
	const struct probe *probe; /* NULL: the best that works */
	double max_overhead;       /* see probe_config; without a given probe only */
	const struct unwinder *unwinder;
	bool all_loops;    /* follow worker threads too */
	bool children;     /* follow the processes that the target starts, and those in turn */
	bool strict;       /* look for calls that block */
	bool show_queries; /* of requests, see struct request */
	bool dump;         /* the main thread is a loop, and is to be seen as it is right now */
	size_t stack_ring, boundary_ring; /* bytes; 0: the probe's default */
	struct sink *sink;                /* told of news; outlives the session */
};

struct session_run;

/* Events are live when it returns 0.  target and rec outlive the session. */
int session_open(struct session_run **s, const struct target *target,
		 const struct session_config *config, struct recording *rec, struct error *err);

enum session_news {
	SESSION_QUIET, /* call again */
	SESSION_WOKEN, /* wake_fd is readable */
	SESSION_ENDED, /* the target has ended */
};
/*
 * Waits for events, at most timeout_ms, and digests them.  wake_fd (-1: none)
 * is a descriptor of the caller's that ends the wait.
 */
enum session_news session_step(struct session_run *s, int wake_fd, int timeout_ms);
void session_set_threshold(struct session_run *s, nsec threshold);
/* Takes in what is left and fills rec->session. */
void session_finish(struct session_run *s, enum session_end end);
void session_close(struct session_run *s);

#endif
