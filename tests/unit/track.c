#include "sampler/proc/track.h"
#include "tests/test.h"

enum { MS = 1000000 };

static const struct cpu_time fresh = { .exec = 100 * MS, .delay = 7 * MS, .exact = true };

TEST(a_turn_is_split_by_the_time_on_a_cpu_where_that_is_exact)
{
	struct cpu_time now = { .exec = 108 * MS, .delay = 8 * MS, .exact = true };
	struct turn turn;
	struct track t;

	track_init(&t);
	track_begin_turn(&t, 1000 * MS, &fresh);
	CHECK(track_begin_poll(&t, 1020 * MS, &now, &turn));
	CHECK_EQ(turn.start, 1000 * (nsec)MS);
	CHECK_EQ(turn.end, 1020 * (nsec)MS);
	CHECK_EQ(turn.off, 12 * (nsec)MS);
	CHECK_EQ(turn.delay, 1 * (nsec)MS);
	CHECK_EQ(t.turns, 1);
	CHECK_EQ(t.busy, 20 * (nsec)MS);
}

TEST(where_it_is_not_the_waits_that_were_seen_split_it)
{
	struct cpu_time now = { .exec = 112 * MS, .delay = 10 * MS, .exact = false };
	struct sleep sleep = { .from = 1002 * MS }, ended;
	struct turn turn;
	struct track t;

	track_init(&t);
	track_begin_turn(&t, 1000 * MS, &fresh);
	track_begin_sleep(&t, &sleep);
	CHECK(track_end_sleep(&t, 1007 * MS, &ended));
	CHECK_EQ(ended.to, 1007 * (nsec)MS);
	CHECK(track_begin_poll(&t, 1020 * MS, &now, &turn));
	CHECK_EQ(turn.off, 8 * (nsec)MS);
	CHECK_EQ(turn.delay, 3 * (nsec)MS);
}

TEST(waits_that_nobody_saw_show_in_the_time_on_a_cpu)
{
	struct cpu_time now = { .exec = 105 * MS, .delay = 7 * MS, .exact = false };
	struct turn turn;
	struct track t;

	track_init(&t);
	track_begin_turn(&t, 1000 * MS, &fresh);
	CHECK(track_begin_poll(&t, 1050 * MS, &now, &turn));
	/* 45 ms, less a clock tick that may have been missed. */
	CHECK_EQ(turn.off, 41 * (nsec)MS);
	CHECK_EQ(turn.delay, 0);
}

TEST(what_a_late_lagprof_held_up_is_a_wait_for_a_cpu)
{
	struct cpu_time now = { .exec = 102 * MS, .delay = 8 * MS, .exact = true };
	struct sleep sleep = { .from = 1002 * MS }, ended;
	struct turn turn;
	struct track t;

	track_init(&t);
	track_begin_turn(&t, 1000 * MS, &fresh);
	track_begin_sleep(&t, &sleep);
	track_end_sleep(&t, 1007 * MS, &ended);
	track_hold(&t, 50 * MS);
	CHECK(track_begin_poll(&t, 1020 * MS, &now, &turn));
	/* Of 18 ms off the CPU it slept for 5. */
	CHECK_EQ(turn.off, 18 * (nsec)MS);
	CHECK_EQ(turn.delay, 13 * (nsec)MS);
}

TEST(a_turn_can_be_shortened_by_what_went_unseen)
{
	struct cpu_time now = { .exec = 115 * MS, .delay = 7 * MS, .exact = true };
	struct turn turn;
	struct track t;

	track_init(&t);
	track_begin_turn(&t, 1000 * MS, &fresh);
	track_shorten(&t, 1010 * MS, 6 * MS);
	CHECK(track_begin_poll(&t, 1020 * MS, &now, &turn));
	CHECK_EQ(turn.start, 1010 * (nsec)MS);
	CHECK_EQ(turn.off, 1 * (nsec)MS);
}

TEST(a_turn_that_is_not_known_to_have_begun_does_not_end)
{
	struct turn turn;
	struct track t;

	track_init(&t);
	CHECK(!track_begin_poll(&t, 5 * MS, &fresh, &turn));
	CHECK_EQ(t.turns, 0);
	track_begin_turn(&t, 9 * MS, &fresh);
	CHECK_EQ(t.polled, 4 * (nsec)MS);
	track_lose(&t);
	CHECK(!track_begin_poll(&t, 15 * MS, &fresh, &turn));
}

TEST(a_look_shows_the_sleep_in_hand_and_the_waits_so_far)
{
	struct sleep sleep = { .from = 1002 * MS, .state = SAMPLE_STOPPED }, ended;
	struct loop_look look;
	struct track t;

	track_init(&t);
	track_begin_turn(&t, 1000 * MS, &fresh);
	track_begin_sleep(&t, &sleep);
	CHECK(track_end_sleep(&t, 1004 * MS, &ended));
	sleep.from = 1006 * MS;
	track_begin_sleep(&t, &sleep);
	track_look(&t, 9 * MS, &look);
	CHECK_EQ(look.turn_start, 1000 * (nsec)MS);
	CHECK_EQ(look.off, 4 * (nsec)MS);
	CHECK_EQ(look.stopped, 2 * (nsec)MS);
	CHECK_EQ(look.sleep.from, 1006 * (nsec)MS);
	CHECK_EQ(look.delay_base, fresh.delay);
}
