#include "analyzers/scan/python.h"

#include <stdlib.h>
#include <string.h>

static struct py_call *innermost(const struct python *py)
{
	return py->n_levels ? py->levels[py->n_levels - 1].call : NULL;
}

static bool push(struct python *py, char opener, struct py_call *call, bool group)
{
	if (py->n_levels == SOURCE_DEPTH_MAX)
		return false;
	ARRAY_GROW(py->levels, py->n_levels, py->cap);
	py->levels[py->n_levels++] = (struct py_level){ opener, call, group };
	return true;
}

static void pop(struct python *py)
{
	const struct py_level *level = &py->levels[--py->n_levels];

	if (level->call && !level->group)
		strbuf_destroy(&level->call->pieces);
}

/* "." and a word, or nothing and NULL; blanks around. */
static const char *take_member(struct source *src, size_t *len)
{
	struct source ahead = *src;
	const char *s;

	py_skip_blank(&ahead, true);
	if (source_peek(&ahead, 0) != '.')
		return NULL;
	source_skip(&ahead, 1);
	py_skip_blank(&ahead, true);
	s = ahead.s + ahead.at;
	*len = source_word(&ahead);
	source_skip(&ahead, *len);
	*src = ahead;
	return s;
}

/* Behind a word that stands for re: the function that is called here, or NULL. */
static const struct py_function *find_callee(const struct py_name *name, struct source *src)
{
	const struct py_function *f = name->function;
	const char *member;
	size_t len;

	if (name->meaning == PY_MODULE) {
		member = take_member(src, &len);
		f = member ? py_find_function(member, len) : NULL;
	}
	py_skip_blank(src, true);
	return f && source_peek(src, 0) == '(' ? f : NULL;
}

/* False: too deep. */
static bool take_word(struct python *py)
{
	struct source *src = &py->src, ahead = *src;
	size_t len = source_word(src), at = src->at;
	const struct py_name *name = py->member ? NULL : py_find_name(py, src->s + at, len);
	const struct py_function *f;

	if (name && name->meaning != PY_OTHER) {
		source_skip(&ahead, len);
		f = find_callee(name, &ahead);
		if (f) {
			py_call_mark(py, innermost(py), '(');
			src->at = ahead.at + 1;
			return push(py, '(', py_call_open(py, at, f), false);
		}
	}
	py_call_word(py, innermost(py), len);
	source_skip(src, len);
	if (!py->member && len == 6 && memcmp(src->s + at, "import", 6) == 0)
		py_take_import(py);
	else if (!py->member && len == 4 && memcmp(src->s + at, "from", 4) == 0)
		py_take_from(py);
	return true;
}

static void close_bracket(struct python *py, char closer)
{
	char opener = closer == ')' ? '(' : closer == ']' ? '[' : '{';

	if (!py->n_levels || py->levels[py->n_levels - 1].opener != opener)
		return;
	if (innermost(py) && !py->levels[py->n_levels - 1].group)
		py_call_close(py, innermost(py));
	pop(py);
}

/* False: too deep. */
static bool take_mark(struct python *py, char c)
{
	struct py_call *call = innermost(py);

	source_skip(&py->src, 1);
	if (c == '(' && call && py_call_group(call))
		return push(py, c, call, true);
	/* A comma in a group makes a tuple, which is no pattern. */
	if (c == ',' && call && py->levels[py->n_levels - 1].group)
		c = '?';
	py_call_mark(py, call, c);
	if (c == '(' || c == '[' || c == '{')
		return push(py, c, NULL, false);
	if (c == ')' || c == ']' || c == '}')
		close_bracket(py, c);
	return true;
}

static bool step(struct python *py)
{
	char c = source_peek(&py->src, 0);
	int prefix = py_string_prefix(&py->src);
	bool ok = true;

	if (prefix >= 0)
		py_call_string(py, innermost(py), (size_t)prefix);
	else if (source_is_word(c))
		ok = take_word(py);
	else
		ok = take_mark(py, c);
	py->member = c == '.';
	return ok;
}

bool scan_python(struct source *src)
{
	struct python py = { .src = *src };
	bool ok = true;

	py_add_name(&py, &(struct py_name){ "re", 2, PY_MODULE, NULL });
	for (;;) {
		py_skip_blank(&py.src, true);
		if (source_at_end(&py.src) || !ok)
			break;
		ok = step(&py);
	}
	while (py.n_levels)
		pop(&py);
	free(py.levels);
	return ok;
}
