#include "analyzers/json_place.h"

#include <string.h>

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* From its opening quote to behind the closing one. */
static const char *skip_string(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : p;
}

static const char *skip_value(const char *p)
{
	int depth = 0;

	do {
		if (*p == '"') {
			p = skip_string(p);
			continue;
		}
		depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
		p++;
		/* A number or a word ends where what holds it goes on. */
		if (depth == 0 && p[-1] != '}' && p[-1] != ']')
			p += strcspn(p, ",]} \t\r\n");
	} while (*p && depth > 0);
	return p;
}

const char *json_place_member(const char *at, const char *name, int key)
{
	size_t len = strlen(name);
	const char *p = *at == '{' ? skip_space(at + 1) : "";

	while (*p == '"') {
		const char *from = p, *value;

		p = skip_space(skip_string(p));
		value = *p == ':' ? skip_space(p + 1) : p;
		if (strncmp(from + 1, name, len) == 0 && from[1 + len] == '"')
			return key ? from : value;
		p = skip_space(skip_value(value));
		p = *p == ',' ? skip_space(p + 1) : "";
	}
	return at;
}

const char *json_place_element(const char *at, size_t index)
{
	const char *p = *at == '[' ? skip_space(at + 1) : "";

	for (; *p && *p != ']'; index--) {
		if (index == 0)
			return p;
		p = skip_space(skip_value(p));
		p = *p == ',' ? skip_space(p + 1) : "";
	}
	return at;
}

void json_place_line(const char *text, const char *at, int *line, int *column)
{
	const char *start = text;

	*line = 1;
	for (const char *p = text; p < at; p++) {
		if (*p == '\n') {
			++*line;
			start = p + 1;
		}
	}
	*column = (int)(at - start) + 1;
}
