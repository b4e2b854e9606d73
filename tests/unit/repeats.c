#include "report/repeats.h"

#include <string.h>

#include "tests/test.h"

#define S  1000000000ull
#define MS 1000000ull

struct bench {
	struct recording *rec;
	struct repeats repeats;
	struct frame culprit;
};

static struct bench bench_new(void)
{
	struct bench b = { .rec = recording_new(),
			   .culprit = { .kind = FRAME_JS,
					.function = "login",
					.file = "/app/server.js",
					.line = 33 } };

	recording_add_loop(b.rec)->pid = 7;
	return b;
}

static void bench_free(struct bench *b)
{
	repeats_destroy(&b->repeats);
	recording_free(b->rec);
}

static bool show(struct bench *b, nsec at, nsec length)
{
	struct stall stall = { .start = at, .duration = length };
	struct stall_diagnosis d = { .cause = CAUSE_SYNC_CRYPTO, .culprit = &b->culprit };

	return repeats_show(&b->repeats, b->rec, &stall, &d);
}

/* What is told at `now`, in a buffer that the next call uses again. */
static const char *told(struct bench *b, nsec now)
{
	static char text[512];
	struct strbuf out = { 0 };

	repeats_tell(&b->repeats, now, true, &out);
	snprintf(text, sizeof(text), "%s", out.s ? out.s : "");
	strbuf_destroy(&out);
	return text;
}

TEST(repeats_shows_a_few_stalls_of_a_place_and_counts_the_rest)
{
	struct bench b = bench_new();
	int shown = 0;

	for (nsec i = 0; i < 30; i++)
		shown += show(&b, i * S / 4, 40 * MS);
	CHECK_EQ(shown, 5);
	CHECK_STR(told(&b, 9 * S), "");
	CHECK(strstr(told(&b, 10 * S), "25 more") != NULL);
	CHECK_STR(told(&b, 11 * S), "");
	CHECK(show(&b, 12 * S, 40 * MS));
	bench_free(&b);
}

TEST(repeats_shows_at_once_what_is_twice_as_bad)
{
	struct bench b = bench_new();

	for (nsec i = 0; i < 8; i++)
		show(&b, i * S / 10, 40 * MS);
	CHECK(!show(&b, S, 79 * MS));
	CHECK(show(&b, S, 90 * MS));
	bench_free(&b);
}

TEST(repeats_tells_apart_places_and_says_what_is_left_at_the_end)
{
	struct bench b = bench_new();

	for (nsec i = 0; i < 6; i++)
		show(&b, i * S / 10, 40 * MS);
	b.culprit.line = 34;
	CHECK(show(&b, S, 40 * MS));
	CHECK_STR(told(&b, 5 * S), "");
	CHECK_STR(told(&b, UINT64_MAX),
		  "... 1 more | sync_crypto | server.js:33 login | 40 ms, worst 40 ms\n");
	bench_free(&b);
}
