#include "report/metrics.h"

#include <stdlib.h>

#include "tests/test.h"

enum { MS = 1000000 };

static char *write(const struct vitals *v, struct metrics_app app, struct metrics m)
{
	struct strbuf out = { 0 };

	app.vitals = v;
	m.apps = &app;
	m.n_apps = 1;
	metrics_write(&out, &m);
	return out.s;
}

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at += len)
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
	return false;
}

static void check_lines(const char *text, const char *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!has_line(text, lines[i]))
			test_fail(__FILE__, __LINE__, "no \"%s\" in:\n%s", lines[i], text);
}

#define CHECK_LINES(text, ...)                                  \
	check_lines(text, (const char *const[]){ __VA_ARGS__ }, \
		    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

TEST(metrics_count_turns_at_or_below_each_bound)
{
	struct vitals v;
	char *text;

	vitals_init(&v);
	hist_add(&v.total.lag, MS / 2);
	hist_add(&v.total.lag, 15 * MS);
	hist_add(&v.total.lag, 150ull * MS);
	hist_add(&v.total.lag, 60000ull * MS);
	text = write(&v, (struct metrics_app){ .name = "shop" }, (struct metrics){ 0 });
	CHECK_LINES(text, "# TYPE lagprof_loop_lag_seconds histogram",
		    "lagprof_loop_lag_seconds_bucket{app=\"shop\",le=\"0.001\"} 1",
		    "lagprof_loop_lag_seconds_bucket{app=\"shop\",le=\"0.01\"} 1",
		    "lagprof_loop_lag_seconds_bucket{app=\"shop\",le=\"0.02\"} 2",
		    "lagprof_loop_lag_seconds_bucket{app=\"shop\",le=\"0.1\"} 2",
		    "lagprof_loop_lag_seconds_bucket{app=\"shop\",le=\"0.2\"} 3",
		    "lagprof_loop_lag_seconds_bucket{app=\"shop\",le=\"10\"} 3",
		    "lagprof_loop_lag_seconds_bucket{app=\"shop\",le=\"+Inf\"} 4",
		    "lagprof_loop_lag_seconds_sum{app=\"shop\"} 60.165500000",
		    "lagprof_loop_lag_seconds_count{app=\"shop\"} 4");
	free(text);
}

TEST(metrics_have_every_cause_from_the_start)
{
	struct vitals v;
	char *text;

	vitals_init(&v);
	v.total.stalls[CAUSE_REGEX] = 3;
	v.total.stalled[CAUSE_REGEX] = 1234567890;
	text = write(&v, (struct metrics_app){ .name = "shop" }, (struct metrics){ 0 });
	CHECK_LINES(text, "lagprof_loop_stalls_total{app=\"shop\",cause=\"regex\"} 3",
		    "lagprof_loop_stalls_total{app=\"shop\",cause=\"gc\"} 0",
		    "lagprof_loop_stall_seconds_total{app=\"shop\",cause=\"regex\"} 1.234567890",
		    "lagprof_loop_stall_seconds_total{app=\"shop\",cause=\"unknown\"} 0.000000000");
	free(text);
}

TEST(metrics_leave_out_what_is_not_known)
{
	struct vitals v;
	char *text;

	vitals_init(&v);
	text = write(&v, (struct metrics_app){ .name = "shop" }, (struct metrics){ 0 });
	CHECK(!strstr(text, "lagprof_loop_utilization_ratio{"));
	CHECK(!strstr(text, "lagprof_overhead_ratio{"));
	CHECK(!strstr(text, "lagprof_loop_open_stall_seconds{"));
	free(text);
	v.observed = 1000;
	text = write(&v, (struct metrics_app){ .name = "shop" }, (struct metrics){ 0 });
	CHECK(!strstr(text, "lagprof_overhead_ratio{"));
	free(text);
	v.loops = 1;
	v.busy = 250;
	v.polled = 750;
	v.taken = 5;
	v.open = 3 * 1000000000ull;
	text = write(&v, (struct metrics_app){ .name = "shop" }, (struct metrics){ 0 });
	CHECK_LINES(text, "lagprof_loop_utilization_ratio{app=\"shop\"} 0.25",
		    "lagprof_overhead_ratio{app=\"shop\"} 0.005",
		    "lagprof_loop_open_stall_seconds{app=\"shop\"} 3.000000000");
	free(text);
}

TEST(metrics_say_how_many_processes_are_not_observed)
{
	const struct metrics_wanted wanted[] = { { "shop*", 3 }, { "a\"b\\c", 0 } };
	struct vitals v;
	char *text;

	vitals_init(&v);
	text = write(
		&v,
		(struct metrics_app){ .name = "shop",
				      .processes = { [OBSERVED_LOOP] = 2, [OBSERVED_NOT] = 1 } },
		(struct metrics){
			.wanted = wanted, .n_wanted = 2, .own_cpu = 1500 * MS, .memory = 4096 });
	CHECK_LINES(text, "lagprof_processes{app=\"shop\",state=\"observed\"} 2",
		    "lagprof_processes{app=\"shop\",state=\"failed\"} 1",
		    "lagprof_processes{app=\"shop\",state=\"no_loop\"} 0",
		    "lagprof_wanted_processes{pattern=\"shop*\"} 3",
		    "lagprof_wanted_processes{pattern=\"a\\\"b\\\\c\"} 0",
		    "lagprof_agent_cpu_seconds_total 1.500000000",
		    "lagprof_agent_resident_memory_bytes 4096",
		    "lagprof_build_info{version=\"" LAGPROF_VERSION "\"} 1");
	free(text);
}

TEST(metrics_names_from_a_target_end_no_label_and_no_line)
{
	struct vitals v;
	char *text;

	vitals_init(&v);
	text = write(&v, (struct metrics_app){ .name = "a\"} 1\nb\\\xff{" }, (struct metrics){ 0 });
	CHECK_LINES(text, "lagprof_loops{app=\"a\\\"} 1\\\\x0ab\\\\\\\\xff{\"} 0");
	free(text);
}

TEST(metrics_of_prom_client_come_when_asked_for_and_something_is_known)
{
	struct vitals v;
	struct hist recent;
	char *text;

	vitals_init(&v);
	hist_init(&recent);
	text = write(&v, (struct metrics_app){ .name = "s", .recent_lag = &recent },
		     (struct metrics){ .prom_client = true });
	CHECK(strstr(text, "# TYPE nodejs_eventloop_lag_p99_seconds gauge\n"));
	CHECK(!strstr(text, "nodejs_eventloop_lag_p99_seconds{"));
	free(text);
	hist_add(&recent, 2000000000);
	hist_add(&recent, 1000000000);
	text = write(&v, (struct metrics_app){ .name = "s", .recent_lag = &recent },
		     (struct metrics){ .prom_client = true });
	CHECK_LINES(text, "nodejs_eventloop_lag_seconds{app=\"s\"} 1.5",
		    "nodejs_eventloop_lag_mean_seconds{app=\"s\"} 1.5",
		    "nodejs_eventloop_lag_min_seconds{app=\"s\"} 1",
		    "nodejs_eventloop_lag_max_seconds{app=\"s\"} 2",
		    "nodejs_eventloop_lag_p99_seconds{app=\"s\"} 1.99649");
	free(text);
	text = write(&v, (struct metrics_app){ .name = "s", .recent_lag = &recent },
		     (struct metrics){ 0 });
	CHECK(!strstr(text, "nodejs_"));
	free(text);
}

TEST(vitals_of_what_is_gone_keep_their_totals_only)
{
	struct vitals sum, v;

	vitals_init(&sum);
	vitals_init(&v);
	hist_add(&v.total.lag, 5);
	v.total.stalls[CAUSE_GC] = 2;
	v.total.lost_samples = 7;
	v.busy = 1;
	v.open = 9;
	v.loops = 1;
	vitals_add_totals(&sum, &v);
	CHECK_EQ(sum.total.lag.n, 1);
	CHECK_EQ(sum.total.stalls[CAUSE_GC], 2);
	CHECK_EQ(sum.total.lost_samples, 7);
	CHECK_EQ(sum.busy + sum.open + sum.loops, 0);
	vitals_add(&sum, &v);
	v.open = 4;
	vitals_add(&sum, &v);
	CHECK_EQ(sum.total.stalls[CAUSE_GC], 6);
	CHECK_EQ(sum.open, 9);
	CHECK_EQ(sum.loops, 2);
}
