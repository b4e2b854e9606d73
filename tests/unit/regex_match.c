#include <stdlib.h>

#include "analyzers/regex/program.h"
#include "analyzers/regex/subject.h"
#include "tests/test.h"

/* "START-END", "no", "capped", "invalid" or "unsupported"; in a static buffer. */
static const char *search(enum regex_engine engine, const char *flags, const char *pattern,
			  const char *subject)
{
	static char answer[32];
	struct regex_pattern p = { pattern, strlen(pattern), flags, engine };
	struct arena a = { 0 };
	struct matcher m = { 0 };
	struct program prog;
	struct syntax syntax;
	struct subject s;
	enum match_end how;

	syntax_parse(&syntax, &p, &a);
	if (!syntax.root) {
		arena_free(&a);
		return syntax.unsupported ? "unsupported" : "invalid";
	}
	s = subject_decode(subject, strlen(subject), syntax.max_char, &a);
	program_compile(&prog, &syntax);
	how = match_search(&m, &prog, (struct match_input){ s.units, s.n, 0 }, 100000);
	if (how == MATCH_YES)
		snprintf(answer, sizeof(answer), "%u-%u", m.registers[0], m.registers[1]);
	else
		snprintf(answer, sizeof(answer), "%s", how == MATCH_NO ? "no" : "capped");
	program_free(&prog);
	matcher_free(&m);
	arena_free(&a);
	return answer;
}

#define V8(flags, pattern, subject)     search(REGEX_V8, flags, pattern, subject)
#define PCRE2(flags, pattern, subject)  search(REGEX_PCRE2, flags, pattern, subject)
#define PYTHON(flags, pattern, subject) search(REGEX_PYTHON, flags, pattern, subject)

TEST(alternatives_are_tried_in_order)
{
	CHECK_STR(V8("", "a|ab", "ab"), "0-1");
	CHECK_STR(V8("", "(?:a|ab)c", "abc"), "0-3");
	CHECK_STR(V8("", "a+?b??", "aab"), "0-1");
}

TEST(an_empty_optional_iteration_is_refused_in_javascript_and_ends_the_loop_elsewhere)
{
	CHECK_STR(V8("", "^(?:a?)*?b", "aab"), "0-3");
	CHECK_STR(V8("", "(?:(?=(a)))?a\\1b", "aab"), "1-3");
	CHECK_STR(PCRE2("", "(?:(?=(a)))?a\\1b", "aab"), "0-3");
}

TEST(captures_are_forgotten_at_each_iteration_in_javascript_only)
{
	CHECK_STR(V8("", "^(?:(a)|b)*\\1c", "abc"), "0-3");
	CHECK_STR(PCRE2("", "^(?:(a)|b)*\\1c", "abc"), "no");
	CHECK_STR(PYTHON("", "^(?:(a)|b)*\\1c", "abac"), "0-4");
}

TEST(a_reference_inside_its_own_group_sees_the_last_iteration_only_in_pcre2)
{
	CHECK_STR(PCRE2("", "^(a|b\\1){2}$", "aba"), "0-3");
	CHECK_STR(V8("", "^(a|b\\1){2}$", "aba"), "no");
}

TEST(look_behind_matches_to_the_left_and_keeps_its_captures)
{
	CHECK_STR(V8("", "(?<=(\\d+)(\\d+))$", "1053"), "4-4");
	CHECK_STR(V8("", "(?<=([a-c]+))x\\1", "abxab"), "2-5");
	CHECK_STR(V8("", "(?<!a)b", "ab cb"), "4-5");
}

TEST(look_ahead_is_atomic)
{
	CHECK_STR(V8("", "(?=(a+))a*b\\1", "baaabac"), "3-6");
	CHECK_STR(V8("", "(?=(a+))\\1a", "aaa"), "no");
}

TEST(atomic_groups_and_possessive_repeats_give_nothing_back)
{
	CHECK_STR(PCRE2("", "a++a", "aaa"), "no");
	CHECK_STR(PCRE2("", "(?>a|ab)c", "abc"), "no");
	CHECK_STR(PYTHON("", "(?:a|ab){1}+c", "abc"), "no");
}

TEST(case_is_folded_as_each_mode_says)
{
	CHECK_STR(V8("i", "\xc5\xbf", "s"), "no"); /* long s */
	CHECK_STR(V8("iu", "\xc5\xbf", "S"), "0-1");
	CHECK_STR(V8("iu", "\\w", "\xc5\xbf"), "0-1");
	CHECK_STR(V8("i", "[^x]", "X"), "no");
	CHECK_STR(V8("iv", "[\\p{Lu}--[A-Z]]", "\xc3\xa9"), "0-1"); /* e acute */
	CHECK_STR(PCRE2("i", "\xc3\xa9", "\xc3\x89"), "no");
	CHECK_STR(PYTHON("i", "\xc3\xa9", "\xc3\x89"), "0-1");
}

TEST(the_u_flag_makes_surrogate_pairs_one_character)
{
	CHECK_STR(V8("", "^.$", "\xf0\x9f\x98\x80"), "no");
	CHECK_STR(V8("u", "^.$", "\xf0\x9f\x98\x80"), "0-1");
	CHECK_STR(V8("u", "^\\ud83d\\ude00$", "\xf0\x9f\x98\x80"), "0-1");
	CHECK_STR(V8("", "\\udc4d", "\xf0\x9f\x91\x8d"), "1-2");
}

TEST(set_operations_of_the_v_flag_include_strings)
{
	CHECK_STR(V8("v", "^[\\w--\\d]+$", "ab"), "0-2");
	CHECK_STR(V8("v", "^[\\w--\\d]+$", "a1"), "no");
	CHECK_STR(V8("v", "[\\q{abc|ab}a]", "abcd"), "0-3");
	CHECK_STR(V8("v", "[[a-z]&&[aeiou]]", "xyzu"), "3-4");
	CHECK_STR(V8("v", "[^\\q{ab}]", "ab"), "invalid");
}

TEST(javascript_keeps_its_old_octal_and_brace_rules)
{
	CHECK_STR(V8("", "^\\1(a)", "a"), "0-1");
	CHECK_STR(V8("", "\\101{,2}", "A{,2}"), "0-5");
	CHECK_STR(V8("", "\\8", "8"), "0-1");
	CHECK_STR(V8("", "[\\c_]\\c", "\x1f\\c"), "0-3");
	CHECK_STR(V8("u", "\\8", "8"), "invalid");
	CHECK_STR(V8("u", "a{", "a{"), "invalid");
	CHECK_STR(V8("", "x**", "x"), "invalid");
}

TEST(a_group_name_may_come_twice_only_in_different_alternatives)
{
	CHECK_STR(V8("", "(?:(?<y>a)|(?<y>b))\\k<y>", "bb"), "0-2");
	CHECK_STR(V8("", "(?<y>a)(?<y>b)", "ab"), "invalid");
}

TEST(inline_modifiers_hold_for_their_group)
{
	CHECK_STR(V8("", "a(?i:b)c", "aBc"), "0-3");
	CHECK_STR(V8("i", "a(?-i:b)c", "aBc"), "no");
	CHECK_STR(PCRE2("", "(?:a(?i)b|c)d", "CD"), "no");
	CHECK_STR(PCRE2("", "(?:a(?i)b|c)d", "aBd"), "0-3");
}

TEST(what_an_engine_has_and_we_have_not_is_said)
{
	CHECK_STR(PCRE2("", "(?R)", "a"), "unsupported");
	CHECK_STR(PCRE2("", "a(*SKIP)b", "a"), "unsupported");
	CHECK_STR(PCRE2("", "\\X", "a"), "unsupported");
	CHECK_STR(PYTHON("", "\\N{DIGIT ONE}", "1"), "unsupported");
	CHECK_STR(PYTHON("", "\\N", "1"), "invalid");
	CHECK_STR(PYTHON("", "(?<=a+)b", "ab"), "invalid");
}

TEST(branch_reset_numbers_the_groups_of_each_alternative_alike)
{
	CHECK_STR(PCRE2("", "(?|(a)|(b))\\1", "bb"), "0-2");
	CHECK_STR(PCRE2("", "(?(1)a|b)", "ab"), "invalid");
	CHECK_STR(PCRE2("", "(x)?(?(1)a|b)", "xa"), "0-2");
	CHECK_STR(PCRE2("", "(?(?=a)ab|cd)", "cd"), "0-2");
}

TEST(a_search_stops_at_its_budget)
{
	CHECK_STR(V8("", "(?:a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"), "capped");
}

TEST(an_end_anchored_short_match_is_only_looked_for_at_the_end)
{
	struct regex_pattern p = { "(?=a+)$", 7, "", REGEX_V8 };
	struct arena a = { 0 };
	struct matcher m = { 0 };
	struct program prog;
	struct syntax syntax;
	uint32_t subject[4000];

	for (int i = 0; i < 4000; i++)
		subject[i] = 'a';
	syntax_parse(&syntax, &p, &a);
	program_compile(&prog, &syntax);
	CHECK_EQ(match_search(&m, &prog, (struct match_input){ subject, 4000, 0 }, 1000000),
		 MATCH_NO);
	CHECK(m.steps < 100);
	program_free(&prog);
	matcher_free(&m);
	arena_free(&a);
}

TEST(a_comment_ends_where_the_engine_says)
{
	CHECK_STR(PYTHON("", "a(?#x\\)y)b", "ab"), "0-2");
	CHECK_STR(PCRE2("", "a(?#x\\)b", "ab"), "0-2");
	CHECK_STR(PYTHON("", "(?#(x)(b)\\1", "bb"), "0-2");
	CHECK_STR(PYTHON("", "a(?#x", "a"), "invalid");
	CHECK_STR(PCRE2("", "a(?#x", "a"), "invalid");
}
