#include "sampler/turns.h"
#include "tests/test.h"

#define MS 1000000ull

static void add_sample(struct turns *t, nsec at, enum sample_state state)
{
	struct sample s = { .at = at, .state = state, .syscall = -1 };

	turns_sample(t, &s);
}

static void add_sleep(struct turns *t, nsec from, nsec to, int syscall)
{
	struct sleep s = { .from = from, .to = to, .state = SAMPLE_BLOCKED, .syscall = syscall };

	turns_sleep(t, &s);
}

static nsec weights(const struct turns *t, size_t first, size_t n, enum sample_state state)
{
	nsec sum = 0;

	for (size_t i = first; i < first + n; i++)
		if (t->samples[i].state == state)
			sum += t->samples[i].weight;
	return sum;
}

TEST(turns_weights_of_a_state_add_up_to_its_time_to_the_nanosecond)
{
	struct turns t = { 0 };
	struct turn turn = { .start = 100 * MS, .end = 150 * MS + 7, .off = 20 * MS + 3 };
	struct stall stall = { 0 };
	size_t first, n;

	for (nsec at = 110 * MS; at < 130 * MS; at += 3 * MS)
		add_sample(&t, at, SAMPLE_RUNNING);
	add_sleep(&t, 130 * MS, 150 * MS, 35);
	add_sample(&t, 130 * MS, SAMPLE_BLOCKED);
	turns_settle(&t, &turn, &stall, &first, &n);
	CHECK_EQ(n, 8);
	CHECK_EQ(stall.duration, 50 * MS + 7);
	CHECK_EQ(stall.blocked, 20 * MS + 3);
	CHECK_EQ(stall.running, 30 * MS + 4);
	CHECK_EQ(weights(&t, first, n, SAMPLE_RUNNING), stall.running);
	CHECK_EQ(weights(&t, first, n, SAMPLE_BLOCKED), stall.blocked);
	turns_destroy(&t);
}

TEST(turns_split_adds_up_whatever_the_probe_says)
{
	struct turns t = { 0 };
	struct turn turn = { .start = 10, .end = 110, .off = 500, .stopped = 70, .delay = 900 };
	struct stall stall = { 0 };
	size_t first, n;

	turns_settle(&t, &turn, &stall, &first, &n);
	CHECK_EQ(stall.running + stall.runnable + stall.blocked + stall.stopped, stall.duration);
	CHECK_EQ(stall.duration, 100);
	CHECK_EQ(stall.stopped, 70);
	CHECK_EQ(stall.runnable, 30);
	turns_destroy(&t);
}

TEST(turns_sleeps_weigh_as_long_as_they_lasted)
{
	struct turns t = { 0 };
	struct turn turn = { .start = 0, .end = 40 * MS, .off = 40 * MS };
	struct stall stall = { 0 };
	size_t first, n;

	add_sleep(&t, 0, 10 * MS, 0);
	add_sample(&t, 0, SAMPLE_BLOCKED);
	add_sleep(&t, 10 * MS, 40 * MS, 61);
	add_sample(&t, 10 * MS, SAMPLE_BLOCKED);
	turns_settle(&t, &turn, &stall, &first, &n);
	CHECK_EQ(n, 2);
	CHECK(t.samples[1].weight > 29 * MS && t.samples[1].weight < 31 * MS);
	CHECK_EQ(t.samples[0].syscall, 0);
	CHECK_EQ(t.samples[1].syscall, 61);
	turns_destroy(&t);
}

TEST(turns_samples_of_other_turns_are_left_out)
{
	struct turns t = { 0 };
	struct turn turn = { .start = 100, .end = 200 };
	struct stall stall = { 0 };
	size_t first, n;

	add_sample(&t, 50, SAMPLE_RUNNING);
	add_sample(&t, 150, SAMPLE_RUNNING);
	add_sample(&t, 250, SAMPLE_RUNNING);
	turns_settle(&t, &turn, &stall, &first, &n);
	CHECK_EQ(n, 1);
	CHECK_EQ(t.samples[first].at, 150);
	turns_forget(&t, 200);
	CHECK_EQ(t.n_samples, 1);
	CHECK_EQ(t.samples[0].at, 250);
	turns_destroy(&t);
}

TEST(turns_late_stacks_are_put_in_order_of_time)
{
	struct turns t = { 0 };

	add_sample(&t, 30, SAMPLE_RUNNING);
	add_sample(&t, 10, SAMPLE_BLOCKED);
	add_sample(&t, 20, SAMPLE_RUNNING);
	CHECK_EQ(t.samples[0].at, 10);
	CHECK_EQ(t.samples[1].at, 20);
	CHECK_EQ(t.samples[2].at, 30);
	turns_destroy(&t);
}

TEST(turns_slices_of_an_open_stall_add_up_to_it)
{
	struct turns t = { 0 };
	struct turn slice = { .start = 0, .end = 20 * MS, .off = 15 * MS };
	struct stall stall = { 0 };
	size_t first, n;

	add_sleep(&t, 5 * MS, 20 * MS, 35);
	add_sample(&t, 5 * MS, SAMPLE_BLOCKED);
	turns_settle(&t, &slice, &stall, &first, &n);
	turns_forget(&t, slice.end);
	slice = (struct turn){ .start = 20 * MS, .end = 50 * MS, .off = 30 * MS };
	add_sleep(&t, 5 * MS, 50 * MS, 35);
	add_sample(&t, 20 * MS, SAMPLE_BLOCKED);
	turns_settle(&t, &slice, &stall, &first, &n);
	CHECK_EQ(stall.duration, 50 * MS);
	CHECK_EQ(stall.blocked, 45 * MS);
	CHECK_EQ(stall.running, 5 * MS);
	CHECK_EQ(stall.samples, 2);
	CHECK_EQ(t.samples[first].weight, 30 * MS);
	turns_destroy(&t);
}

TEST(turns_page_faults_are_sleeps_outside_any_system_call)
{
	struct turns t = { 0 };
	struct turn turn = { .start = 0, .end = 30 * MS, .off = 20 * MS };
	struct stall stall = { 0 };
	size_t first, n;

	add_sleep(&t, 0, 8 * MS, -1);
	add_sleep(&t, 10 * MS, 22 * MS, 0);
	turns_settle(&t, &turn, &stall, &first, &n);
	CHECK_EQ(stall.page_fault, 8 * MS);
	turns_destroy(&t);
}
