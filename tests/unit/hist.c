#include "core/hist.h"
#include "tests/test.h"

TEST(hist_bucket_is_exact_below_32_and_at_most_a_32nd_wide_above)
{
	for (uint64_t v = 0; v < 32; v++)
		CHECK_EQ(hist_bucket_upper(hist_bucket(v)), v);
	for (uint64_t v = 32; v < 1ull << 41; v = v * 17 / 16 + 1) {
		uint64_t upper = hist_bucket_upper(hist_bucket(v));

		CHECK(upper >= v);
		CHECK(upper - v <= v / 32);
		CHECK_EQ(hist_bucket(upper), hist_bucket(v));
		CHECK_EQ(hist_bucket(upper + 1), hist_bucket(v) + 1);
	}
}

TEST(hist_longest_durations_share_the_last_bucket)
{
	CHECK_EQ(hist_bucket(UINT64_MAX), HIST_BUCKETS - 1);
	CHECK_EQ(hist_bucket(1ull << 42), HIST_BUCKETS - 1);
}

TEST(hist_quantiles_lie_within_a_bucket_of_the_truth)
{
	struct hist h;

	hist_init(&h);
	for (uint64_t i = 1; i <= 1000; i++)
		hist_add(&h, i * 1000);
	CHECK(hist_quantile(&h, 0.5) > 484000 && hist_quantile(&h, 0.5) < 516000);
	CHECK(hist_quantile(&h, 0.99) > 959000 && hist_quantile(&h, 0.99) < 1021000);
	CHECK_EQ(hist_quantile(&h, 1), 1000000);
	CHECK_EQ(hist_quantile(&h, 0), 1000);
	CHECK_EQ(h.sum, 500500000);
	CHECK(hist_stddev(&h) > 280000 && hist_stddev(&h) < 297000);
}

TEST(hist_empty_has_no_quantile)
{
	struct hist h;

	hist_init(&h);
	CHECK_EQ(hist_quantile(&h, 0.99), 0);
	CHECK_EQ(hist_stddev(&h), 0);
}
