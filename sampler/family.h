#ifndef LAGPROF_SAMPLER_FAMILY_H
#define LAGPROF_SAMPLER_FAMILY_H

#include <poll.h>

#include "sampler/host_watch.h"
#include "sampler/process.h"

/*
 * The processes of a session: the target, and where its children are followed
 * those, as they come and go.  A probe that is for one process only is opened once
 * more for each of them.
 */
enum { MAX_PROCESSES = 32, MAX_CHILDREN = 256 };

struct session_run {
	struct session_config config;
	struct probe_config probe_config;         /* of the target */
	struct watch_context c;                   /* of the target */
	struct process *processes[MAX_PROCESSES]; /* the target first */
	size_t n_processes;
	struct birth {
		pid_t pid, parent;
	} births[MAX_CHILDREN]; /* seen in the round in hand */
	size_t n_births;
	bool children; /* they are followed: as was asked for, or because the target is a launcher
			*/
	bool told_of_children; /* which are not followed */
	pid_t refused;         /* the last child that could not be followed */
	nsec last_census;
	struct probe_losses retired; /* of children's probes that are closed */
	struct host_watch host;
	nsec last_tick;
};

/* context: the target's, or with another probe. */
void family_add(struct session_run *s, struct process *p, const struct watch_context *context);
/* The target is followed: so are from now on the children it has. */
void family_begin(struct session_run *s);
/* The process that an event is about. */
struct process *family_process_of(struct session_run *s, const struct event *e);
/* After the process has had it. */
void family_event(struct session_run *s, const struct event *e);
/* Of the children's own probes: their news, what they lost, and at most MAX_PROCESSES descriptors.
 */
void family_drain(struct session_run *s, void (*handle)(void *arg, const struct event *e));
void family_losses(const struct session_run *s, struct probe_losses *losses);
nfds_t family_fds(const struct session_run *s, struct pollfd *fds);
/* Follows who was born and lets go of who has ended. */
void family_cycle(struct session_run *s, nsec now);
/* Lets go of all of them, the target too. */
void family_end(struct session_run *s);

#endif
