#include "analyzers/regex/regex.h"
#include "tests/test.h"

static const char *class_of(const char *flags, const char *text)
{
	struct regex_pattern p = { text, strlen(text), flags, REGEX_V8 };
	struct regex_verdict v;
	struct arena a = { 0 };

	regex_analyze(&p, &a, &v);
	arena_free(&a);
	return regex_class_names[v.verdict];
}

/* A pattern of n times the unit between before and after. */
static const char *class_of_many(const char *before, const char *unit, size_t n, const char *after)
{
	struct strbuf b = { 0 };
	const char *name;

	strbuf_puts(&b, before);
	for (size_t i = 0; i < n; i++)
		strbuf_puts(&b, unit);
	strbuf_puts(&b, after);
	name = class_of("", b.s);
	strbuf_destroy(&b);
	return name;
}

TEST(hostile_patterns_end_in_a_verdict)
{
	class_of_many("", "(", 100000, "");
	class_of_many("", "(?:", 300, "a");
	class_of_many("^", "a?", 30000, "$");
	class_of_many("^(?:", "ab|", 30000, "c)*$");
	class_of_many("", "a{0,1000}", 100, "b");
	class_of_many("", "(a{1,9}){1,9}", 20, "$");
	class_of_many("^", ".*", 200, "x");
	class_of_many("", "[\\w\\W]*\\b", 500, "$");
	class_of_many("(a)", "(\\1)", 2000, "");
	class_of_many("", "(?=(", 150, "a");
	CHECK_STR(class_of("", "((((a{1,999}){1,999}){1,999}){1,999})*$"), "exponential");
	CHECK_STR(class_of("v", "[[[[[a--b]&&c]]]]*\\q"), "unknown");
}
