#include "analyzers/budget.h"
#include "tests/test.h"

/* Parses expr and returns what is wrong with it: "COLUMN: WHAT|FIX", or "". */
static const char *complaint(const char *expr)
{
	static char text[700];
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct budget b;

	text[0] = '\0';
	if (budget_parse(&b, expr, &arena, &err) < 0)
		snprintf(text, sizeof(text), "%s|%s", strstr(err.msg, "column"), err.fix);
	arena_free(&arena);
	return text;
}

TEST(budget_mistakes_are_shown_with_their_column_and_the_nearest_word)
{
	CHECK_STR(complaint("lag.p98<50ms"), "column 1: no such metric|lag.p90<50ms");
	CHECK_STR(complaint("LAG.P99<50ms"), "column 1: no such metric|lag.p99<50ms");
	CHECK_STR(complaint("p99<50ms"), "column 1: no such metric|lag.p99<50ms");
	CHECK_STR(complaint("uptime<50ms"),
		  "column 1: no such metric|lag.p99<50ms, stall.count==0, blocked.ratio<2%");
	CHECK_STR(complaint("lag.p99{cause=gc}<5ms"),
		  "column 8: only stall.* and blocked.ratio take selectors|");
	CHECK_STR(complaint("lag.p99<5ms always"),
		  "column 13: only \"warn\" may follow|lag.p99<5ms ");
	CHECK_STR(complaint("lag.p99<5ms;lag.max<1s"),
		  "column 12: only \"warn\" may follow|lag.p99<5ms");
}

TEST(budget_mistakes_in_selectors_are_shown)
{
	CHECK_STR(complaint("stall.count{cause=gcc}==0"), "column 19: no such cause|cause=gc");
	CHECK_STR(complaint("stall.count{cause=crypto}==0"),
		  "column 19: no such cause|cause=sync_crypto");
	CHECK(strstr(complaint("stall.count{cause=weather}==0"),
		     "|one of sync_crypto, large_parse, ") != NULL);
	CHECK_STR(complaint("stall.count{cuase=gc}==0"),
		  "column 13: a selector is cause=, file=, module= or phase=|cause=");
	CHECK_STR(complaint("stall.count{cause=gc==0"), "column 12: this \"{\" is not closed|");
	CHECK_STR(complaint("stall.max{file=}<50ms"), "column 16: a value is missing|");
	CHECK_STR(complaint("stall.count{phase=steady}==0"),
		  "column 19: a phase is startup, serving or all|phase=serving");
	CHECK_STR(complaint("stall.count cause=gc==0"),
		  "column 13: selectors stand in braces|stall.count{cause=sync_crypto}==0");
}

TEST(budget_mistakes_in_limits_are_shown)
{
	CHECK_STR(complaint("lag.p99"),
		  "column 8: an operator is missing: < <= > >= ==|lag.p99<50ms");
	CHECK_STR(complaint("lag.p99=50ms"),
		  "column 8: an operator is one of < <= > >= ==|lag.p99==50ms");
	CHECK_STR(complaint("lag.p99=<50ms"),
		  "column 8: an operator is one of < <= > >= ==|lag.p99<=50ms");
	CHECK_STR(complaint("lag.p99!=50ms"), "column 8: an operator is one of < <= > >= ==|");
	CHECK_STR(complaint("lag.p99<"), "column 9: a number is missing|lag.p99<50ms");
	CHECK_STR(complaint("lag.p99<0x10ms"), "column 9: a number is missing|lag.p99<50ms");
	CHECK_STR(complaint("lag.p99<-5ms"), "column 9: a limit is not negative|lag.p99<50ms");
	CHECK_STR(complaint("lag.p99<baselin*1.2"),
		  "column 9: a number is missing|lag.p99<baseline*1.2");
	CHECK_STR(complaint("lag.p99<1.2*baseline"),
		  "column 12: the factor comes behind the baseline|lag.p99<baseline*1.2");
	CHECK_STR(complaint("lag.p99<baseline*"),
		  "column 18: a number is missing|lag.p99<baseline*1.2");
	CHECK_STR(complaint("lag.p99<50"),
		  "column 11: a unit is missing: us, ms or s|lag.p99<50ms");
	CHECK_STR(complaint("lag.p99<50 parsecs"),
		  "column 11: the unit of this metric is us, ms or s|lag.p99<50ms");
	CHECK_STR(complaint("blocked.ratio<5ms"),
		  "column 16: the unit of this metric is %|blocked.ratio<5%");
	CHECK_STR(complaint("busy.ratio<0.8"), "column 15: a unit is missing: %|busy.ratio<80%");
	CHECK_STR(complaint("stall.count==0.5"), "column 14: a number of stalls is whole|");
}

TEST(budget_units_are_understood)
{
	CHECK_STR(complaint("lag.p999 <= 1.5s"), "");
	CHECK_STR(complaint("stall.rate{file=*/routes/*, phase=all} < 3/min warn"), "");
	CHECK_STR(complaint("lag.max<0"), "");
	CHECK_STR(complaint("busy.ratio<80%"), "");
	CHECK_STR(complaint("lag.p99 < 50 ms warn"), "");
}

TEST(budget_mistakes_about_a_baseline_are_shown)
{
	CHECK_STR(complaint("lag.max<baseline*"),
		  "column 18: a number is missing|lag.max<baseline*1.2");
	CHECK_STR(complaint("lag.max<baseline*0"), "column 18: a baseline times 0 is no limit|");
	CHECK_STR(complaint("lag.max<baseline+5%"),
		  "column 19: the unit of this metric is us, ms or s|lag.max<baseline+5ms");
	CHECK_STR(complaint("lag.max<baseline-5ms"),
		  "column 17: only \"warn\" may follow|lag.max<baseline");
}
