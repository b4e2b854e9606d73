#ifndef LAGPROF_CLI_AGENT_FLEET_H
#define LAGPROF_CLI_AGENT_FLEET_H

#include <poll.h>

#include "cli/agent/observer.h"
#include "report/metrics.h"
#include "sampler/census.h"

/*
 * All that an agent is to watch: processes that were named by their id, and those whose name
 * fits a pattern, as they come and go.  Each is observed by a process of its own; numbers are
 * kept by name, for good, so that a service that restarts goes on in the same series.
 */
enum {
	FLEET_OBSERVED_MAX = 32,
	FLEET_MEMBERS_MAX = 256,
	FLEET_APPS_MAX = 64,
	FLEET_LEFT_MAX = 16,
};

struct app {
	char name[64];
	struct vitals past;   /* of its processes that are gone: totals only */
	struct vitals sum;    /* with those that are there; made by fleet_metrics() */
	struct hist marks[2]; /* its lag, some moments ago and before that */
	struct hist recent;   /* since the second; made by fleet_metrics() */
};

struct member {
	pid_t pid;
	struct app *app;
	int pattern; /* it was found by; -1: it was named by its id */
	enum observed_as state;
	char why[660];        /* OBSERVED_NOT: what failed; else what failed last */
	nsec since;           /* its observer began */
	nsec retry, backoff;  /* without an observer: when there may be one */
	struct observer ob;   /* of OBSERVED_STARTING, _LOOP and _NO_LOOP */
	struct vitals vitals; /* by that observer */
	enum { NOT_ASKED, ASKED, ANSWERED } window;
};

/* The last window of an observer that has ended. */
struct left_window {
	struct app *app; /* NULL: none */
	int fd;
	nsec at; /* it ended */
};

struct fleet {
	const struct options *o;
	struct member *members[FLEET_MEMBERS_MAX]; /* in the order they came */
	struct app *apps[FLEET_APPS_MAX];
	size_t n_members, n_apps;
	struct left_window left[FLEET_LEFT_MAX]; /* in a ring */
	size_t n_left;                           /* ever put there */
	bool crowded;                            /* there were more */
	struct census census;
	nsec now;  /* CLOCK_MONOTONIC of the tick in hand */
	nsec mark; /* when marks were last made */
	uint32_t question;
	const char *asked_app; /* NULL: all; one of apps' names */
	nsec asked_length;
	struct metrics_app rows[FLEET_APPS_MAX]; /* by fleet_metrics() */
	struct metrics_wanted *wanted;
};

/* o, which has the patterns, outlives it.  -ESRCH: there is no such process. */
int fleet_init(struct fleet *f, const struct options *o, const pid_t *pids, size_t n,
	       struct error *err);
void fleet_destroy(struct fleet *f);
/* At most FLEET_OBSERVED_MAX descriptors, to wait for what observers say. */
nfds_t fleet_fds(const struct fleet *f, struct pollfd *fds);
/* Takes in what they said. */
void fleet_hear(struct fleet *f);
/* Once a second or so: finds who came, tries again, lets go of who is gone. */
void fleet_tick(struct fleet *f, nsec now);
/* Nothing is left that could be watched: only ids were named, and all of them have ended. */
bool fleet_is_over(const struct fleet *f);

/* Valid until the next call. */
void fleet_metrics(struct fleet *f, struct metrics *m);
/* At each tick: what is recent begins anew now and then. */
void fleet_mark(struct fleet *f);

/*
 * Asks every observer (of the app; NULL: all) for its stalls of the last `length`; false if
 * there is none of that name.  Then, once fleet_answered() says so, fleet_window() puts
 * together those that came: NULL if one is missing.
 */
bool fleet_ask(struct fleet *f, const char *app, nsec length);
bool fleet_answered(const struct fleet *f);
struct recording *fleet_window(struct fleet *f, struct error *err);
/* The same has been left by the member's observer, which has ended: it is kept for a while. */
void fleet_keep_window(struct fleet *f, struct member *m);

#endif
