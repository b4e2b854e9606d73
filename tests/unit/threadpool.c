#include "analyzers/threadpool.h"

#include "tests/test.h"

#define MS 1000000ull

/* Ten jobs at a time on four threads of a machine with eight CPUs, most of them idle. */
static struct recording *make_saturated(void)
{
	struct recording *rec = recording_new();
	struct loop *loop = recording_add_loop(rec);

	rec->session.duration = 10000 * MS;
	rec->host = (struct host){ .cpus = 8, .cpu = 80000 * MS, .idle = 60000 * MS };
	rec->threadpool = (struct threadpool){ .known = true,
					       .size = 4,
					       .observed = 40000 * MS,
					       .busy = 32000 * MS,
					       .saturated = 7000 * MS,
					       .saturated_idle = 4900 * MS };
	hist_init(&rec->threadpool.queue_wait);
	for (uint64_t i = 1; i <= 60; i++)
		hist_add(&rec->threadpool.queue_wait, i * MS);
	for (int i = 0; i < 1000; i++)
		hist_add(&loop->lag, MS);
	return rec;
}

/* Judges rec: the advice must hold `words`, or there is none (NULL). */
static void expect(struct recording *rec, const char *words)
{
	struct diagnosis d = { 0 };

	threadpool_judge(rec, &d);
	CHECK_EQ(d.pool.saturated, words != NULL);
	CHECK((d.pool.advice != NULL) == (words != NULL));
	if (words && d.pool.advice && !strstr(d.pool.advice, words))
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", d.pool.advice, words);
	arena_free(&d.arena);
	recording_free(rec);
}

TEST(threadpool_grows_to_the_cpus_while_they_are_idle)
{
	expect(make_saturated(), "UV_THREADPOOL_SIZE=8");
}

/* A dead name server: look-ups fill their half of the threads, and files are read beside them. */
TEST(threadpool_full_of_lookups_is_the_name_servers_doing_not_the_cpus)
{
	struct recording *rec = make_saturated();

	rec->threadpool.saturated = rec->threadpool.saturated_idle = 0;
	rec->threadpool.lookups = 6000 * MS;
	snprintf(rec->threadpool.lookup_host, sizeof(rec->threadpool.lookup_host), "db.internal");
	expect(rec,
	       "names (such as db.internal) that wait, for libuv gives them 2 of its 4 threads");
	rec = make_saturated();
	rec->threadpool.lookups = 6000 * MS;
	rec->threadpool.saturated_idle = 0;
	expect(rec, "It is look-ups of names that wait");
	/* A few of them beside much else. */
	rec = make_saturated();
	rec->threadpool.lookups = 2000 * MS;
	expect(rec, "UV_THREADPOOL_SIZE=8");
}

TEST(threadpool_is_left_alone_when_the_cpus_are_full)
{
	struct recording *rec = make_saturated();

	rec->threadpool.saturated_idle = 300 * MS;
	expect(rec, "Leave UV_THREADPOOL_SIZE at 4");
}

TEST(threadpool_is_left_alone_when_a_quota_is_used_up)
{
	struct recording *rec = make_saturated();

	rec->host.quota = 1000;
	rec->host.throttled = 2000 * MS;
	expect(rec, "Leave UV_THREADPOOL_SIZE at 4");
}

TEST(threadpool_comes_after_a_loop_that_is_blocked)
{
	struct recording *rec = make_saturated();
	struct stall *stall = recording_add_stall(rec);

	stall->duration = stall->running = 400 * MS;
	stall->phase = PHASE_SERVING;
	for (int i = 0; i < 100; i++)
		hist_add(&rec->loops[0]->lag, 60 * MS);
	expect(rec, "Unblock the loop first");
}

TEST(threadpool_is_not_blamed_on_a_loop_that_only_waits_for_a_cpu)
{
	struct recording *rec = make_saturated();
	struct stall *stall = recording_add_stall(rec);

	stall->duration = stall->runnable = 400 * MS;
	stall->phase = PHASE_SERVING;
	for (int i = 0; i < 100; i++)
		hist_add(&rec->loops[0]->lag, 60 * MS);
	expect(rec, "UV_THREADPOOL_SIZE=8");
}

TEST(threadpool_with_a_thread_a_cpu_waits_for_something_else)
{
	struct recording *rec = make_saturated();

	rec->host.cpus = 4;
	expect(rec, "off the pool");
}

TEST(threadpool_that_nothing_waits_for_is_fine)
{
	struct recording *rec = make_saturated();

	hist_init(&rec->threadpool.queue_wait);
	expect(rec, NULL);
	rec = make_saturated();
	rec->threadpool.known = false;
	expect(rec, NULL);
	/* Threads that sleep take a moment to wake up: that is no want of threads. */
	rec = make_saturated();
	rec->threadpool.saturated = 20 * MS;
	expect(rec, NULL);
}
