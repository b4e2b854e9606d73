#ifndef LAGPROF_CLI_AGENT_OBSERVER_H
#define LAGPROF_CLI_AGENT_OBSERVER_H

#include <sys/types.h>

#include "cli/options.h"
#include "core/vitals.h"

/*
 * A process of the agent's that observes one target: it alone has to do with the target and
 * the kernel's tracing, and what it may break by that is itself.  The agent hears from it by
 * messages.  It ends when the agent does, however that happens.
 */
struct observer {
	pid_t pid;  /* 0: none */
	int fd;     /* readable when there is something to hear; -1: none */
	int window; /* a file in memory: the recording that observer_ask() asked for */
};

enum news_kind {
	NEWS_VITALS, /* once a second */
	NEWS_WINDOW, /* the window is written */
	NEWS_FAILED, /* the target cannot be observed: why, and nothing more will come */
	NEWS_ENDED,  /* the target has ended */
	NEWS_FULL,   /* it has seen so much that another observer should go on */
	NEWS_DIED,   /* it broke, and did not say so */
};

struct news {
	enum news_kind kind;
	uint32_t window; /* NEWS_WINDOW: number of the question; NEWS_ENDED, NEWS_FULL: 1: it has
			    what there was in the last WINDOW_LONGEST */
	struct vitals vitals; /* but of NEWS_WINDOW, NEWS_FAILED and NEWS_DIED: the last ones */
	char why[660];
};

struct question {
	uint32_t number; /* above 0 */
	nsec length;     /* of the window: that ended so long ago, or later */
};

/* No window is longer. */
#define WINDOW_LONGEST ((nsec)3600 * 1000000000)

/* o outlives it. */
int observer_start(struct observer *ob, const struct options *o, pid_t target, struct error *err);
/* The next of what it said; false: nothing (yet). */
bool observer_hear(struct observer *ob, struct news *news);
/* For the stalls of late as a recording; the answer is NEWS_WINDOW. */
void observer_ask(struct observer *ob, const struct question *q);
/* Ends it, at once; what was not heard is lost. */
void observer_end(struct observer *ob);

/* CPU time of the calling process and of its children that have ended. */
nsec observer_cpu(void);

/* What the process does; fd and window are its ends.  Never returns. */
_Noreturn void observing(const struct options *o, pid_t target, int fd, int window);

#endif
