#include <string.h>

#include "core/names.h"
#include "core/strings.h"
#include "sampler/runtimes/cpython/cpython.h"

/*
 * Arguments of functions written in Python: they are the first locals of their frames, in the
 * order in which the function names them, those that can only be named and *args last.
 */
enum take {
	TAKE_TEXT,
	TAKE_COMMAND, /* a str, or a list or tuple of them */
	TAKE_FIRST,   /* the same, the first of *args */
};

static const struct {
	const char *file, *function; /* file: its last part */
	enum argument_key key;
	enum take take;
	int local;
} rows[] = {
	/* clang-format off */
	{ "subprocess.py", "run",            ARG_COMMAND, TAKE_FIRST, 4 },
	{ "subprocess.py", "call",           ARG_COMMAND, TAKE_FIRST, 1 },
	{ "subprocess.py", "check_call",     ARG_COMMAND, TAKE_FIRST, 0 },
	{ "subprocess.py", "check_output",   ARG_COMMAND, TAKE_FIRST, 1 },
	{ "subprocess.py", "getstatusoutput", ARG_COMMAND, TAKE_COMMAND, 0 },
	{ "subprocess.py", "__init__",       ARG_COMMAND, TAKE_COMMAND, 1 },
	{ "subprocess.py", "_execute_child", ARG_COMMAND, TAKE_COMMAND, 1 },
	{ "<frozen importlib._bootstrap>", "_find_and_load", ARG_MODULE, TAKE_TEXT, 0 },
	/* clang-format on */
};

/* Frames looked at from the innermost: a chain of imports is deep. */
enum { LOOKED_AT = 256, WORDS = 16, TUPLE_SIZE = 16, TUPLE_ITEMS = 24, LIST_ITEMS = 24 };

/* Words of a list or a tuple with blanks between them. */
static const char *read_words(struct cpython *py, uint64_t object)
{
	struct strbuf b = { 0 };
	const char *text = NULL, *word;
	uint64_t n, items, item;

	if (cpython_is_a(py, object, py->types.list)) {
		if (!cpython_read_word(py, object, LIST_ITEMS, &items))
			return NULL;
	} else if (cpython_is_a(py, object, py->types.tuple)) {
		items = object + TUPLE_ITEMS;
	} else {
		return NULL;
	}
	if (!cpython_read_word(py, object, TUPLE_SIZE, &n))
		return NULL;
	for (uint64_t i = 0; i < n && i < WORDS; i++) {
		if (!cpython_read_word(py, items, (int32_t)(8 * i), &item) ||
		    !(word = cpython_string(py, item)))
			break;
		strbuf_printf(&b, "%s%s", i ? " " : "", word);
	}
	if (b.len)
		text = cpython_intern(py, b.s);
	strbuf_destroy(&b);
	return text;
}

static const char *read_command(struct cpython *py, uint64_t object)
{
	const char *text = cpython_string(py, object);

	return text ? text : read_words(py, object);
}

static const char *take(struct cpython *py, const struct cpython_frame *f, size_t row)
{
	const struct cpython_layout *l = &py->layout;
	uint64_t object, first;

	if (!cpython_read_word(py, f->address, l->frame_locals + 8 * rows[row].local, &object))
		return NULL;
	switch (rows[row].take) {
	case TAKE_TEXT:
		return cpython_string(py, object);
	case TAKE_COMMAND:
		return read_command(py, object);
	case TAKE_FIRST:
		if (!cpython_is_a(py, object, py->types.tuple) ||
		    !cpython_read_word(py, object, TUPLE_SIZE, &first) || first == 0 ||
		    !cpython_read_word(py, object, TUPLE_ITEMS, &first))
			return NULL;
		return read_command(py, first);
	}
	return NULL;
}

static bool has_key(const struct argument *out, size_t n, enum argument_key key)
{
	for (size_t i = 0; i < n; i++)
		if (out[i].key == key)
			return true;
	return false;
}

/* Adds what one frame of the interpreter says; frame: the C frame that runs it. */
static size_t add(struct cpython *py, const struct cpython_frame *f, uint32_t frame,
		  struct argument *out, size_t n)
{
	struct cpython_code code;
	const char *text;

	if (!cpython_code_at(py, f->code, &code))
		return n;
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		if (strcmp(code.name, rows[row].function) != 0 ||
		    strcmp(path_base(code.file), rows[row].file) != 0)
			continue;
		/* Modules import each other, and who asked for the first is known later. */
		if (rows[row].key != ARG_MODULE && has_key(out, n, rows[row].key))
			continue;
		text = take(py, f, row);
		if (!text)
			continue;
		n -= n == RUNTIME_MAX_ARGUMENTS;
		out[n++] = (struct argument){ .key = rows[row].key, .frame = frame, .text = text };
	}
	return n;
}

size_t cpython_locals(struct cpython *py, const struct raw_stack *stack, struct argument *out,
		      size_t n)
{
	size_t left = LOOKED_AT;

	for (size_t i = 0; i < stack->n && left; i++) {
		size_t first, count;

		if (!cpython_is_loop(py, stack, i))
			continue;
		count = cpython_frames_of(py, stack, i, &first);
		for (size_t k = 0; k < count && left; k++, left--)
			n = add(py, &py->frames[first + k], (uint32_t)i, out, n);
	}
	return n;
}
