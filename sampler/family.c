#include "sampler/family.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "sampler/launcher.h"

/* Of a probe that does not tell of births: how often the kernel is asked for them, and else. */
static const nsec CENSUS_OFTEN = 50000000, CENSUS = 1000000000;

static struct process *find_process(struct session_run *s, pid_t pid)
{
	for (size_t i = 0; i < s->n_processes; i++)
		if (s->processes[i]->target->pid == pid)
			return s->processes[i];
	return NULL;
}

/* The process that an event is about: of what the programs report only the thread is known. */
struct process *family_process_of(struct session_run *s, const struct event *e)
{
	for (size_t i = 1; i < s->n_processes; i++)
		if (s->processes[i]->target->pid == e->pid ||
		    process_watch(s->processes[i], e->tid))
			return s->processes[i];
	return s->processes[0];
}

void family_add(struct session_run *s, struct process *p, const struct watch_context *context)
{
	s->processes[s->n_processes++] = p;
	process_open(p, context, &s->config);
}

static bool is_shared(const struct session_run *s)
{
	return s->c.probe->add_process != NULL;
}

static bool has_own_probe(const struct session_run *s, const struct process *p)
{
	return p->c.probe_state != s->c.probe_state;
}

static void add_losses(const struct watch_context *c, struct probe_losses *sum)
{
	struct probe_losses more = { 0 };

	c->probe->losses(c->probe_state, &more);
	sum->made += more.made;
	sum->lost += more.lost;
	sum->turns += more.turns;
}

static void close_probe(struct session_run *s, const struct watch_context *c, pid_t pid)
{
	if (c->probe_state != s->c.probe_state) {
		add_losses(c, &s->retired);
		c->probe->close(c->probe_state);
	} else if (is_shared(s))
		c->probe->remove_process(c->probe_state, pid);
}

static void drop_process(struct session_run *s, size_t i)
{
	struct process *p = s->processes[i];
	const struct watch_context c = p->c;
	pid_t pid = p->own.pid;

	process_close(p);
	s->retired.lost += p->unread;
	if (pid)
		close_probe(s, &c, pid);
	free(p);
	for (s->n_processes--; i < s->n_processes; i++)
		s->processes[i] = s->processes[i + 1];
}

/* The session's probe once more, or the next best that a running process can be watched with. */
static int open_own_probe(struct session_run *s, struct watch_context *c, pid_t pid,
			  struct error *err)
{
	struct probe_config config = s->probe_config;
	size_t i = 0;
	int ret = -ENOTSUP;

	config.pid = pid;
	config.gate_fd = -1;
	config.command = NULL;
	while (probes[i] != s->c.probe)
		i++;
	for (; probes[i] && ret == -ENOTSUP; i++) {
		c->probe = probes[i];
		ret = probes[i]->open(&c->probe_state, &config, err);
	}
	if (ret < 0 || c->probe == s->c.probe)
		return ret;
	if (c->rec->session.error_bound < c->probe->error_bound)
		c->rec->session.error_bound = c->probe->error_bound;
	recording_note(c->rec, "the processes that the target started are watched by the probe %s",
		       c->probe->name);
	return 0;
}

static int open_probe(struct session_run *s, struct watch_context *c, pid_t pid, struct error *err)
{
	*c = s->c;
	return is_shared(s) ? c->probe->add_process(c->probe_state, pid, err)
			    : open_own_probe(s, c, pid, err);
}

static nsec now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

static void end_process(struct session_run *s, size_t i)
{
	process_finish(s->processes[i], now_ns(), true);
	drop_process(s, i);
}

static struct process *new_child(struct session_run *s, const struct target *own, pid_t parent,
				 bool found)
{
	struct process *p = xcalloc(1, sizeof(*p));

	p->own = *own;
	p->target = &p->own;
	p->found = found;
	p->info = recording_add_process(s->c.rec);
	p->info->parent = parent;
	return p;
}

/*
 * A child that is already gone, or was handed over to somebody else, is left
 * alone.  found: it is as old as the session at least.
 */
static void adopt(struct session_run *s, pid_t pid, pid_t parent, bool found)
{
	struct watch_context c;
	struct error err = { 0 };
	struct target own;
	int ret;

	if (find_process(s, pid))
		return;
	if (s->n_processes == MAX_PROCESSES) {
		recording_note(s->c.rec,
			       "of the target's processes only %d at a time were followed",
			       MAX_PROCESSES);
		return;
	}
	if (target_attach(&own, pid, &err) < 0)
		return;
	ret = open_probe(s, &c, pid, &err);
	if (ret < 0) {
		target_close(&own);
	} else {
		family_add(s, new_child(s, &own, parent, found), &c);
		ret = process_follow(s->processes[s->n_processes - 1], &err);
		if (ret < 0)
			drop_process(s, s->n_processes - 1);
	}
	/* One that is just ending is refused, too: who is met a second time is not. */
	if (ret < 0 && s->refused == pid)
		recording_note(s->c.rec, "process %d was not followed: %s", pid, err.msg);
	s->refused = ret < 0 ? pid : s->refused;
}

static void adopt_children(struct session_run *s, bool found)
{
	pid_t pids[MAX_CHILDREN];

	/* The list grows while it is gone through: children of children. */
	for (size_t i = 0; i < s->n_processes; i++) {
		pid_t parent = s->processes[i]->target->pid;
		size_t n = target_children(s->processes[i]->target, pids, MAX_CHILDREN);

		for (size_t k = 0; k < n && k < MAX_CHILDREN; k++)
			adopt(s, pids[k], parent, found);
	}
}

/* A launcher is watched for the sake of what it starts. */
static void look_for_launcher(struct session_run *s)
{
	s->children = s->config.children || launcher_is(&s->c.rec->target);
}

void family_begin(struct session_run *s)
{
	look_for_launcher(s);
	if (s->children && !s->processes[0]->target->child)
		adopt_children(s, true);
}

void family_event(struct session_run *s, const struct event *e)
{
	if (e->kind == EVENT_FORK && s->children && e->fork.child_pid != e->pid &&
	    s->n_births < MAX_CHILDREN)
		s->births[s->n_births++] = (struct birth){ e->fork.child_pid, e->pid };
}

void family_drain(struct session_run *s, void (*handle)(void *arg, const struct event *e))
{
	for (size_t i = 1; i < s->n_processes; i++)
		if (has_own_probe(s, s->processes[i]))
			s->processes[i]->c.probe->drain(s->processes[i]->c.probe_state, handle, s);
}

void family_losses(const struct session_run *s, struct probe_losses *losses)
{
	losses->made += s->retired.made;
	losses->lost += s->retired.lost;
	losses->turns += s->retired.turns;
	for (size_t i = 1; i < s->n_processes; i++)
		if (has_own_probe(s, s->processes[i]))
			add_losses(&s->processes[i]->c, losses);
}

nfds_t family_fds(const struct session_run *s, struct pollfd *fds)
{
	nfds_t n = 0;

	for (size_t i = 1; i < s->n_processes; i++) {
		const struct watch_context *c = &s->processes[i]->c;

		if (has_own_probe(s, s->processes[i]))
			fds[n++] = (struct pollfd){ c->probe->fd(c->probe_state), POLLIN, 0 };
	}
	return n;
}

static bool polls(pid_t pid)
{
	struct thread_state state;
	struct target child;
	struct error ignored;
	bool found;

	if (target_attach(&child, pid, &ignored) < 0)
		return false;
	found = thread_look(&child, pid, &state) && state.syscall >= 0 &&
		poll_syscall_find(state.syscall);
	target_close(&child);
	return found;
}

/* Who watches a master is not to think that its workers are well. */
static void tell_of_children(struct session_run *s)
{
	enum { SOME = 16 };
	pid_t pids[SOME];
	size_t n = target_children(s->processes[0]->target, pids, SOME);

	for (size_t i = 0; i < n && i < SOME && !s->told_of_children; i++) {
		if (!polls(pids[i]))
			continue;
		s->told_of_children = true;
		recording_note(s->c.rec,
			       "process %d, which the target started, has a loop, too, and was "
			       "not watched: --follow does",
			       pids[i]);
	}
}

static void take_census(struct session_run *s, nsec now)
{
	nsec every = s->children && !is_shared(s) ? CENSUS_OFTEN : CENSUS;

	if (now - s->last_census < every)
		return;
	s->last_census = now;
	if (s->children)
		adopt_children(s, false);
	else if (!s->told_of_children)
		tell_of_children(s);
}

void family_cycle(struct session_run *s, nsec now)
{
	/* The children of a process that has ended may have had children since they were looked at.
	 */
	for (size_t i = 0; i < s->n_births; i++)
		adopt(s, s->births[i].pid, s->births[i].parent, false);
	s->n_births = 0;
	for (size_t i = s->n_processes; i-- > 1;)
		if (s->processes[i]->exited && !target_alive(s->processes[i]->target))
			end_process(s, i);
	look_for_launcher(s);
	take_census(s, now);
}

void family_end(struct session_run *s)
{
	while (s->n_processes)
		drop_process(s, s->n_processes - 1);
}
