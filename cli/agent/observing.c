#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analyzers/analyze.h"
#include "cli/agent/observer.h"
#include "core/excerpt.h"
#include "core/recording_file.h"
#include "sampler/census.h"
#include "sampler/listening.h"
#include "sampler/places.h"
#include "sampler/poll_key.h"
#include "sampler/session.h"

/* When another observer is to go on, so that memory stays what it is. */
enum { STALLS_MAX = 50000, LOOPS_MAX = 256 };
enum { STACK_BYTES = 16384, RECENT = 16, WINDOW_MAX = 4 << 20 };
static const nsec YOUNG = 10000000000;

/* Sums up to a moment. */
struct moment {
	nsec at, busy, polled, taken;
};

struct observing {
	struct sink sink; /* first: the sink's callbacks are given its address */
	const struct options *o;
	struct target target;
	struct recording *rec;
	struct session_run *session;
	int fd, window;
	bool full;
	pid_t writer; /* writes the window; 0: none does */
	struct news news;
	struct moment moments[RECENT]; /* a second apart, in a ring */
	unsigned n_moments;            /* ever put there */
};

static nsec now_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

/* What has ended is counted by cause; what goes on is looked for at each tick. */
static void sink_stall(struct sink *self, struct recording *rec, const struct stall *stall)
{
	struct observing *w = (struct observing *)self;
	struct vitals_totals *total = &w->news.vitals.total;
	struct arena arena = { 0 };
	struct stall_diagnosis d;
	const char *title;

	if (stall->open || stall->phase != PHASE_SERVING)
		return;
	d = diagnose_stall(rec, stall, &title, &arena);
	total->stalls[d.cause]++;
	total->stalled[d.cause] += stall->duration;
	arena_free(&arena);
}

static void sum_loops(struct vitals *v, const struct recording *rec, struct moment *m)
{
	hist_init(&v->total.lag);
	v->loops = 0;
	for (size_t i = 0; i < rec->n_loops; i++) {
		hist_merge(&v->total.lag, &rec->loops[i]->lag);
		m->busy += rec->loops[i]->busy;
		m->polled += rec->loops[i]->polled;
		v->loops += rec->loops[i]->turns > 0 || rec->loops[i]->polled > 0;
	}
}

/* No more stalls go on at a time than there are loops; they are among the last ones. */
static void find_open(struct vitals *v, const struct recording *rec, struct moment *m)
{
	size_t left = rec->n_stalls < 4 * LOOPS_MAX ? rec->n_stalls : 4 * LOOPS_MAX;

	v->open = 0;
	for (size_t i = rec->n_stalls; left-- > 0;) {
		const struct stall *s = &rec->stalls[--i];

		if (!s->open)
			continue;
		/* Until it has ended it is not in the loop's own sum. */
		m->busy += s->duration;
		v->open = s->duration > v->open ? s->duration : v->open;
	}
}

/* What came since the oldest moment that is kept. */
static void weigh_recent(struct observing *w, const struct moment *m)
{
	struct vitals *v = &w->news.vitals;
	const struct moment *from = &w->moments[w->n_moments < RECENT ? 0 : w->n_moments % RECENT];

	if (w->n_moments) {
		v->observed = m->at - from->at;
		v->busy = m->busy > from->busy ? m->busy - from->busy : 0;
		v->polled = m->polled - from->polled;
		v->taken = m->taken - from->taken;
	}
	w->moments[w->n_moments++ % RECENT] = *m;
}

/* A loop that has had nothing to do since it is watched is known by what it waits in. */
static bool waits_in_poll(const struct target *t)
{
	struct thread_state state;

	return thread_look(t, t->pid, &state) && state.syscall >= 0 &&
	       poll_syscall_find(state.syscall);
}

static void take_vitals(struct observing *w, const struct recording *rec)
{
	struct vitals *v = &w->news.vitals;
	struct moment m = { .at = rec->session.duration, .taken = rec->session.target_cpu };

	sum_loops(v, rec, &m);
	if (!v->loops)
		v->loops = waits_in_poll(&w->target);
	find_open(v, rec, &m);
	weigh_recent(w, &m);
	v->total.lost_samples = rec->session.lost_samples;
	v->total.lost_turns = rec->session.lost_turns;
	v->own_cpu = observer_cpu();
	v->memory = process_memory(getpid());
	snprintf(v->probe, sizeof(v->probe), "%s", rec->session.probe);
}

static void tell(struct observing *w, enum news_kind kind, int flags)
{
	w->news.kind = kind;
	send(w->fd, &w->news, sizeof(w->news), flags | MSG_NOSIGNAL);
}

static void sink_tick(struct sink *self, struct recording *rec)
{
	struct observing *w = (struct observing *)self;

	take_vitals(w, rec);
	/* The next one says it, too. */
	tell(w, NEWS_VITALS, MSG_DONTWAIT);
	w->full = rec->n_stalls >= STALLS_MAX || rec->n_loops >= LOOPS_MAX ||
		  rec->arena.bytes >= rec->memory_max;
}

static _Noreturn void give_up(struct observing *w, const struct error *err)
{
	snprintf(w->news.why, sizeof(w->news.why), "%s%s%s%s", err->msg,
		 err->fix[0] ? " (try: " : "", err->fix, err->fix[0] ? ")" : "");
	tell(w, NEWS_FAILED, 0);
	_exit(1);
}

/* What a process that has just begun does until it listens is its startup. */
static nsec startup_left(const struct observing *w)
{
	nsec age = process_age(w->target.pid, now_of(CLOCK_BOOTTIME));
	nsec startup = w->o->startup;

	if (startup == STARTUP_AUTO)
		startup = target_listening_port(&w->target) ? 0 : YOUNG;
	return age && age < startup ? startup - age : 0;
}

static void open_session(struct observing *w)
{
	const struct options *o = w->o;
	struct session_config config = {
		.threshold = o->threshold,
		.freq = o->freq,
		.stack_bytes = STACK_BYTES,
		.all_loops = o->loops == LOOPS_ALL,
		.probe = probe_find(o->probe), /* none of that name: auto */
		.max_overhead = o->max_overhead,
		.unwinder = unwinder_find(o->unwinder),
		.sink = &w->sink,
	};
	struct error err = { 0 };
	pid_t pid = w->target.pid;

	if (target_attach(&w->target, pid, &err) < 0)
		give_up(w, &err);
	config.startup = startup_left(w);
	w->rec = recording_new();
	if (session_open(&w->session, &w->target, &config, w->rec, &err) < 0)
		give_up(w, &err);
}

/* The stalls that ended so long ago or later, as a recording. */
static int fill_window(struct observing *w, nsec length, struct error *err)
{
	struct recording *window = recording_new();
	struct recording_writer *writer;
	nsec now = w->rec->session.duration;
	int ret;

	window->memory_max = 0; /* what it is taken from is bounded */
	recording_excerpt(window, w->rec, now > length ? now - length : 0);
	places_resolve(window, target_alive(&w->target) ? w->target.pid : 0, !w->o->no_source_maps);
	/* The writer's name for a descriptor that is given to it. */
	if (ftruncate(w->window, 0) < 0 || lseek(w->window, 0, SEEK_SET) < 0 ||
	    dup2(w->window, STDOUT_FILENO) < 0)
		return error_set(err, -errno, "cannot write a window: %s", strerror(errno));
	ret = recording_create(&writer, "-", WINDOW_MAX, err);
	return ret < 0 ? ret : recording_finish(writer, window, err);
}

/* In a copy of this process, so that observing goes on meanwhile. */
static _Noreturn void write_window(struct observing *w, const struct question *q)
{
	struct error err = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpriority(PRIO_PROCESS, 0, 0); /* only observing comes first */
	if (fill_window(w, q->length, &err) < 0)
		_exit(1);
	w->news.window = q->number;
	tell(w, NEWS_WINDOW, 0);
	_exit(0);
}

static void reap_writer(struct observing *w)
{
	if (w->writer > 0 && waitpid(w->writer, NULL, WNOHANG) == w->writer)
		w->writer = 0;
}

/* False when the agent is gone. */
static bool take_question(struct observing *w)
{
	struct question q;
	ssize_t n = recv(w->fd, &q, sizeof(q), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		return false;
	/* One at a time; whoever asked before has given up. */
	if (n != (ssize_t)sizeof(q) || w->writer > 0)
		return true;
	w->writer = fork();
	if (w->writer == 0)
		write_window(w, &q);
	return true;
}

static _Noreturn void conclude(struct observing *w, enum session_end end, enum news_kind kind)
{
	struct error err = { 0 };

	session_finish(w->session, end);
	w->news.window = fill_window(w, WINDOW_LONGEST, &err) == 0;
	tell(w, kind, 0);
	_exit(0);
}

_Noreturn void observing(const struct options *o, pid_t target, int fd, int window)
{
	/* Not on the stack: it goes with the process. */
	static struct observing w;

	w = (struct observing){ .sink = { .stall = sink_stall, .tick = sink_tick },
				.o = o,
				.target.pid = target,
				.fd = fd,
				.window = window };
	vitals_init(&w.news.vitals);
	open_session(&w);
	for (;;) {
		enum session_news news = session_step(w.session, fd, -1);

		reap_writer(&w);
		if (news == SESSION_ENDED)
			conclude(&w, END_TARGET_EXITED, NEWS_ENDED);
		if (news == SESSION_WOKEN && !take_question(&w))
			_exit(0);
		if (w.full && !w.writer) /* which has the window, too */
			conclude(&w, END_INTERRUPTED, NEWS_FULL);
	}
}
