#include "analyzers/regex/regex.h"
#include "tests/test.h"

static struct arena arena;

static struct regex_verdict analyze(enum regex_engine engine, const char *flags, const char *text)
{
	struct regex_pattern p = { text, strlen(text), flags, engine };
	struct regex_verdict v;

	arena_free(&arena);
	regex_analyze(&p, &arena, &v);
	return v;
}

static const char *class_of(enum regex_engine engine, const char *flags, const char *text)
{
	struct regex_verdict v = analyze(engine, flags, text);

	/* Nothing positive without its proof. */
	if (v.verdict == REGEX_POLYNOMIAL || v.verdict == REGEX_EXPONENTIAL)
		CHECK(v.attack.n > 0 &&
		      (v.steps[0].capped || v.steps[1].steps > v.steps[0].steps * 2));
	return regex_class_names[v.verdict];
}

#define V8(flags, text)     class_of(REGEX_V8, flags, text)
#define PCRE2(flags, text)  class_of(REGEX_PCRE2, flags, text)
#define PYTHON(flags, text) class_of(REGEX_PYTHON, flags, text)

TEST(nested_and_overlapping_repeats_are_exponential)
{
	CHECK_STR(V8("", "(a+)+$"), "exponential");
	CHECK_STR(V8("", "^(a|a)*$"), "exponential");
	CHECK_STR(V8("", "^(?:\\w+\\s?)*$"), "exponential");
	CHECK_STR(V8("i", "^(a|B|Ab)*$"), "exponential");
	CHECK_STR(PYTHON("", "^(a|aa)+$"), "exponential");
	CHECK_STR(PCRE2("", "^(a|aa)+$"), "exponential");
}

TEST(a_search_loop_is_told_from_what_is_slow_at_one_position)
{
	struct regex_verdict v = analyze(REGEX_V8, "", "\\s+$");

	CHECK_EQ(v.verdict, REGEX_POLYNOMIAL);
	CHECK_EQ(v.kind, REGEX_SEARCH_LOOP);
	CHECK_EQ(v.degree, 2);
	v = analyze(REGEX_V8, "", "^\\d+\\d*x");
	CHECK_EQ(v.kind, REGEX_INNER);
	CHECK_STR(V8("y", "\\s+$"), "safe");
	v = analyze(REGEX_V8, "", "x+x+y");
	CHECK_EQ(v.kind, REGEX_INNER);
	CHECK_EQ(v.degree, 3);
}

TEST(what_matches_anyway_is_safe_whatever_comes_before)
{
	CHECK_STR(V8("", "(a|a)*"), "safe");
	CHECK_STR(V8("", "^(?:a|a)*[^]*$"), "safe");
	CHECK_STR(V8("", "(?:a|a)*$|"), "exponential"); /* $ is tried before the empty one */
	CHECK_STR(V8("", "^(?:(a+)+b|a*)"), "exponential");
	/* One path goes round for good, and others fail on its way. */
	CHECK_STR(V8("", "^(?:[^:\\n]+(?:\\n|$))*"), "safe");
	CHECK_STR(V8("", "^(?:a*b|a)*"), "polynomial");
	CHECK_STR(V8("", "^(?:(?:a|b|ab)*c|a|b)*"), "exponential");
}

TEST(what_fails_beside_a_path_that_matches_is_not_slow_from_one_start)
{
	struct regex_verdict v = analyze(REGEX_PYTHON, "", "(<<([^>]|>>>|>(?!>))*>>)+");

	CHECK_STR(regex_class_names[v.verdict], "polynomial");
	CHECK_EQ(v.kind, REGEX_SEARCH_LOOP);
	v = analyze(REGEX_V8, "", "(?:.*\\n)+");
	CHECK_EQ(v.kind, REGEX_SEARCH_LOOP);
}

TEST(an_iteration_that_takes_nothing_does_not_count)
{
	CHECK_STR(V8("", "^(?:a?)*b"), "safe");
	CHECK_STR(V8("", "^(?:a*)*b"), "exponential");
}

TEST(look_ahead_is_followed_exactly)
{
	CHECK_STR(V8("", "^(?:a(?=b)|a(?!b)|b)*c$"), "safe");
	CHECK_STR(V8("", "^(?:(?!foo).)*bar$"), "safe");
	CHECK_STR(V8("", "^(?=(?:a+)+$)b"), "exponential");
	CHECK_STR(V8("", "(?=a+b)"), "polynomial");
	CHECK_STR(V8("", "^(?:\\w(?!\\d)|\\d)+!$"), "safe");
}

TEST(look_behind_is_followed_and_what_it_costs_is_seen)
{
	CHECK_STR(V8("", "(?<=ab)(c+)+$"), "exponential");
	CHECK_STR(V8("", "(?<=a*)b"), "polynomial");
	/* Far back in the alphabet. */
	CHECK_STR(V8("i", "(?<=(?:^|[^\\\\])(?:\\\\\\\\)*)!\\s*important$"), "polynomial");
	CHECK_STR(V8("", "(?<!\\\\)\\\\*(\\$\\{|`)"), "safe");
}

TEST(v8_checks_what_follows_before_it_runs_a_negative_look_around)
{
	CHECK_STR(V8("", "(?<!a*)b"), "safe");
	CHECK_STR(V8("", "(?!a*b)c"), "safe");
	CHECK_STR(V8("", "(?!a*)a"), "polynomial");
	CHECK_STR(V8("", "abc(?!.*x)\\n"), "safe");
}

TEST(v8_checks_no_more_characters_than_every_alternative_takes)
{
	CHECK_STR(V8("", "ab(?!.*x)\\n"), "polynomial"); /* three count as two */
	CHECK_STR(V8("", "abc(?!.*x)\\n"), "safe");
	CHECK_STR(V8("", "(?:ab(?!.*x)|d)\\n"), "polynomial");
	CHECK_STR(V8("", "(?:abc(?!.*x)|d)\\n"), "polynomial");
	CHECK_STR(V8("", "(?:a(?!.*x)|d)\\n"), "safe");
	CHECK_STR(V8("", "^(?:a|(?!.*x)\\n)*c"), "safe");
	CHECK_STR(V8("", "^(?:a|(?=a)(?!.*x)b)*c"),
		  "polynomial"); /* a positive one is in the way */
}

TEST(v8_checks_and_skips_by_few_bits)
{
	CHECK_STR(V8("", "(?<!a*)[bc]"), "safe");
	CHECK_STR(V8("", "(?<!a*)[bq]"), "safe");
	CHECK_STR(V8("", "^(?:a|(?!.*x)[bq])*c"), "polynomial"); /* a & 0xec == b & q & 0xec */
	CHECK_STR(V8("", "(?<!a*)[b-z]"), "polynomial");         /* too many to skip by */
	CHECK_STR(V8("", "(?<!A*)[b-z]"), "safe");
}

TEST(v8_makes_a_class_of_three_single_alternatives)
{
	CHECK_STR(V8("", "^(?:a|b|a)*c"), "safe");
	CHECK_STR(V8("", "^(?:a|a)*c"), "exponential");
	CHECK_STR(PCRE2("", "^(?:a|b|a)*c"), "exponential");
}

TEST(python_makes_a_set_of_alternatives_of_one_character)
{
	CHECK_STR(PYTHON("", "^([a-d]|[b-f])+$"), "safe");
	CHECK_STR(PYTHON("", "^(?:xa|xb|xa)*$"), "safe");
	CHECK_STR(PYTHON("", "^(?:[^ab]|.)*x$"), "exponential");
	CHECK_STR(PYTHON("", "^(?:a|aa)+$"), "exponential");
}

TEST(v8_looks_for_a_short_match_at_the_end_only_there)
{
	CHECK_STR(V8("", "(?=a+a+)$"), "safe");
	CHECK_STR(V8("", "[a-z]{1,50}$"), "safe");
	CHECK_STR(V8("", "[a-z]+$"), "polynomial");
}

TEST(pcre2_wants_its_required_literal_in_the_attack)
{
	struct regex_verdict v = analyze(REGEX_PCRE2, "", "(a+)+b");
	struct regex_text suffix = v.attack.suffix;

	CHECK_EQ(v.verdict, REGEX_EXPONENTIAL);
	CHECK(memchr(suffix.s, 'b', suffix.len) != NULL);
	CHECK_STR(PCRE2("s", ".*x"), "safe");
}

TEST(possessive_and_atomic_repeats_are_no_longer_ambiguous)
{
	CHECK_STR(PCRE2("", "^(?:a++)+$"), "safe");
	CHECK_STR(PCRE2("", "^(?>a+)+$"), "safe");
	CHECK_STR(PYTHON("", "^a*+a*b"), "safe");
}

TEST(back_references_are_decided_by_search)
{
	CHECK_STR(V8("", "^(a+)b\\1+a?$"), "safe");
	CHECK_STR(V8("", "^(a)(\\1a|\\1b)*(aa)?$"), "safe");
	CHECK_STR(V8("", "^(\\w)(?:\\w+)+\\1!$"), "exponential");
	CHECK_STR(V8("", "^((a?)b\\1a+)$"), "safe");
}

TEST(counts_are_unrolled_or_said_to_be_bounds)
{
	CHECK_STR(V8("", "^(?:a+){3,}$"), "exponential");
	CHECK_STR(V8("", "^(?:a|a){8}$"), "safe");
	CHECK_STR(V8("", "^(?:a|a){25}$"), "exponential");
	CHECK_STR(V8("", "^(?:a?){25}a{25}$"), "exponential");
	CHECK_STR(V8("", "^a{1,10}a{1,10}b"), "safe");
	CHECK_STR(V8("", "[^\\n]{100}"), "safe");
	CHECK_STR(V8("", "^\\s{0,1500}\\s{0,1500}x"), "bounded");
	CHECK_STR(V8("", "^a{0,9007199254740991}a+$"), "polynomial");
}

TEST(what_is_no_pattern_is_unknown_with_a_reason)
{
	struct regex_verdict v = analyze(REGEX_V8, "", "(a");

	CHECK_EQ(v.verdict, REGEX_UNKNOWN);
	CHECK_STR(v.reason, "missing )");
	v = analyze(REGEX_PCRE2, "", "a(?R)?b");
	CHECK_EQ(v.verdict, REGEX_UNKNOWN);
	CHECK(strstr(v.reason, "recursion") != NULL);
	v = analyze(REGEX_V8, "q", "a");
	CHECK_EQ(v.verdict, REGEX_UNKNOWN);
}

TEST(the_guilty_part_is_pointed_at)
{
	struct regex_verdict v = analyze(REGEX_V8, "", "^x(?:(a+)+)y*$");

	CHECK_EQ(v.guilty.start, 2);
	CHECK_EQ(v.guilty.end, 11);
	v = analyze(REGEX_V8, "", "^b\\d+\\.?\\d*$");
	CHECK_EQ(v.guilty.start, 2);
	CHECK_EQ(v.guilty.end, 11);
	v = analyze(REGEX_V8, "", "foo\\s+$");
	CHECK_EQ(v.guilty.start, 0);
	CHECK_EQ(v.guilty.end, 0);
}

TEST(what_a_group_may_hold_is_tried_where_something_refers_to_it)
{
	CHECK_STR(V8("i", "\\burl\\(([\"'])?#(.+?)\\1\\)"), "polynomial");
	CHECK_STR(V8("m", "^(['\"`])([\\s\\S]*)\\1$"), "polynomial");
	CHECK_STR(V8("", "b?r(#*)\"(.|\\n)*?\"\\1(?!#)"), "polynomial");
	CHECK_STR(V8("", "^(a|b)(\\1+)+$"), "exponential");
	CHECK_STR(V8("", "^(['\"])[^'\"]*\\1$"), "safe");
}

TEST(rewrites_are_safe_and_match_the_same)
{
	CHECK_STR(analyze(REGEX_V8, "", "\\s+$").rewrite, "(?<!\\s)\\s+$");
	CHECK_STR(analyze(REGEX_V8, "", "^\\d+\\.?\\d*$").rewrite, "^\\d+(?:\\.\\d*)?$");
	CHECK_STR(analyze(REGEX_V8, "", "^(?:a+)+$").rewrite, "^(?:a+)$");
	CHECK_STR(analyze(REGEX_V8, "", "^(?:.|\\s)*x").rewrite, "^[\\s\\S]*x");
	CHECK_STR(analyze(REGEX_V8, "", "^[a-z]+(?:-?[a-z]+)*$").rewrite, "^[a-z]+(?:-[a-z]+)*$");
	CHECK(analyze(REGEX_V8, "", "<a.*?href=.*?>").rewrite == NULL);
	CHECK_STR(analyze(REGEX_V8, "", "^(?:a+?)+?$").rewrite, "^(?:a+?)$");
}

TEST(a_guard_is_offered_only_where_the_search_cannot_go_on_inside_a_run)
{
	CHECK_STR(analyze(REGEX_V8, "", "\\w+@!").rewrite, "(?<!\\w)\\w+@!");
	CHECK_STR(analyze(REGEX_V8, "", "\\w+@|#").rewrite, "(?<!\\w)\\w+@|#");
	CHECK(analyze(REGEX_V8, "", "\\w+@|ab").rewrite == NULL);
	CHECK(analyze(REGEX_V8, "", "[ab]+ca").rewrite == NULL);
	CHECK(analyze(REGEX_V8, "", "(a+)b\\1c").rewrite == NULL);
	CHECK(analyze(REGEX_V8, "", "a+?b").rewrite == NULL);
}

TEST(an_attack_is_shown_as_an_expression)
{
	struct regex_verdict v = analyze(REGEX_V8, "", "^(a+)+$");
	const struct redos *r = regex_evidence(&v, &arena);

	CHECK_STR(r->verdict, "exponential");
	CHECK_STR(r->kind, "inner");
	CHECK_EQ(r->degree, -1);
	CHECK_STR(r->attack, "\"a\" + \"a\".repeat(n) + \"b\"");
}
