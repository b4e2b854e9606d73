#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/agent/fleet.h"
#include "core/excerpt.h"
#include "core/recording_file.h"

static const char *find_app(const struct fleet *f, const char *name)
{
	for (size_t i = 0; i < f->n_apps; i++)
		if (strcmp(f->apps[i]->name, name) == 0)
			return f->apps[i]->name;
	return NULL;
}

static bool is_asked_for(const struct fleet *f, const struct app *app)
{
	return !f->asked_app || f->asked_app == app->name;
}

bool fleet_ask(struct fleet *f, const char *app, nsec length)
{
	struct question q = { .number = ++f->question, .length = length };

	f->asked_app = app ? find_app(f, app) : NULL;
	if (app && !f->asked_app)
		return false;
	f->asked_length = length;
	for (size_t i = 0; i < f->n_members; i++) {
		struct member *m = f->members[i];

		m->window = NOT_ASKED;
		if ((m->state != OBSERVED_LOOP && m->state != OBSERVED_NO_LOOP) ||
		    !is_asked_for(f, m->app))
			continue;
		observer_ask(&m->ob, &q);
		m->window = ASKED;
	}
	return true;
}

bool fleet_answered(const struct fleet *f)
{
	for (size_t i = 0; i < f->n_members; i++)
		if (f->members[i]->window == ASKED)
			return false;
	return true;
}

void fleet_keep_window(struct fleet *f, struct member *m)
{
	struct left_window *left = &f->left[f->n_left++ % FLEET_LEFT_MAX];

	if (left->app)
		close(left->fd);
	*left = (struct left_window){ .app = m->app, .fd = m->ob.window, .at = f->now };
	m->ob.window = -1;
}

/*
 * What ended in the last `length` of a recording.  It comes from a process that deals with what is
 * hostile, and is read so.
 */
static int add_window(struct recording *sum, int fd, nsec length, struct error *err)
{
	struct recording *window;
	nsec end;
	char path[32];
	int ret;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = recording_read(&window, path, err);
	if (ret < 0)
		return ret;
	end = window->session.duration;
	recording_excerpt(sum, window, end > length ? end - length : 0);
	recording_free(window);
	return 0;
}

static int add_left(struct fleet *f, struct recording *sum, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < FLEET_LEFT_MAX && ret == 0; i++) {
		const struct left_window *left = &f->left[i];
		nsec ago = f->now - left->at;

		if (left->app && is_asked_for(f, left->app) && ago < f->asked_length)
			ret = add_window(sum, left->fd, f->asked_length - ago, err);
	}
	return ret;
}

static void set_time(struct recording *sum, nsec length)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	sum->session.start_unix_ns = wall.tv_sec * 1000000000 + wall.tv_nsec - (int64_t)length;
	sum->session.duration = length;
}

struct recording *fleet_window(struct fleet *f, struct error *err)
{
	struct recording *sum = recording_new();
	int ret;

	sum->memory_max = 0; /* each is bounded, and so are they */
	ret = add_left(f, sum, err);
	for (size_t i = 0; i < f->n_members && ret == 0; i++) {
		const struct member *m = f->members[i];

		if (m->window == ASKED)
			ret = error_set(err, -1,
					"the observer of process %d did not answer in time",
					m->pid);
		else if (m->window == ANSWERED)
			ret = add_window(sum, m->ob.window, f->asked_length, err);
	}
	set_time(sum, f->asked_length);
	if (ret == 0)
		return sum;
	recording_free(sum);
	return NULL;
}
