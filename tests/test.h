#ifndef LAGPROF_TESTS_TEST_H
#define LAGPROF_TESTS_TEST_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/*
 * The harness of the unit and golden tests.  A test is a sentence:
 *
 *	TEST(turns_lost_exit_loses_only_that_turn)
 *	{
 *		CHECK_EQ(feed(...), 1);
 *	}
 *
 * Each tests/unit/NAME.c is one ctest case, "unit.NAME"; `unit NAME [WORD]`
 * runs the tests of that file (whose name contains WORD).
 */
struct test {
	const char *file, *name;
	void (*run)(void);
	struct test *next;
};

void test_register(struct test *test);
/* Counts a failed check and prints where. */
void test_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Checks that failed so far: for a forked child, whose own count would be lost. */
int test_failures(void);
/* The absolute path of a file below the source tree, in a static buffer of 4 turns. */
const char *test_source(const char *relative);
/* A fresh temporary folder of this test run, removed at its end. */
const char *test_tmpdir(void);

#define TEST(ident)                                                                       \
	static void test_##ident(void);                                                   \
	static struct test test_entry_##ident = { __FILE__, #ident, test_##ident, NULL }; \
	__attribute__((constructor)) static void test_register_##ident(void)              \
	{                                                                                 \
		test_register(&test_entry_##ident);                                       \
	}                                                                                 \
	static void test_##ident(void)

#define CHECK(cond)                                                 \
	do {                                                        \
		if (!(cond))                                        \
			test_fail(__FILE__, __LINE__, "%s", #cond); \
	} while (0)

#define CHECK_EQ(a, b)                                                                         \
	do {                                                                                   \
		long long a_ = (long long)(a), b_ = (long long)(b);                            \
		if (a_ != b_)                                                                  \
			test_fail(__FILE__, __LINE__, "%s is %lld, not %s = %lld", #a, a_, #b, \
				  b_);                                                         \
	} while (0)

#define CHECK_STR(a, b)                                                               \
	do {                                                                          \
		const char *a_ = (a), *b_ = (b);                                      \
		if (!a_ || !b_ || strcmp(a_, b_) != 0)                                \
			test_fail(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #a, \
				  a_ ? a_ : "(null)", b_ ? b_ : "(null)");            \
	} while (0)

#endif
