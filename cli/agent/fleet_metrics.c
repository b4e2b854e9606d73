#include <string.h>
#include <unistd.h>

#include "cli/agent/fleet.h"

static const nsec MOMENTS = 15000000000;

static void sum_members(struct fleet *f, struct metrics *m)
{
	for (size_t i = 0; i < f->n_members; i++) {
		const struct member *member = f->members[i];
		size_t a = 0;

		while (f->apps[a] != member->app)
			a++;
		f->rows[a].processes[member->state]++;
		vitals_add(&member->app->sum, &member->vitals);
		if (member->pattern >= 0)
			f->wanted[member->pattern].processes++;
	}
}

static uint64_t more(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* a without b, which was a once. */
static void subtract(struct hist *out, const struct hist *a, const struct hist *b)
{
	hist_init(out);
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		out->count[i] = more(a->count[i], b->count[i]);
		if (!out->count[i])
			continue;
		out->n += out->count[i];
		out->max = hist_bucket_upper(i);
		if (out->min == UINT64_MAX)
			out->min = i ? hist_bucket_upper(i - 1) + 1 : 0;
	}
	out->sum = more(a->sum, b->sum);
	out->max = out->max > a->max ? a->max : out->max;
}

void fleet_metrics(struct fleet *f, struct metrics *m)
{
	*m = (struct metrics){ .apps = f->rows,
			       .n_apps = f->n_apps,
			       .wanted = f->wanted,
			       .n_wanted = f->o->names.n,
			       /* Those of observers that have ended are among the children's. */
			       .own_cpu = observer_cpu(),
			       .memory = process_memory(getpid()),
			       .prom_client = f->o->compat };
	for (size_t i = 0; i < f->o->names.n; i++)
		f->wanted[i] = (struct metrics_wanted){ f->o->names.items[i], 0 };
	for (size_t i = 0; i < f->n_apps; i++) {
		struct app *app = f->apps[i];

		app->sum = app->past;
		f->rows[i] = (struct metrics_app){ .name = app->name,
						   .vitals = &app->sum,
						   .recent_lag = &app->recent };
	}
	sum_members(f, m);
	for (size_t i = 0; i < f->n_apps; i++) {
		struct app *app = f->apps[i];

		m->own_cpu += app->sum.own_cpu;
		m->memory += app->sum.memory;
		subtract(&app->recent, &app->sum.total.lag, &app->marks[1]);
	}
}

void fleet_mark(struct fleet *f)
{
	struct metrics ignored;

	if (f->now - f->mark < MOMENTS)
		return;
	f->mark = f->now;
	fleet_metrics(f, &ignored);
	for (size_t i = 0; i < f->n_apps; i++) {
		f->apps[i]->marks[1] = f->apps[i]->marks[0];
		f->apps[i]->marks[0] = f->apps[i]->sum.total.lag;
	}
}
