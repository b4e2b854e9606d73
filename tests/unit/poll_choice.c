#include "sampler/poll_choice.h"
#include "sampler/poll_key.h"
#include "tests/test.h"

#define S 1000000000ull

static bool feed(struct poll_choice *c, uint64_t key, uint64_t sp, nsec at, uint64_t matches)
{
	struct poll_seen poll = { .key = key, .sp = sp, .at = at };

	return poll_choice_feed(c, &poll, matches, true);
}

TEST(poll_choice_takes_the_first_poll_at_once)
{
	struct poll_choice c = { 0 };

	CHECK(feed(&c, POLL_KEY_EPOLL | 5, 0x7000, 1, 0));
	CHECK_EQ(POLL_KEY_FD(c.key), 5);
}

TEST(poll_choice_a_deeper_poll_is_made_inside_a_turn)
{
	struct poll_choice c = { 0 };

	feed(&c, POLL_KEY_EPOLL | 5, 0x7000, 1, 0);
	for (nsec i = 0; i < 100; i++)
		CHECK(!feed(&c, POLL_KEY_EPOLL | 9, 0x6000, i * S, 1000));
	CHECK_EQ(POLL_KEY_FD(c.key), 5);
}

TEST(poll_choice_a_shallower_poll_is_the_loop_after_all)
{
	struct poll_choice c = { 0 };

	feed(&c, POLL_KEY_EPOLL | 9, 0x6000, 1, 0);
	CHECK(feed(&c, POLL_KEY_EPOLL | 5, 0x7000, 2, 40));
	CHECK_EQ(POLL_KEY_FD(c.key), 5);
}

TEST(poll_choice_leaves_a_closed_descriptor)
{
	struct poll_choice c = { 0 };
	struct poll_seen poll = { .key = POLL_KEY_EPOLL | 9, .sp = 0x6000, .at = 2 };

	feed(&c, POLL_KEY_EPOLL | 5, 0x7000, 1, 0);
	CHECK(poll_choice_feed(&c, &poll, 1000, false));
	CHECK_EQ(POLL_KEY_FD(c.key), 9);
}

TEST(poll_choice_leaves_a_poll_of_the_startup_that_never_comes_again)
{
	struct poll_choice c = { 0 };
	bool changed = false;

	feed(&c, 0x7000, 0x7000, 1, 0);
	for (nsec i = 0; i < 40 && !changed; i++)
		changed = feed(&c, 0x6000, 0x6000, i * S / 4, 1);
	CHECK(changed);
	CHECK_EQ(c.key, 0x6000);
}

TEST(poll_choice_a_resolver_less_deep_than_the_frame_of_the_loop_is_no_loop)
{
	struct poll_choice c = { 0 };

	feed(&c, POLL_KEY_EPOLL | 5, 0x6000, 1, 0);
	/* Two polls for each of many names, each in a turn of its own. */
	for (nsec i = 0; i < 200; i++)
		CHECK(!feed(&c, 0x7000, 0x7000, i * S, 10 + i / 2));
	CHECK_EQ(POLL_KEY_FD(c.key), 5);
}

TEST(poll_choice_a_less_deep_poll_is_the_loop_when_the_chosen_one_comes_no_more)
{
	struct poll_choice c = { 0 };
	int n = 0;

	feed(&c, POLL_KEY_EPOLL | 5, 0x6000, 1, 0);
	while (n < 50 && !feed(&c, 0x7000, 0x7000, n, 10))
		n++;
	CHECK_EQ(n, 9);
	CHECK_EQ(c.key, 0x7000);
}

TEST(poll_choice_found_inside_a_turn_waits_for_a_poll_less_deep)
{
	struct poll_choice c = { 0 };

	poll_choice_nested(&c, 0x6000);
	for (nsec i = 0; i < 100; i++)
		CHECK(!feed(&c, POLL_KEY_EPOLL | 9, i % 2 ? 0x6000 : 0x5000, i * S / 4, 0));
	CHECK(feed(&c, POLL_KEY_EPOLL | 5, 0x7000, 25 * S, 0));
	CHECK_EQ(POLL_KEY_FD(c.key), 5);
	/* Or for half a minute: then it was no wait inside a turn. */
	poll_choice_nested(&c, 0x6000);
	for (nsec i = 0; i < 30; i++)
		CHECK(!feed(&c, POLL_KEY_EPOLL | 5, 0x6000, i * S, 0));
	CHECK(feed(&c, POLL_KEY_EPOLL | 5, 0x6000, 30 * S, 0));
}

/* libc's poll(2) makes its system call elsewhere, and deeper, once there is a second thread. */
TEST(poll_choice_follows_the_loop_when_its_program_starts_a_thread)
{
	struct poll_choice c = { 0 };
	struct poll_seen alone = { .key = 0x7000, .sp = 0x7000, .ip = 0x1010, .at = 1 };
	struct poll_seen inside = { .key = 0x6fc0, .sp = 0x6fc0, .ip = 0x1010, .at = 2 };
	struct poll_seen threaded = { .key = 0x6fd8, .sp = 0x6fd8, .ip = 0x104f, .at = 3 };
	struct poll_seen deep = { .key = 0x6e00, .sp = 0x6e00, .ip = 0x104f, .at = 4 };
	struct poll_seen elsewhere = { .key = 0x6fd8, .sp = 0x6fd8, .ip = 0x9000, .at = 5 };

	CHECK(poll_choice_feed(&c, &alone, 0, true));
	CHECK(!poll_choice_feed(&c, &inside, 1000, true));
	CHECK(!poll_choice_feed(&c, &deep, 1000, true));
	CHECK(!poll_choice_feed(&c, &elsewhere, 1000, true));
	CHECK(poll_choice_feed(&c, &threaded, 1000, true));
	CHECK_EQ(c.key, 0x6fd8);
	/* The one of a callback goes the same way now. */
	inside = (struct poll_seen){ .key = 0x6f98, .sp = 0x6f98, .ip = 0x104f, .at = 6 };
	CHECK(!poll_choice_feed(&c, &inside, 1000, true));
}

TEST(poll_choice_leaves_a_poll_of_the_startup_for_an_epoll)
{
	struct poll_choice c = { 0 };

	feed(&c, 0x7000, 0x7000, 1, 0);
	CHECK(feed(&c, POLL_KEY_EPOLL | 5, 0x6000, 2, 1));
	/* But not one that has turned many times. */
	c = (struct poll_choice){ 0 };
	feed(&c, 0x7000, 0x7000, 1, 0);
	CHECK(!feed(&c, POLL_KEY_EPOLL | 5, 0x6000, 2, 100));
	CHECK_EQ(c.key, 0x7000);
}
