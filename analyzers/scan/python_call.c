#include "analyzers/scan/python.h"

#include <string.h>

static const struct {
	const char *name;
	char letter;
} flag_names[] = {
	/* clang-format off */
	{ "I", 'i' }, { "IGNORECASE", 'i' }, { "M", 'm' }, { "MULTILINE", 'm' }, { "S", 's' },
	{ "DOTALL", 's' }, { "X", 'x' }, { "VERBOSE", 'x' }, { "A", 'a' }, { "ASCII", 'a' },
	/* clang-format on */
};

struct py_call *py_call_open(struct python *py, size_t at, const struct py_function *f)
{
	struct py_call *call = arena_alloc(py->src.arena, sizeof(*call));

	call->at = at;
	call->flags_argument = f->flags;
	call->pattern.engine = REGEX_PYTHON;
	return call;
}

static void add_flag(struct py_call *call, char letter)
{
	size_t n = strlen(call->flags);

	if (!strchr(call->flags, letter) && n < PY_FLAGS_MAX)
		call->flags[n] = letter;
}

void py_call_string(struct python *py, struct py_call *call, size_t prefix)
{
	bool bytes, known;
	bool wanted = call && call->argument == 0 && call->state != PY_DYNAMIC &&
		      call->pieces.len < SOURCE_LITERAL_MAX;

	known = py_string(&py->src, prefix, wanted ? &call->pieces : NULL, &bytes);
	if (!wanted)
		return;
	call->state = known ? PY_PIECE_DONE : PY_DYNAMIC;
	/* In a pattern of bytes \w is ASCII. */
	if (bytes)
		add_flag(call, 'a');
}

void py_call_word(struct python *py, struct py_call *call, size_t len)
{
	struct source after = py->src;

	if (!call)
		return;
	source_skip(&after, len);
	py_skip_blank(&after, true);
	if (!py->member && source_peek(&after, 0) == '=' && source_peek(&after, 1) != '=') {
		/* "flags=" or, at its place or not, "pattern=". */
		call->in_flags = source_word_is(&py->src, len, "flags");
		if (source_word_is(&py->src, len, "pattern"))
			call->argument = 0, call->state = PY_PIECE_DUE;
		return;
	}
	for (size_t i = 0; call->in_flags && i < sizeof(flag_names) / sizeof(flag_names[0]); i++)
		if (source_word_is(&py->src, len, flag_names[i].name))
			add_flag(call, flag_names[i].letter);
	if (call->argument == 0 && !call->in_flags)
		call->state = PY_DYNAMIC;
}

bool py_call_group(const struct py_call *call)
{
	return call->in_flags || (call->argument == 0 && call->state == PY_PIECE_DUE);
}

static void end_argument(struct python *py, struct py_call *call)
{
	if (call->argument == 0 && call->state == PY_PIECE_DONE) {
		call->pattern.len = call->pieces.len;
		call->pattern.text = arena_strndup(
			py->src.arena, call->pieces.s ? call->pieces.s : "", call->pieces.len);
	}
	call->argument++;
	call->in_flags = call->argument == call->flags_argument;
}

void py_call_mark(struct python *py, struct py_call *call, char c)
{
	if (!call || c == ')')
		return;
	if (c == ',')
		end_argument(py, call);
	else if (call->argument == 0 && c == '+' && call->state == PY_PIECE_DONE)
		call->state = PY_PIECE_DUE;
	else if (call->argument == 0 && c != '=')
		call->state = PY_DYNAMIC;
}

void py_call_close(struct python *py, struct py_call *call)
{
	end_argument(py, call);
	call->pattern.flags = arena_strdup(py->src.arena, call->flags);
	if (call->pattern.text)
		source_found(&py->src, call->at, &call->pattern);
}
