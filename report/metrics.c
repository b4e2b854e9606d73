#include "report/metrics.h"

#include <inttypes.h>

/* Upper ends of the histogram's buckets. */
static const struct {
	nsec ns;
	const char *le;
} bounds[] = {
	/* clang-format off */
	{ 1000000, "0.001" }, { 2000000, "0.002" }, { 5000000, "0.005" },
	{ 10000000, "0.01" }, { 20000000, "0.02" }, { 50000000, "0.05" },
	{ 100000000, "0.1" }, { 200000000, "0.2" }, { 500000000, "0.5" },
	{ 1000000000, "1" }, { 2000000000, "2" }, { 5000000000, "5" },
	{ 10000000000, "10" },
	/* clang-format on */
};
enum { BOUNDS = sizeof(bounds) / sizeof(bounds[0]) };

struct family {
	const char *name, *type, *help;
	void (*rows)(struct strbuf *out, const struct family *f, const struct metrics *m);
};

/* The value of a label: visible UTF-8, with what would end it escaped. */
static void put_label(struct strbuf *out, const char *value)
{
	struct strbuf visible = { 0 };

	strbuf_puts_visible(&visible, value);
	for (size_t i = 0; i < visible.len; i++) {
		if (visible.s[i] == '\\' || visible.s[i] == '"')
			strbuf_add(out, "\\", 1);
		strbuf_add(out, visible.s + i, 1);
	}
	strbuf_destroy(&visible);
}

/* "NAME{app="…""; the caller adds labels and the end. */
static void begin(struct strbuf *out, const char *name, const struct metrics_app *app)
{
	strbuf_printf(out, "%s{app=\"", name);
	put_label(out, app->name);
	strbuf_puts(out, "\"");
}

static void put_seconds(struct strbuf *out, nsec ns)
{
	strbuf_printf(out, "%" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}

static void lag(struct strbuf *out, const struct family *f, const struct metrics *m)
{
	for (size_t a = 0; a < m->n_apps; a++) {
		const struct hist *h = &m->apps[a].vitals->total.lag;
		uint64_t below = 0;
		size_t bucket = 0;

		for (size_t i = 0; i < BOUNDS; i++) {
			/* A bucket that a bound lies in, 3 % wide, is below it. */
			for (; bucket <= hist_bucket(bounds[i].ns); bucket++)
				below += h->count[bucket];
			begin(out, "lagprof_loop_lag_seconds_bucket", &m->apps[a]);
			strbuf_printf(out, ",le=\"%s\"} %" PRIu64 "\n", bounds[i].le, below);
		}
		begin(out, "lagprof_loop_lag_seconds_bucket", &m->apps[a]);
		strbuf_printf(out, ",le=\"+Inf\"} %" PRIu64 "\n", h->n);
		begin(out, "lagprof_loop_lag_seconds_sum", &m->apps[a]);
		strbuf_puts(out, "} ");
		put_seconds(out, h->sum);
		begin(out, "lagprof_loop_lag_seconds_count", &m->apps[a]);
		strbuf_printf(out, "} %" PRIu64 "\n", h->n);
	}
}

/* All causes at once: of a series that begins above 0 no increase is seen. */
static void by_cause(struct strbuf *out, const struct family *f, const struct metrics *m, bool time)
{
	for (size_t a = 0; a < m->n_apps; a++) {
		const struct vitals *v = m->apps[a].vitals;

		for (size_t i = 0; i < CAUSES; i++) {
			begin(out, f->name, &m->apps[a]);
			strbuf_printf(out, ",cause=\"%s\"} ", cause_info[i].id);
			if (time)
				put_seconds(out, v->total.stalled[i]);
			else
				strbuf_printf(out, "%" PRIu64 "\n", v->total.stalls[i]);
		}
	}
}

static void stalls(struct strbuf *out, const struct family *f, const struct metrics *m)
{
	by_cause(out, f, m, false);
}

static void stalled(struct strbuf *out, const struct family *f, const struct metrics *m)
{
	by_cause(out, f, m, true);
}

static void open_stall(struct strbuf *out, const struct family *f, const struct metrics *m)
{
	for (size_t a = 0; a < m->n_apps; a++) {
		if (!m->apps[a].vitals->loops)
			continue;
		begin(out, f->name, &m->apps[a]);
		strbuf_puts(out, "} ");
		put_seconds(out, m->apps[a].vitals->open);
	}
}

/* What is not known has no row. */
static void put_ratio(struct strbuf *out, const char *name, const struct metrics_app *app,
		      const nsec part_whole[2])
{
	if (!part_whole[1])
		return;
	begin(out, name, app);
	strbuf_printf(out, "} %.6g\n", (double)part_whole[0] / (double)part_whole[1]);
}

static void utilization(struct strbuf *out, const struct family *f, const struct metrics *m)
{
	for (size_t a = 0; a < m->n_apps; a++) {
		const struct vitals *v = m->apps[a].vitals;

		put_ratio(out, f->name, &m->apps[a], (nsec[]){ v->busy, v->busy + v->polled });
	}
}

static void overhead(struct strbuf *out, const struct family *f, const struct metrics *m)
{
	for (size_t a = 0; a < m->n_apps; a++) {
		const struct vitals *v = m->apps[a].vitals;

		/* Not every probe can tell. */
		if (v->taken)
			put_ratio(out, f->name, &m->apps[a], (nsec[]){ v->taken, v->observed });
	}
}

static void put_count(struct strbuf *out, const char *name, const struct metrics_app *app,
		      uint64_t n)
{
	begin(out, name, app);
	strbuf_printf(out, "} %" PRIu64 "\n", n);
}

static void loops(struct strbuf *out, const struct family *f, const struct metrics *m)
{
	for (size_t a = 0; a < m->n_apps; a++)
		put_count(out, f->name, &m->apps[a], m->apps[a].vitals->loops);
}

static void lost_samples(struct strbuf *out, const struct family *f, const struct metrics *m)
{
	for (size_t a = 0; a < m->n_apps; a++)
		put_count(out, f->name, &m->apps[a], m->apps[a].vitals->total.lost_samples);
}

static void lost_turns(struct strbuf *out, const struct family *f, const struct metrics *m)
{
	for (size_t a = 0; a < m->n_apps; a++)
		put_count(out, f->name, &m->apps[a], m->apps[a].vitals->total.lost_turns);
}

static void processes(struct strbuf *out, const struct family *f, const struct metrics *m)
{
	for (size_t a = 0; a < m->n_apps; a++) {
		for (size_t i = 0; i < OBSERVED_STATES; i++) {
			begin(out, f->name, &m->apps[a]);
			strbuf_printf(out, ",state=\"%s\"} %u\n", observed_names[i],
				      m->apps[a].processes[i]);
		}
	}
}

static void wanted(struct strbuf *out, const struct family *f, const struct metrics *m)
{
	for (size_t i = 0; i < m->n_wanted; i++) {
		strbuf_printf(out, "%s{pattern=\"", f->name);
		put_label(out, m->wanted[i].pattern);
		strbuf_printf(out, "\"} %u\n", m->wanted[i].processes);
	}
}

static void own_cpu(struct strbuf *out, const struct family *f, const struct metrics *m)
{
	strbuf_printf(out, "%s ", f->name);
	put_seconds(out, m->own_cpu);
}

static void own_memory(struct strbuf *out, const struct family *f, const struct metrics *m)
{
	strbuf_printf(out, "%s %" PRIu64 "\n", f->name, m->memory);
}

static void build(struct strbuf *out, const struct family *f, const struct metrics *m)
{
	strbuf_printf(out, "%s{version=\"" LAGPROF_VERSION "\"} 1\n", f->name);
}

static const struct family families[] = {
	/* clang-format off */
	{ "lagprof_loop_lag_seconds", "histogram", "Length of every turn of the event loops.", lag },
	{ "lagprof_loop_stalls_total", "counter",
	  "Turns that lasted the threshold or longer, after startup.", stalls },
	{ "lagprof_loop_stall_seconds_total", "counter", "Time in those turns.", stalled },
	{ "lagprof_loop_open_stall_seconds", "gauge",
	  "How long the longest stall has lasted that goes on; 0: none does.", open_stall },
	{ "lagprof_loop_utilization_ratio", "gauge",
	  "Share of the last 15 s that the loops were inside turns.", utilization },
	{ "lagprof_loops", "gauge", "Threads that were seen to run an event loop.", loops },
	{ "lagprof_samples_lost_total", "counter", "Stacks that were lost.", lost_samples },
	{ "lagprof_turns_lost_total", "counter",
	  "Turns whose beginning or end was lost: nothing is known of them.", lost_turns },
	{ "lagprof_overhead_ratio", "gauge",
	  "Share of the last 15 s that watching took from the targets, estimated.", overhead },
	{ "lagprof_processes", "gauge",
	  "Processes that are to be watched; only those in the state observed are.", processes },
	{ "lagprof_wanted_processes", "gauge",
	  "Processes there are of each pattern that is to be watched.", wanted },
	{ "lagprof_agent_cpu_seconds_total", "counter", "CPU time of the agent itself.", own_cpu },
	{ "lagprof_agent_resident_memory_bytes", "gauge", "Memory of the agent itself.", own_memory },
	{ "lagprof_build_info", "gauge", "The version of lagprof.", build },
	/* clang-format on */
};

static void put_family(struct strbuf *out, const struct family *f, const struct metrics *m)
{
	strbuf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, f->type);
	f->rows(out, f, m);
}

/* The names of prom-client 15, for dashboards that are made for them. */
static const struct eventloop_gauge {
	const char *name, *help;
	double quantile; /* negative: see eventloop_value() */
} eventloop_gauges[] = {
	/* clang-format off */
	{ "nodejs_eventloop_lag_seconds", "Mean length of a turn in the last moments.", -1 },
	{ "nodejs_eventloop_lag_min_seconds", "The shortest turn of the last moments.", 0 },
	{ "nodejs_eventloop_lag_max_seconds", "The longest turn of the last moments.", 1 },
	{ "nodejs_eventloop_lag_mean_seconds", "Mean length of a turn in the last moments.", -1 },
	{ "nodejs_eventloop_lag_stddev_seconds", "Standard deviation of the turns.", -2 },
	{ "nodejs_eventloop_lag_p50_seconds", "The 50th percentile of the turns.", 0.5 },
	{ "nodejs_eventloop_lag_p90_seconds", "The 90th percentile of the turns.", 0.9 },
	{ "nodejs_eventloop_lag_p99_seconds", "The 99th percentile of the turns.", 0.99 },
	/* clang-format on */
};

static double eventloop_value(const struct eventloop_gauge *g, const struct hist *h)
{
	if (g->quantile >= 0)
		return (double)hist_quantile(h, g->quantile) / 1e9;
	if (g->quantile == -1)
		return (double)h->sum / (double)h->n / 1e9;
	return hist_stddev(h) / 1e9;
}

static void put_eventloop(struct strbuf *out, const struct eventloop_gauge *g,
			  const struct metrics *m)
{
	strbuf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", g->name, g->help, g->name);
	for (size_t a = 0; a < m->n_apps; a++) {
		const struct hist *h = m->apps[a].recent_lag;

		if (!h->n)
			continue;
		begin(out, g->name, &m->apps[a]);
		strbuf_printf(out, "} %.6g\n", eventloop_value(g, h));
	}
}

void metrics_write(struct strbuf *out, const struct metrics *m)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		put_family(out, &families[i], m);
	for (size_t i = 0;
	     m->prom_client && i < sizeof(eventloop_gauges) / sizeof(*eventloop_gauges); i++)
		put_eventloop(out, &eventloop_gauges[i], m);
}
