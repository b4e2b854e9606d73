#include "analyzers/scan/python.h"

#include <string.h>

static const struct py_function functions[] = {
	/* clang-format off */
	{ "compile", 1 }, { "match", 2 }, { "fullmatch", 2 }, { "search", 2 }, { "findall", 2 },
	{ "finditer", 2 }, { "split", 3 }, { "sub", 4 }, { "subn", 4 },
	/* clang-format on */
};

const struct py_function *py_find_function(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (strlen(functions[i].name) == len && memcmp(functions[i].name, s, len) == 0)
			return &functions[i];
	return NULL;
}

const struct py_name *py_find_name(const struct python *py, const char *s, size_t len)
{
	for (size_t i = py->n_names; i > 0; i--)
		if (py->names[i - 1].len == len && memcmp(py->names[i - 1].s, s, len) == 0)
			return &py->names[i - 1];
	return NULL;
}

void py_add_name(struct python *py, const struct py_name *name)
{
	if (py->n_names < PY_NAMES_MAX)
		py->names[py->n_names++] = *name;
}

void py_skip_blank(struct source *src, bool lines)
{
	for (;;) {
		char c = source_peek(src, 0), next = source_peek(src, 1);

		if (c == '#') {
			const char *end = memchr(src->s + src->at, '\n', src->len - src->at);

			src->at = end ? (size_t)(end - src->s) : src->len;
		} else if (c == '\\' && (next == '\n' || next == '\r')) {
			source_skip(src, source_peek(src, 2) == '\n' ? 3 : 2);
		} else if (c == ' ' || c == '\t' || c == '\f' ||
			   (lines && (c == '\n' || c == '\r'))) {
			source_skip(src, 1);
		} else {
			return;
		}
	}
}

/* A word with the dots in it. */
static void take_path(struct source *src, const char **s, size_t *len)
{
	*s = src->s + src->at;
	while (source_is_word(source_peek(src, 0)) || source_peek(src, 0) == '.')
		source_skip(src, 1);
	*len = (size_t)(src->s + src->at - *s);
}

/* "NAME" or "NAME as ALIAS": what it is, and what it is called here. */
static void take_names(struct source *src, bool lines, struct py_name *what, struct py_name *name)
{
	*what = *name = (struct py_name){ .meaning = PY_OTHER };
	py_skip_blank(src, lines);
	take_path(src, &what->s, &what->len);
	name->s = what->s;
	name->len = what->len;
	py_skip_blank(src, lines);
	if (!source_word_is(src, source_word(src), "as"))
		return;
	source_skip(src, 2);
	py_skip_blank(src, lines);
	take_path(src, &name->s, &name->len);
	py_skip_blank(src, lines);
}

static bool is_re(const struct py_name *name)
{
	return name->len == 2 && memcmp(name->s, "re", 2) == 0;
}

void py_take_import(struct python *py)
{
	struct source *src = &py->src;
	struct py_name module, name;

	do {
		source_skip(src, source_peek(src, 0) == ',');
		take_names(src, false, &module, &name);
		if (is_re(&module))
			name.meaning = PY_MODULE;
		/* "import regex as re" takes the name away from re. */
		if (is_re(&module) || py_find_name(py, name.s, name.len))
			py_add_name(py, &name);
	} while (source_peek(src, 0) == ',');
}

void py_take_from(struct python *py)
{
	struct source *src = &py->src;
	struct py_name function, name, module;
	bool lines;

	take_names(src, false, &module, &name);
	if (!is_re(&module) || !source_word_is(src, source_word(src), "import"))
		return;
	source_skip(src, strlen("import"));
	py_skip_blank(src, false);
	lines = source_peek(src, 0) == '(';
	source_skip(src, lines);
	do {
		source_skip(src, source_peek(src, 0) == ',');
		take_names(src, lines, &function, &name);
		name.function = py_find_function(function.s, function.len);
		name.meaning = PY_FUNCTION;
		if (name.function)
			py_add_name(py, &name);
	} while (source_peek(src, 0) == ',');
	source_skip(src, lines && source_peek(src, 0) == ')');
}
