#include <jansson.h>
#include <stdlib.h>

#include "analyzers/regex/regex.h"
#include "tests/test.h"

static struct arena arena;

static bool read_row(const char *line, struct regex_pattern *p, json_t **row)
{
	json_error_t error;

	*row = json_loads(line, 0, &error);
	if (!*row)
		return false;
	p->text = json_string_value(json_object_get(*row, "pattern"));
	p->len = json_string_length(json_object_get(*row, "pattern"));
	p->flags = json_string_value(json_object_get(*row, "flags"));
	p->engine = REGEX_V8;
	return true;
}

TEST(known_patterns_get_the_verdict_they_are_known_for)
{
	FILE *f = fopen(test_source("fixtures/redos/dev.jsonl"), "r");
	char *line = NULL;
	size_t cap = 0;
	int rows = 0, degrees = 0, right = 0;

	CHECK(f != NULL);
	while (f && getline(&line, &cap, f) > 0) {
		struct regex_pattern p;
		struct regex_verdict v;
		const char *label;
		json_t *row, *degree;

		rows++;
		if (!read_row(line, &p, &row)) {
			test_fail(__FILE__, __LINE__, "not JSON: %.60s", line);
			continue;
		}
		arena_free(&arena);
		regex_analyze(&p, &arena, &v);
		label = json_string_value(json_object_get(row, "label"));
		degree = json_object_get(row, "degree");
		if (strcmp(regex_class_names[v.verdict], label) != 0)
			test_fail(__FILE__, __LINE__, "%s is %s, not %s: %.100s",
				  json_string_value(json_object_get(row, "id")),
				  regex_class_names[v.verdict], label, p.text);
		degrees += degree != NULL;
		right += degree && json_integer_value(degree) == v.degree;
		json_decref(row);
	}
	CHECK_EQ(rows, 955);
	CHECK_EQ(right, degrees);
	free(line);
	if (f)
		fclose(f);
	arena_free(&arena);
}
