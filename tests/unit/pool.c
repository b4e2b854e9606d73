#include "sampler/pool_watch.h"

#include <unistd.h>

#include "tests/test.h"

#define MS 1000000ull

/* The variables of libuv's threadpool.c, and requests with their nodes. */
struct node {
	struct node *next, *prev;
};

static struct fake {
	unsigned nthreads, idle;
	struct node queue, slow, message, exit, work[400];
} fake;

static struct pool_place place(void)
{
	return (struct pool_place){
		.nthreads = (uintptr_t)&fake.nthreads,
		.idle_threads = (uintptr_t)&fake.idle,
		.queue = (uintptr_t)&fake.queue,
		.slow_queue = (uintptr_t)&fake.slow,
		.slow_message = (uintptr_t)&fake.message,
		.exit_message = (uintptr_t)&fake.exit,
	};
}

static void push(struct node *head, struct node *node)
{
	node->next = head;
	node->prev = head->prev;
	head->prev->next = node;
	head->prev = node;
}

static void pop(struct node *head)
{
	struct node *node = head->next;

	head->next = node->next;
	node->next->prev = head;
	node->next = node;
}

static struct memory_live *memory;

static int look(struct pool *p, nsec at, struct threadpool *out)
{
	memory_live_forget(memory);
	return pool_look(p, memory_of_live(memory), at, out);
}

/* A started pool of `threads`, all of them idle. */
static struct pool start(unsigned threads, struct threadpool *out)
{
	struct pool_place at = place();
	struct pool p;

	fake = (struct fake){ .nthreads = threads, .idle = threads };
	fake.queue = (struct node){ &fake.queue, &fake.queue };
	fake.slow = (struct node){ &fake.slow, &fake.slow };
	*out = (struct threadpool){ 0 };
	hist_init(&out->queue_wait);
	memory = memory_live_new(getpid());
	pool_init(&p, &at);
	return p;
}

TEST(pool_that_was_never_used_is_not_known)
{
	struct threadpool out;
	struct pool p = start(0, &out);

	memset(&fake.queue, 0, sizeof(fake.queue));
	CHECK_EQ(look(&p, 10 * MS, &out), 0);
	CHECK(!out.known);
	CHECK_EQ(out.observed, 0);
	memory_live_free(memory);
}

TEST(pool_time_between_looks_belongs_half_to_each)
{
	struct threadpool out;
	struct pool p = start(4, &out);

	look(&p, 100 * MS, &out);
	fake.idle = 0;
	look(&p, 110 * MS, &out);
	look(&p, 120 * MS, &out);
	fake.idle = 3;
	look(&p, 130 * MS, &out);
	CHECK(out.known);
	CHECK_EQ(out.size, 4);
	CHECK_EQ(out.observed, 4 * 30 * MS);
	CHECK_EQ(out.saturated, 20 * MS);
	CHECK_EQ(out.busy, (4 * 5 + 4 * 10 + 4 * 5 + 5) * MS);
	CHECK_EQ(out.queue_wait.n, 0);
	memory_live_free(memory);
}

TEST(pool_work_waits_from_between_two_looks_to_between_two_others)
{
	struct threadpool out;
	struct pool p = start(1, &out);

	look(&p, 100 * MS, &out);
	fake.idle = 0;
	for (int i = 0; i < 3; i++)
		push(&fake.queue, &fake.work[i]);
	look(&p, 110 * MS, &out);
	pop(&fake.queue);
	look(&p, 120 * MS, &out);
	CHECK_EQ(out.queue_wait.n, 1);
	CHECK_EQ(out.queue_wait.max, 10 * MS);
	look(&p, 130 * MS, &out);
	pop(&fake.queue);
	pop(&fake.queue);
	look(&p, 140 * MS, &out);
	CHECK_EQ(out.queue_wait.n, 3);
	CHECK_EQ(out.queue_wait.min, 10 * MS);
	CHECK_EQ(out.queue_wait.max, 30 * MS);
	memory_live_free(memory);
}

/* As in uv_getaddrinfo_t: what follows the node. */
struct lookup {
	struct node node;
	void *callback, *hints;
	const char *host;
};

TEST(pool_counts_the_time_that_lookups_wait_beside_idle_threads)
{
	struct lookup lookup = { .host = "db.internal" };
	struct threadpool out;
	struct pool p = start(4, &out);

	look(&p, 100 * MS, &out);
	fake.idle = 2;
	push(&fake.slow, &lookup.node);
	look(&p, 110 * MS, &out);
	look(&p, 130 * MS, &out);
	CHECK_EQ(out.lookups, 25 * MS);
	CHECK_EQ(out.saturated, 0);
	CHECK_STR(out.lookup_host, "db.internal");
	pop(&fake.slow);
	look(&p, 140 * MS, &out);
	CHECK_EQ(out.lookups, 25 * MS);
	/* Of getnameinfo() there is no name. */
	lookup.host = "\x02\x35";
	push(&fake.slow, &lookup.node);
	look(&p, 150 * MS, &out);
	CHECK_STR(out.lookup_host, "db.internal");
	memory_live_free(memory);
}

TEST(pool_that_ends_its_threads_is_not_saturated_and_what_waited_still_counts)
{
	struct threadpool out;
	struct pool p = start(2, &out);

	look(&p, 100 * MS, &out);
	push(&fake.slow, &fake.work[0]);
	look(&p, 110 * MS, &out);
	push(&fake.queue, &fake.exit);
	fake.idle = 0;
	look(&p, 120 * MS, &out);
	look(&p, 220 * MS, &out);
	CHECK_EQ(out.saturated, 0);
	fake.nthreads = 0;
	look(&p, 240 * MS, &out);
	CHECK(out.known);
	pool_finish(&p, &out);
	CHECK_EQ(out.queue_wait.n, 1);
	memory_live_free(memory);
}

TEST(pool_work_at_an_address_that_was_known_is_other_work)
{
	struct threadpool out;
	struct pool p = start(1, &out);

	look(&p, 100 * MS, &out);
	push(&fake.queue, &fake.work[0]);
	push(&fake.queue, &fake.work[1]);
	look(&p, 110 * MS, &out);
	pop(&fake.queue);
	push(&fake.queue, &fake.work[0]);
	look(&p, 120 * MS, &out);
	CHECK_EQ(out.queue_wait.n, 1);
	look(&p, 200 * MS, &out);
	pop(&fake.queue);
	pop(&fake.queue);
	look(&p, 210 * MS, &out);
	CHECK_EQ(out.queue_wait.n, 3);
	CHECK_EQ(out.queue_wait.sum, (10 + 100 + 90) * MS);
	memory_live_free(memory);
}

TEST(pool_slow_work_is_counted_once_and_its_message_never)
{
	struct threadpool out;
	struct pool p = start(4, &out);

	look(&p, 100 * MS, &out);
	push(&fake.queue, &fake.message);
	push(&fake.slow, &fake.work[0]);
	look(&p, 110 * MS, &out);
	pop(&fake.queue);
	look(&p, 120 * MS, &out);
	CHECK_EQ(out.queue_wait.n, 0);
	pop(&fake.slow);
	look(&p, 130 * MS, &out);
	CHECK_EQ(out.queue_wait.n, 1);
	CHECK_EQ(out.queue_wait.max, 20 * MS);
	memory_live_free(memory);
}

TEST(pool_work_that_still_waits_at_the_end_counts)
{
	struct threadpool out;
	struct pool p = start(1, &out);

	look(&p, 100 * MS, &out);
	push(&fake.queue, &fake.work[0]);
	look(&p, 110 * MS, &out);
	look(&p, 150 * MS, &out);
	pool_finish(&p, &out);
	CHECK_EQ(out.queue_wait.n, 1);
	CHECK_EQ(out.queue_wait.max, 45 * MS);
	memory_live_free(memory);
}

TEST(pool_walk_of_a_longer_queue_ends)
{
	struct threadpool out;
	struct pool p = start(1, &out);

	for (int i = 0; i < 400; i++)
		push(&fake.queue, &fake.work[i]);
	CHECK_EQ(look(&p, 100 * MS, &out), 0);
	CHECK_EQ(p.queues[0].n, POOL_MAX_WAITING);
	for (int i = 0; i < 300; i++)
		pop(&fake.queue);
	CHECK_EQ(look(&p, 120 * MS, &out), 0);
	CHECK_EQ(p.queues[0].n, 100);
	CHECK_EQ(out.queue_wait.n, POOL_MAX_WAITING);
	memory_live_free(memory);
}

TEST(pool_of_nonsense_is_not_believed)
{
	struct threadpool out;
	struct pool p = start(4, &out);
	struct pool_place at = place();
	struct memory *m = memory_of_live(memory);

	CHECK(pool_place_fits(&at, m));
	fake.work[0].prev = &fake.work[7];
	fake.queue.next = &fake.work[0];
	memory_live_forget(memory);
	CHECK(!pool_place_fits(&at, m));
	CHECK_EQ(look(&p, 100 * MS, &out), 0);
	CHECK_EQ(p.queues[0].n, 0);
	fake.idle = 5;
	CHECK(look(&p, 110 * MS, &out) < 0);
	fake.nthreads = fake.idle = 100000;
	CHECK(look(&p, 120 * MS, &out) < 0);
	at.queue = at.idle_threads = 8;
	pool_init(&p, &at);
	CHECK(look(&p, 130 * MS, &out) < 0);
	CHECK_EQ(out.observed, 0);
	memory_live_free(memory);
}

TEST(pool_of_several_processes_that_is_worst_off_is_reported)
{
	struct pool_watch calm = { .counts = { .known = true, .pid = 7, .busy = 900 } };
	struct pool_watch full = { .counts = { .known = true, .pid = 8, .saturated = 40 } };
	struct pool_watch none = { .counts = { .pid = 9, .saturated = 99 } };
	struct threadpool worst = { 0 };

	pool_watch_report(&calm, &worst);
	CHECK_EQ(worst.pid, 7);
	pool_watch_weigh(&full, 0.5);
	pool_watch_report(&full, &worst);
	pool_watch_report(&none, &worst);
	pool_watch_report(&calm, &worst);
	CHECK_EQ(worst.pid, 8);
	CHECK_EQ(worst.saturated_idle, 20);
	full.counts.saturated = 60;
	pool_watch_weigh(&full, 1);
	pool_watch_report(&full, &worst);
	CHECK_EQ(worst.saturated_idle, 40);
}
