#include "analyzers/config.h"

#include "tests/test.h"

/* What is wrong with a lagprof.json, "MESSAGE|FIX"; "" if nothing. */
static const char *complaint(const char *text)
{
	static char out[700];
	struct strbuf b = { 0 };
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct budget_terms terms = { 0 };

	strbuf_puts(&b, text);
	out[0] = '\0';
	if (config_parse(&terms, "lagprof.json", &b, &arena, &err) < 0)
		snprintf(out, sizeof(out), "%s|%s", err.msg, err.fix);
	strbuf_destroy(&b);
	arena_free(&arena);
	return out;
}

TEST(config_is_read_whole)
{
	static const char text[] =
		"{ \"$schema\": \"x\", \"minTurns\": 200,\n"
		"\"budgets\": [\"lag.p99<50ms\", {\"level\": \"warn\", \"expr\": "
		"\"stall.max<1s\"}],\n"
		"\"allow\": [{\"fingerprint\": \"0123456789abcdef\", \"reason\": \"old\",\n"
		"\"expires\": \"2030-12-31\"}] }";
	struct strbuf b = { 0 };
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct budget_terms terms = { 0 };

	strbuf_puts(&b, text);
	CHECK_EQ(config_parse(&terms, "x", &b, &arena, &err), 0);
	CHECK_EQ(terms.n, 2);
	CHECK_EQ(terms.min_turns, 200);
	CHECK_EQ(terms.n_allow, 1);
	CHECK(!terms.budgets[0].warn);
	CHECK(terms.budgets[1].warn);
	CHECK_STR(terms.budgets[1].expr, "stall.max<1s");
	CHECK_STR(terms.allow[0].fingerprint, "0123456789abcdef");
	CHECK_STR(terms.allow[0].expires, "2030-12-31");
	strbuf_destroy(&b);
	arena_free(&arena);
}

TEST(config_mistakes_are_shown_with_their_line_and_the_nearest_word)
{
	CHECK_STR(complaint("{\n  \"budget\": []\n}"),
		  "lagprof.json:2:3: no member is called \"budget\"|\"budgets\"");
	CHECK_STR(complaint("{\"budgets\": [\n  \"lag.max<1s\",\n   \"lag.p98<1s\"]}"),
		  "lagprof.json:3:4: budget \"lag.p98<1s\", column 1: no such metric|lag.p90<1s");
	CHECK_STR(complaint("{\"budgets\": [\n {\"level\": \"wran\", \"expr\": \"lag.max<1s\"}]}"),
		  "lagprof.json:2:12: a level is \"error\" or \"warn\"|\"level\": \"warn\"");
	CHECK_STR(complaint("{\"budgets\": [{\"level\": \"warn\"}]}"),
		  "lagprof.json:1:14: \"expr\" is missing|");
	CHECK_STR(complaint("{\"minTurns\": 0}"),
		  "lagprof.json:1:14: a whole number from 1 on is wanted here|");
	CHECK_STR(complaint("{\"allow\": {}}"),
		  "lagprof.json:1:11: an array [...] is wanted here|");
	CHECK_STR(complaint("[]"), "lagprof.json:1:1: an object {...} is wanted here|");
}

TEST(config_mistakes_of_an_allowance_are_shown)
{
#define ALLOW(members) "{\"allow\": [{" members "}]}"
	CHECK(strstr(complaint(ALLOW("\"fingerprint\": \"0123\"")),
		     ":1:28: a fingerprint is 16 hexadecimal digits") != NULL);
	CHECK(strstr(complaint(ALLOW("\"fingerprint\": \"0123456789abcdef\"")),
		     ":1:12: \"reason\" is missing") != NULL);
	CHECK(strstr(complaint(ALLOW("\"reason\": \"\"")), ":1:23: the reason is empty") != NULL);
	CHECK(strstr(complaint(ALLOW("\"expires\": \"2030-13-01\"")), "a day is wanted here") !=
	      NULL);
	CHECK(strstr(complaint(ALLOW("\"expires\": \"tomorrow\"")), "a day is wanted here") !=
	      NULL);
	CHECK(strstr(complaint(ALLOW("\"expire\": \"2030-12-31\"")), "|\"expires\"") != NULL);
}

TEST(config_that_is_no_json_is_shown_with_its_line)
{
	CHECK(strncmp(complaint("{\n \"budgets\": [,]\n}"), "lagprof.json:2:", 15) == 0);
	CHECK(strncmp(complaint(""), "lagprof.json:1:", 15) == 0);
	CHECK(strstr(complaint("{\"allow\": [], \"allow\": []}"), "duplicate") != NULL);
	CHECK(complaint("{\"a\\\"b\": {\"budgets\": [1, \"]}\", {}]}, \"minTurns\": 1}")[0] !=
	      '\0');
}

TEST(config_positions_are_not_misled_by_what_strings_hold)
{
	CHECK(strstr(complaint("{\"$schema\": \"\\\"budgets\\\": [{\",\n\"budgets\": [ 5 ]}"),
		     ":2:14: a budget is") != NULL);
	CHECK(strstr(complaint("{\"budgets\": [\"lag.max<1s\", {\"expr\": \"lag.max<2s\"},\n7]}"),
		     ":2:1: a budget is") != NULL);
}
