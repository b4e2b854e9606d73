#include <jansson.h>
#include <stdlib.h>

#include "analyzers/regex/regex.h"
#include "tests/test.h"

static const char *text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* Is the pattern in this member of the row dangerous, as the verdict has it? */
static bool is_dangerous(const json_t *row, const char *member)
{
	const json_t *o = json_object_get(row, member);
	struct regex_pattern p = { text(o, "pattern"), 0, text(o, "flags"), REGEX_V8 };
	struct regex_verdict v;
	struct arena a = { 0 };
	bool dangerous;

	p.len = json_string_length(json_object_get(o, "pattern"));
	regex_analyze(&p, &a, &v);
	dangerous = v.verdict == REGEX_POLYNOMIAL || v.verdict == REGEX_EXPONENTIAL;
	if (dangerous)
		CHECK(v.attack.n > 0);
	else if (v.verdict != REGEX_SAFE && v.verdict != REGEX_BOUNDED)
		test_fail(__FILE__, __LINE__, "%s is %s", p.text, regex_class_names[v.verdict]);
	arena_free(&a);
	return dangerous;
}

TEST(patterns_of_advisories_are_dangerous_and_those_that_replaced_them_are_not)
{
	FILE *f = fopen(test_source("fixtures/redos/cve.jsonl"), "r");
	char *line = NULL;
	size_t cap = 0;
	int rows = 0, fixed = 0;

	CHECK(f != NULL);
	while (f && getline(&line, &cap, f) > 0) {
		json_t *row = json_loads(line, 0, NULL);

		CHECK(row != NULL);
		if (!is_dangerous(row, "slow"))
			test_fail(__FILE__, __LINE__, "%s: missed", text(row, "package"));
		rows++;
		if (json_object_get(row, "fixed")) {
			fixed++;
			if (is_dangerous(row, "fixed"))
				test_fail(__FILE__, __LINE__, "%s: false alarm",
					  text(row, "package"));
		}
		json_decref(row);
	}
	CHECK(rows >= 60);
	CHECK(fixed >= 24);
	free(line);
	if (f)
		fclose(f);
}
