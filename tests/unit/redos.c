#include "analyzers/analyze.h"
#include "tests/builder.h"
#include "tests/test.h"

#define TEST_CALL "x (regexp)\nj RegExp.prototype.test\nj check @/app/form.js:5/4"

struct seen {
	char verdict[32], title[200], attack[200];
	const char *advice;
	int degree;
};

/* What is said of one stall that matched the pattern on a subject of that length. */
static struct seen judge(const char *runtime, const char *stack, const char *pattern,
			 int64_t length)
{
	struct argument args[] = {
		{ .key = ARG_PATTERN, .frame = 1 },
		{ .key = ARG_SUBJECT_LENGTH, .number = length, .frame = 1 },
	};
	struct recording *rec = build_recording(runtime);
	struct seen seen = { 0 };
	const struct redos *redos;
	struct diagnosis *d;

	args[0].text = recording_intern(rec, pattern);
	build_stall(rec, 0, 100);
	build_sample_full(rec, stack, 100, SAMPLE_RUNNING, -1, args, 2);
	d = diagnose(rec);
	CHECK_EQ(d->n_findings, 1);
	CHECK_EQ(d->findings[0].cause, CAUSE_REGEX);
	redos = d->findings[0].evidence.redos;
	snprintf(seen.title, sizeof(seen.title), "%s", d->findings[0].title);
	seen.advice = d->findings[0].advice;
	snprintf(seen.verdict, sizeof(seen.verdict), "%s", redos ? redos->verdict : "none");
	snprintf(seen.attack, sizeof(seen.attack), "%s",
		 redos && redos->attack ? redos->attack : "");
	seen.degree = redos ? redos->degree : 0;
	/* Rewrites live as long as the diagnosis. */
	seen.advice = strstr(seen.advice, "Write /") ? "a rewrite" : seen.advice;
	diagnosis_free(d);
	recording_free(rec);
	return seen;
}

TEST(a_pattern_that_backtracks_is_told_with_its_proof)
{
	struct seen seen = judge("v8", TEST_CALL, "^(a+)+$", 25);

	CHECK_STR(seen.verdict, "exponential");
	CHECK_STR(seen.title, "/^(a+)+$/ on 25 characters, exponential");
	CHECK_STR(seen.attack, "\"a\" + \"a\".repeat(n) + \"b\"");
	CHECK_STR(seen.advice, "a rewrite");
	seen = judge("v8", TEST_CALL, "<script.*foo", 9000);
	CHECK_STR(seen.verdict, "polynomial");
	CHECK_EQ(seen.degree, 2);
	CHECK_STR(seen.title, "/<script.*foo/ on 9000 characters, quadratic");
	CHECK(strstr(seen.advice, "Every position") != NULL);
}

TEST(a_linear_pattern_is_not_blamed_for_a_huge_subject)
{
	struct seen seen = judge("v8", TEST_CALL, "[a-z]x\\d", 40000000);

	CHECK_STR(seen.verdict, "safe");
	CHECK_STR(seen.title, "/[a-z]x\\d/ on 40000000 characters, linear");
	CHECK_STR(seen.attack, "");
	CHECK(strstr(seen.advice, "the subject is huge") != NULL);
	seen = judge("v8", TEST_CALL, "[a-z]x\\d", 400);
	CHECK(strstr(seen.advice, "less often") != NULL);
}

TEST(the_engine_is_the_one_that_matched)
{
	const char *sre = "n sre_ucs1_match @/usr/bin/python3.11\np check @/srv/app.py:3";
	const char *pcre2 = "n match @/usr/lib/libpcre2-8.so.0\nn pcre2_match_8 "
			    "@/usr/lib/libpcre2-8.so.0\nn serve @/usr/bin/server";
	const char *glibc = "n regexec @/usr/lib/libc.so.6\nn serve @/usr/bin/server";

	/* Only V8 takes (?<n>), and PCRE2 fails where the b is missing. */
	CHECK_STR(judge("v8", TEST_CALL, "(?<n>a*)b", 10).verdict, "polynomial");
	CHECK_STR(judge("cpython", sre, "(?<n>a*)b", 10).verdict, "none");
	CHECK_STR(judge("cpython", sre, "(?P<n>a*)b", 10).verdict, "polynomial");
	CHECK_STR(judge(NULL, pcre2, "(?>a*)b", 10).verdict, "safe");
	CHECK_STR(judge(NULL, glibc, "(a*)*b", 10).verdict, "none");
}

TEST(what_is_not_known_whole_is_not_judged)
{
	char longest[5000];

	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "(a+)+", 5);
	longest[4096] = '\0';
	CHECK_STR(judge("v8", TEST_CALL, longest, 10).verdict, "none");
	CHECK_STR(judge("v8", TEST_CALL, "(a+", 10).verdict, "none");
	CHECK_STR(judge("v8", TEST_CALL, "(a+", 10).title, "/(a+/ on 10 characters");
}
