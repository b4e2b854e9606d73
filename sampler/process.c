#include "sampler/process.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "sampler/launcher.h"
#include "sampler/place.h"

enum { MAX_THREADS = 4096 };
static const nsec LOOK_AROUND = 250000000; /* at the threads that are not followed */
static const nsec REFRESH = 50000000;      /* of the mappings, at most this often */
static const nsec SLEEPING_POLL = 1000000;
static const size_t EARLY_ROOM = 4 << 20; /* bytes of stacks */

/* A thread that is not followed (yet). */
struct sighting {
	pid_t tid;
	uint32_t times;  /* it was seen waiting in a poll */
	uint32_t busy;   /* it was seen to run, since it was last followed on trial */
	uint32_t trials; /* in vain */
};
/* A loop that never sleeps in its poll is not seen there: who runs is followed for a while. */
enum { TRIALS_AT_ONCE = 4, MAX_DOUBLINGS = 6 };
static const uint32_t BUSY_TIMES = 2;
static const nsec TRIAL = 1000000000;

static nsec now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

struct watch *process_watch(struct process *p, pid_t tid)
{
	for (size_t i = 0; i < p->n_watches; i++)
		if (p->watches[i]->tid == tid)
			return p->watches[i];
	return NULL;
}

static int follow(struct process *p, pid_t tid, bool running, struct error *err)
{
	struct watch *w;
	int ret;

	if (p->n_watches == MAX_WATCHES)
		return error_set(err, -ENOSPC, "more than %d loops", MAX_WATCHES);
	ret = p->c.probe->follow(p->c.probe_state, tid, err);
	if (ret < 0)
		return ret;
	w = xcalloc(1, sizeof(*w));
	watch_init(w, p->c.target, tid);
	w->is_loop = p->config->dump;
	p->watches[p->n_watches++] = w;
	if (running)
		place_watch(w, &p->c);
	else
		p->c.probe->begin(p->c.probe_state, tid, now_ns(), -1);
	return 0;
}

static void unfollow(struct process *p, size_t i)
{
	struct watch *w = p->watches[i];

	watch_count(w, &p->c);
	watch_reset(w, &p->c, now_ns(), true);
	p->c.probe->unfollow(p->c.probe_state, w->tid);
	watch_destroy(w);
	free(w);
	p->watches[i] = p->watches[--p->n_watches];
}

static void refresh_maps(struct process *p, nsec now)
{
	struct error ignored;

	if (!p->maps_changed || now - p->last_refresh < REFRESH)
		return;
	p->last_refresh = now;
	p->maps_changed = space_refresh(p->c.space, &ignored) == -ESTALE;
}

/* Code is made without a record where mprotect() makes it executable (JIT pages). */
static void check_code(struct process *p, const struct event *e)
{
	const struct regs *regs = &e->sample.raw.regs;
	struct mapping *m;

	if (!regs->valid)
		return;
	m = space_find(p->c.space, regs->r[DW_RIP]);
	if (m && m->exec)
		return;
	p->maps_changed = true;
	refresh_maps(p, now_ns());
}

/* The target's own phase is the session's; that of a launcher is the first of what it starts. */
static void set_serving(struct process *p, nsec since)
{
	struct recording *rec = p->c.rec;

	p->c.serving_since = since;
	if (p->info == &rec->target ||
	    (rec->session.serving_since == UINT64_MAX && launcher_is(&rec->target)))
		rec->session.serving_since = since;
}

static void describe(struct process *p)
{
	target_describe(p->target, p->c.rec, p->info);
	p->launches = launcher_is(p->info);
}

/*
 * The turn of a launched target begins as it is let go: the exec that follows
 * is the beginning of what the user asked for, not another program.
 */
static void restart_watch(struct process *p, const struct event *e)
{
	struct watch *w = process_watch(p, p->target->pid);

	if (p->target->child && !p->started) {
		p->started = true;
		return;
	}
	if (!w || watch_exec(w, e->at))
		return;
	watch_reset(w, &p->c, e->at, true);
	p->c.probe->choose(p->c.probe_state, w->tid, 0, 0);
	p->c.probe->begin(p->c.probe_state, w->tid, e->at, -1);
}

static void drop_early(struct process *p)
{
	p->unread += p->early.n;
	queue_destroy(&p->early);
	p->early.max_bytes = EARLY_ROOM;
	p->rounds = 0;
}

/*
 * An exec is told of late, and there may have been a second one by the time the space is read: then
 * that is not the space of what was sampled between them.  What comes before the next round is over
 * tells.
 */
static bool is_early(struct process *p, const struct event *e)
{
	if (e->at >= space_since(p->c.space))
		return false;
	p->unread += !queue_push(&p->early, e);
	return true;
}

static void replay(void *arg, const struct event *e)
{
	struct process *p = arg;
	struct watch *w = process_watch(p, e->tid);

	if (w)
		watch_event(w, &p->c, e);
}

static void read_early(struct process *p)
{
	struct queue mine;

	if (p->rounds++ == 0 || p->early.n == 0)
		return;
	queue_take(&mine, &p->early);
	queue_deliver(&mine, replay, p);
}

static void handle_exec(struct process *p, const struct event *e)
{
	struct error err;

	drop_early(p);

	space_reset(p->c.space);
	p->maps_changed = space_refresh(p->c.space, &err) == -ESTALE;
	p->replaced = false;
	stack_maker_reset(p->c.stacks);
	pool_watch_stop(&p->pool);
	describe(p);
	/* All other threads are gone; the one that execs has the process's id now. */
	for (size_t i = p->n_watches; i-- > 0;)
		if (p->watches[i]->tid != p->target->pid)
			unfollow(p, i);
	restart_watch(p, e);
	if (p->starts && p->c.serving_since != p->config->startup)
		set_serving(p, p->config->startup);
}

/* Stalls before it belong to the startup, now that its end is known. */
static void serve_from(struct process *p, nsec at)
{
	struct recording *rec = p->c.rec;

	set_serving(p, at > p->c.base ? at - p->c.base : 0);
	for (size_t i = 0; i < rec->n_stalls; i++) {
		struct stall *stall = &rec->stalls[i];

		if (rec->loops[stall->loop]->pid == p->target->pid)
			stall->phase =
				stall->start < p->c.serving_since ? PHASE_STARTUP : PHASE_SERVING;
	}
}

static void handle_listen(struct process *p, const struct event *e)
{
	if (p->config->startup == UINT64_MAX && p->starts && !p->listening) {
		p->listening = true;
		serve_from(p, e->at);
	}
}

void process_event(struct process *p, const struct event *e)
{
	struct watch *w = process_watch(p, e->tid);

	switch (e->kind) {
	case EVENT_MMAP:
		space_add(p->c.space, &e->mapping);
		return;
	case EVENT_EXEC:
		handle_exec(p, e);
		return;
	case EVENT_LISTEN:
		handle_listen(p, e);
		return;
	case EVENT_EXIT:
		if (w && e->tid != p->target->pid)
			w->gone = true;
		p->exited = p->exited || e->tid == p->target->pid;
		return;
	case EVENT_FORK:
		return;
	case EVENT_SAMPLE:
	case EVENT_CALL:
		if (is_early(p, e))
			return;
		check_code(p, e);
		break;
	default:
		break;
	}
	if (w)
		watch_event(w, &p->c, e);
}

/* A launched target that never listens serves from its first sleeping poll on. */
static void check_serving(struct process *p, nsec now)
{
	if (p->c.serving_since != UINT64_MAX || p->config->startup != UINT64_MAX || p->launches)
		return;
	for (size_t i = 0; i < p->n_watches; i++) {
		const struct loop_look *look = &p->watches[i]->look;

		if (look->poll_start && now > look->poll_start + SLEEPING_POLL)
			serve_from(p, look->poll_start);
		else if (look->polled > SLEEPING_POLL)
			serve_from(p, look->turn_start ? look->turn_start : now);
	}
}

static struct sighting *sighting_of(struct process *p, pid_t tid)
{
	for (size_t i = 0; i < p->n_sightings; i++)
		if (p->sightings[i].tid == tid)
			return &p->sightings[i];
	ARRAY_GROW(p->sightings, p->n_sightings, p->cap_sightings);
	p->sightings[p->n_sightings] = (struct sighting){ .tid = tid };
	return &p->sightings[p->n_sightings++];
}

/* Is it time to see whether a thread that runs polls? */
static bool may_try(const struct process *p, const struct sighting *s)
{
	uint32_t doublings = s->trials < MAX_DOUBLINGS ? s->trials : MAX_DOUBLINGS;
	size_t n = 0;

	for (size_t i = 0; i < p->n_watches; i++)
		n += p->watches[i]->trial != 0;
	return s->busy >= BUSY_TIMES << doublings && n < TRIALS_AT_ONCE;
}

static void try_thread(struct process *p, struct sighting *s, nsec now)
{
	struct error ignored;

	s->busy = 0;
	s->trials++;
	if (follow(p, s->tid, true, &ignored) == 0)
		process_watch(p, s->tid)->trial = now + TRIAL;
}

static void end_trials(struct process *p, nsec now)
{
	for (size_t i = p->n_watches; i-- > 0;) {
		struct watch *w = p->watches[i];

		if (w->trial && w->look.key)
			w->trial = 0;
		else if (w->trial && now > w->trial)
			unfollow(p, i);
	}
}

/* Has the main thread polled, or is it busy with what may come before that? */
static bool main_may_poll(struct process *p)
{
	struct watch *w = process_watch(p, p->target->pid);
	struct thread_state state;

	if (w && w->look.key)
		return true;
	return thread_look(p->target, p->target->pid, &state) && state.state == 'R';
}

/* What is not seen must be said. */
static void check_rights(struct process *p, nsec now)
{
	bool denied = target_denies(p->target);
	struct error err = { 0 };

	if (denied && !p->denied) {
		target_explain_denial(p->target, &err);
		recording_note(p->c.rec, "hardly seen from %.1f s on: %s; %s",
			       (double)(now - p->c.base) / 1e9, err.msg, err.fix);
	}
	p->denied = denied;
}

/* The record of an exec may have been lost. */
static void look_for_exec(struct process *p, nsec now)
{
	bool replaced = space_image(p->c.space) == IMAGE_REPLACED;

	if (replaced && p->replaced)
		handle_exec(p, &(struct event){ .kind = EVENT_EXEC, .at = now });
	else
		p->replaced = replaced;
}

static void look_at_thread(struct process *p, pid_t tid, nsec now)
{
	struct thread_state state;
	struct sighting *s;
	struct error ignored;

	if (process_watch(p, tid) || !thread_look(p->target, tid, &state))
		return;
	s = sighting_of(p, tid);
	if (state.syscall >= 0 && poll_syscall_find(state.syscall)) {
		if (++s->times >= (p->config->all_loops ? 2 : 4))
			follow(p, tid, true, &ignored);
	} else if (state.state == 'R') {
		s->busy++;
		if (may_try(p, s))
			try_thread(p, s, now);
	}
}

/*
 * Loops on other threads: with all_loops each that was seen polling twice; else
 * only where the main thread does not poll at all.
 */
static void look_around(struct process *p, nsec now)
{
	pid_t tids[MAX_THREADS];
	size_t n;

	if (now - p->last_look_around < LOOK_AROUND)
		return;
	p->last_look_around = now;
	/* An exec is told of before the kernel has the new arguments. */
	if (p->info->argc == 0)
		describe(p);
	check_rights(p, now);
	look_for_exec(p, now);
	end_trials(p, now);
	if (!p->config->all_loops && (main_may_poll(p) || p->n_watches > 1))
		return;
	n = target_threads(p->target, tids, MAX_THREADS);
	for (size_t i = 0; i < n && i < MAX_THREADS; i++)
		look_at_thread(p, tids[i], now);
}

void process_open(struct process *p, const struct watch_context *context,
		  const struct session_config *config)
{
	p->config = config;
	p->c = *context;
	p->early.max_bytes = EARLY_ROOM;
	p->c.target = p->target;
	p->c.child = p->own.pid != 0;
	p->c.space = space_new(p->target->pid);
	p->c.stacks = stack_maker_new(config->unwinder, p->c.space, p->target->pid, p->c.rec);
	p->c.calls = syscall_args_new(p->target->procfd, p->c.rec);
	stack_maker_describe(p->c.stacks, p->info);
	pool_watch_init(&p->pool, p->target, p->c.space);
	p->starts = !p->found && (p->target->child || p->c.child);
	describe(p);
	/* Without an explicit length, a target that was found running has started up. */
	set_serving(p, config->startup == UINT64_MAX && !p->starts && !p->launches
			       ? 0
			       : config->startup);
}

int process_follow(struct process *p, struct error *err)
{
	/* Symbols take a while to load: before there is something to be read, not while it waits.
	 */
	if (!p->target->child && space_refresh(p->c.space, err) == 0)
		stack_maker_attach(p->c.stacks);
	return follow(p, p->target->pid, !p->target->child, err);
}

void process_look(struct process *p, nsec now)
{
	for (size_t i = 0; i < p->n_watches; i++)
		watch_look(p->watches[i], &p->c);
	refresh_maps(p, now);
}

void process_cycle(struct process *p, nsec now)
{
	read_early(p);
	check_serving(p, now);
	for (size_t i = 0; i < p->n_watches; i++)
		place_first_poll(p->watches[i], &p->c);
	for (size_t i = 0; i < p->n_watches; i++)
		watch_cycle(p->watches[i], &p->c, now);
	for (size_t i = p->n_watches; i-- > 0;)
		if (p->watches[i]->gone)
			unfollow(p, i);
	look_around(p, now);
}

void process_count(struct process *p)
{
	for (size_t i = 0; i < p->n_watches; i++)
		watch_count(p->watches[i], &p->c);
}

void process_finish(struct process *p, nsec now, bool ended)
{
	for (size_t i = 0; i < p->n_watches; i++) {
		watch_count(p->watches[i], &p->c);
		watch_reset(p->watches[i], &p->c, now, ended);
	}
	pool_watch_stop(&p->pool);
	pool_watch_report(&p->pool, &p->c.rec->threadpool);
}

void process_close(struct process *p)
{
	for (size_t i = 0; i < p->n_watches; i++) {
		if (p->own.pid)
			p->c.probe->unfollow(p->c.probe_state, p->watches[i]->tid);
		watch_destroy(p->watches[i]);
		free(p->watches[i]);
	}
	stack_maker_free(p->c.stacks);
	syscall_args_free(p->c.calls);
	pool_watch_destroy(&p->pool);
	space_free(p->c.space);
	queue_destroy(&p->early);
	free(p->sightings);
	if (p->own.pid)
		target_close(&p->own);
}
