#include "cli/agent/fleet.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzers/glob.h"

static const nsec RETRY = 5000000000, RETRY_MAX = 300000000000, LONG = 60000000000;

/* A line for the log. */
static __attribute__((format(printf, 2, 3))) void say(const struct member *m, const char *fmt, ...)
{
	struct strbuf line = { 0 };
	char text[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	strbuf_printf(&line, "lagprof: process %d (", m->pid);
	strbuf_puts_visible(&line, m->app->name);
	strbuf_puts(&line, ") ");
	strbuf_puts_visible(&line, text);
	strbuf_puts(&line, "\n");
	fwrite(line.s, 1, line.len, stderr);
	strbuf_destroy(&line);
}

static bool exists(pid_t pid)
{
	return kill(pid, 0) == 0 || errno != ESRCH;
}

/* Those that come when there are many have one name together. */
static struct app *find_app(struct fleet *f, const char *name)
{
	struct app *app;

	for (size_t i = 0; i < f->n_apps; i++)
		if (strcmp(f->apps[i]->name, name) == 0)
			return f->apps[i];
	if (f->n_apps == FLEET_APPS_MAX)
		return f->apps[FLEET_APPS_MAX - 1];
	app = xcalloc(1, sizeof(*app));
	snprintf(app->name, sizeof(app->name), "%s",
		 f->n_apps < FLEET_APPS_MAX - 1 ? name : "other");
	vitals_init(&app->past);
	vitals_init(&app->sum);
	for (size_t i = 0; i < 2; i++)
		hist_init(&app->marks[i]);
	f->apps[f->n_apps++] = app;
	return app;
}

static void add_member(struct fleet *f, pid_t pid, const struct process_names *names, int pattern)
{
	struct member *m;

	if (f->n_members == FLEET_MEMBERS_MAX) {
		f->crowded = true;
		return;
	}
	m = xcalloc(1, sizeof(*m));
	*m = (struct member){ .pid = pid,
			      .app = find_app(f, process_app(names)),
			      .pattern = pattern,
			      .state = OBSERVED_OVER_LIMIT,
			      .backoff = RETRY,
			      .ob = { .fd = -1, .window = -1 } };
	vitals_init(&m->vitals);
	f->members[f->n_members++] = m;
}

static bool is_mine(const struct fleet *f, pid_t pid)
{
	if (pid == getpid())
		return true;
	for (size_t i = 0; i < f->n_members; i++)
		if (f->members[i]->pid == pid || f->members[i]->ob.pid == pid)
			return true;
	return false;
}

/* The first of the patterns that one of its names fits, or -1. */
static int pattern_of(const struct fleet *f, const struct process_names *names)
{
	for (size_t i = 0; i < f->o->names.n; i++) {
		const char *pattern = f->o->names.items[i];

		if (glob_match(pattern, names->comm) || glob_match(pattern, names->program) ||
		    (names->script[0] && glob_match(pattern, names->script)))
			return (int)i;
	}
	return -1;
}

static void meet(void *arg, pid_t pid)
{
	struct fleet *f = arg;
	struct process_names names;
	int pattern;

	if (is_mine(f, pid) || !process_names_read(pid, &names))
		return;
	pattern = pattern_of(f, &names);
	if (pattern >= 0)
		add_member(f, pid, &names, pattern);
}

int fleet_init(struct fleet *f, const struct options *o, const pid_t *pids, size_t n,
	       struct error *err)
{
	struct process_names names;

	*f = (struct fleet){ .o = o };
	f->wanted = xcalloc(o->names.n + 1, sizeof(*f->wanted));
	for (size_t i = 0; i < n; i++) {
		if (!exists(pids[i])) {
			error_set(err, -ESRCH, "no process %d", pids[i]);
			return error_fix(err, "pgrep -af NAME shows the ids of running programs");
		}
		process_names_read(pids[i], &names);
		if (!is_mine(f, pids[i]))
			add_member(f, pids[i], &names, -1);
	}
	return 0;
}

/* The numbers of its observer are kept; it may have another one later. */
static void retire(struct member *m)
{
	vitals_add_totals(&m->app->past, &m->vitals);
	vitals_init(&m->vitals);
	if (m->window == ASKED)
		m->window = NOT_ASKED;
	observer_end(&m->ob);
}

static void drop_member(struct fleet *f, size_t i)
{
	retire(f->members[i]);
	free(f->members[i]);
	for (f->n_members--; i < f->n_members; i++)
		f->members[i] = f->members[i + 1];
}

void fleet_destroy(struct fleet *f)
{
	while (f->n_members)
		drop_member(f, f->n_members - 1);
	for (size_t i = 0; i < FLEET_LEFT_MAX; i++)
		if (f->left[i].app)
			close(f->left[i].fd);
	for (size_t i = 0; i < f->n_apps; i++)
		free(f->apps[i]);
	free(f->wanted);
	census_destroy(&f->census);
}

nfds_t fleet_fds(const struct fleet *f, struct pollfd *fds)
{
	nfds_t n = 0;

	for (size_t i = 0; i < f->n_members; i++)
		if (f->members[i]->ob.fd >= 0)
			fds[n++] = (struct pollfd){ f->members[i]->ob.fd, POLLIN, 0 };
	return n;
}

/* It goes on with another observer: at once after a long time, else the later the oftener. */
static void lose(struct fleet *f, struct member *m, enum observed_as state)
{
	bool lasted = f->now - m->since >= LONG;

	retire(m);
	m->state = state;
	m->backoff = lasted ? RETRY : m->backoff;
	m->retry = f->now + (lasted ? 0 : m->backoff);
	m->backoff = m->backoff * 2 < RETRY_MAX ? m->backoff * 2 : RETRY_MAX;
}

/* Each reason is said once. */
static void fail(struct fleet *f, struct member *m, const char *why)
{
	if (strcmp(m->why, why) != 0 && exists(m->pid))
		say(m, "is not observed: %s", why);
	snprintf(m->why, sizeof(m->why), "%s", why);
	lose(f, m, OBSERVED_NOT);
}

static void take_vitals(struct fleet *f, struct member *m, const struct vitals *v)
{
	m->vitals = *v;
	if (m->state == OBSERVED_STARTING && !f->o->quiet)
		say(m, "is observed, probe %.15s", v->probe);
	m->state = v->loops ? OBSERVED_LOOP : OBSERVED_NO_LOOP;
	m->why[0] = '\0';
}

static void take_last(struct fleet *f, struct member *m, const struct news *news)
{
	m->vitals = news->vitals;
	if (news->window)
		fleet_keep_window(f, m);
}

/* False: the member is gone. */
static bool take_news(struct fleet *f, size_t i, const struct news *news)
{
	struct member *m = f->members[i];

	switch (news->kind) {
	case NEWS_VITALS:
		take_vitals(f, m, &news->vitals);
		return true;
	case NEWS_WINDOW:
		if (news->window == f->question && m->window == ASKED)
			m->window = ANSWERED;
		return true;
	case NEWS_FAILED:
		fail(f, m, news->why);
		return true;
	case NEWS_FULL:
		take_last(f, m, news);
		lose(f, m, OBSERVED_STARTING);
		return true;
	case NEWS_ENDED:
		take_last(f, m, news);
		if (!f->o->quiet)
			say(m, "has ended");
		drop_member(f, i);
		return false;
	case NEWS_DIED:
		break;
	}
	fail(f, m, "what observed it broke; it is tried again");
	return true;
}

void fleet_hear(struct fleet *f)
{
	struct news news;

	for (size_t i = f->n_members; i-- > 0;)
		while (observer_hear(&f->members[i]->ob, &news) && take_news(f, i, &news))
			;
}

/* Is that process there no more, or another one by now? */
static bool is_gone(const struct fleet *f, const struct member *m)
{
	struct process_names names;

	if (!exists(m->pid))
		return true;
	return f->now >= m->retry && m->pattern >= 0 &&
	       (!process_names_read(m->pid, &names) || pattern_of(f, &names) < 0);
}

static size_t count_observers(const struct fleet *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_members; i++)
		n += f->members[i]->ob.pid != 0;
	return n;
}

static void try_member(struct fleet *f, struct member *m)
{
	struct error err = { 0 };

	m->since = f->now;
	if (count_observers(f) >= FLEET_OBSERVED_MAX) {
		m->state = OBSERVED_OVER_LIMIT;
		m->retry = f->now + RETRY;
	} else if (observer_start(&m->ob, f->o, m->pid, &err) < 0) {
		fail(f, m, err.msg);
	} else {
		m->state = OBSERVED_STARTING;
	}
}

void fleet_tick(struct fleet *f, nsec now)
{
	f->now = now;
	if (f->o->names.n)
		census_take(&f->census, now, meet, f);
	for (size_t i = f->n_members; i-- > 0;) {
		struct member *m = f->members[i];

		if (m->ob.pid)
			continue;
		if (is_gone(f, m))
			drop_member(f, i);
		else if (now >= m->retry)
			try_member(f, m);
	}
	fleet_mark(f);
}

bool fleet_is_over(const struct fleet *f)
{
	return f->n_members == 0 && f->o->names.n == 0;
}
