#include <string.h>

#include "core/strings.h"
#include "sampler/runtimes/cpython/cpython.h"

/* Arguments of calls that are known to block: those that were not passed by name. */
enum take {
	TAKE_PATTERN, /* of a compiled regular expression, the object itself */
	TAKE_FLAGS,
	TAKE_LENGTH, /* of a str or bytes */
	TAKE_INTEGER,
	TAKE_SECONDS, /* an int or a float */
	TAKE_TEXT,
};

enum { TAKES = 3 };

static const struct {
	const char *name; /* "re.Pattern.*": all that begin so */
	struct {
		enum argument_key key;
		enum take take;
		int index;
	} takes[TAKES];
	int n;
} calls[] = {
	/* clang-format off */
	{ "re.Pattern.sub*", { { ARG_PATTERN, TAKE_PATTERN, 0 }, { ARG_FLAGS, TAKE_FLAGS, 0 },
			       { ARG_SUBJECT_LENGTH, TAKE_LENGTH, 1 } }, 3 },
	{ "re.Pattern.*", { { ARG_PATTERN, TAKE_PATTERN, 0 }, { ARG_FLAGS, TAKE_FLAGS, 0 },
			    { ARG_SUBJECT_LENGTH, TAKE_LENGTH, 0 } }, 3 },
	{ "_hashlib.pbkdf2_hmac", { { ARG_DIGEST, TAKE_TEXT, 0 }, { ARG_ITERATIONS, TAKE_INTEGER, 3 },
				    { ARG_KEYLEN, TAKE_INTEGER, 4 } }, 3 },
	{ "_hashlib.openssl_*", { { ARG_BYTES, TAKE_LENGTH, 0 } }, 1 },
	{ "_hashlib.HASH.update", { { ARG_BYTES, TAKE_LENGTH, 0 } }, 1 },
	{ "_json.Scanner", { { ARG_BYTES, TAKE_LENGTH, 0 } }, 1 },
	{ "_pickle.loads", { { ARG_BYTES, TAKE_LENGTH, 0 } }, 1 },
	{ "marshal.loads", { { ARG_BYTES, TAKE_LENGTH, 0 } }, 1 },
	{ "pyexpat.xmlparser.Parse", { { ARG_BYTES, TAKE_LENGTH, 0 } }, 1 },
	{ "zlib.*", { { ARG_BYTES, TAKE_LENGTH, 0 } }, 1 },
	{ "_bz2.*", { { ARG_BYTES, TAKE_LENGTH, 0 } }, 1 },
	{ "_lzma.*", { { ARG_BYTES, TAKE_LENGTH, 0 } }, 1 },
	{ "time.sleep", { { ARG_DURATION, TAKE_SECONDS, 0 } }, 1 },
	{ "_io.open", { { ARG_PATH, TAKE_TEXT, 0 } }, 1 },
	{ "posix.system", { { ARG_COMMAND, TAKE_TEXT, 0 } }, 1 },
	{ "posix.*", { { ARG_PATH, TAKE_TEXT, 0 } }, 1 },
	{ "_socket.get*", { { ARG_HOST, TAKE_TEXT, 0 } }, 1 },
	/* clang-format on */
};

static bool is_named(const char *row, const char *name)
{
	size_t len = strcspn(row, "*");

	return strncmp(row, name, len) == 0 && (row[len] == '*' || name[len] == '\0');
}

/* Struct PatternObject of _sre, the same in all versions. */
enum { PATTERN_TEXT = 48, PATTERN_FLAGS = 56 };

/* The letters of re's flags, by bit; not of what every pattern has, or none in the source. */
static const char *read_flags(struct cpython *py, uint64_t pattern)
{
	static const char letters[] = "\0iLms\0x\0a";
	char text[sizeof(letters)];
	size_t n = 0;
	int32_t flags;

	if (!cpython_read(py, pattern, PATTERN_FLAGS, &flags, sizeof(flags)))
		return NULL;
	for (size_t bit = 0; bit + 1 < sizeof(letters); bit++)
		if (flags >> bit & 1 && letters[bit])
			text[n++] = letters[bit];
	text[n] = '\0';
	return cpython_intern(py, text);
}

static int64_t read_seconds(struct cpython *py, uint64_t object)
{
	enum { FLOAT_VALUE = 16 };
	const int64_t second = 1000000000, most = (int64_t)1 << 32;
	int64_t whole = cpython_integer(py, object);
	double value;

	if (whole >= 0)
		return whole < most ? whole * second : -1;
	if (!cpython_is_a(py, object, py->types.number) ||
	    !cpython_read(py, object, FLOAT_VALUE, &value, sizeof(value)) ||
	    !(value >= 0 && value < (double)most))
		return -1;
	return (int64_t)(value * (double)second);
}

static bool take(struct cpython *py, const struct cpython_call *call, enum take how, int index,
		 struct argument *out)
{
	uint64_t object, pattern;

	out->text = NULL;
	out->number = -1;
	if (how == TAKE_PATTERN || how == TAKE_FLAGS) {
		if (how == TAKE_FLAGS)
			out->text = read_flags(py, call->self);
		else if (cpython_read(py, call->self, PATTERN_TEXT, &pattern, sizeof(pattern)))
			out->text = cpython_string(py, pattern);
		return out->text && (how == TAKE_PATTERN || out->text[0]);
	}
	if (!cpython_read(py, call->arguments, 8 * index, &object, sizeof(object)))
		return false;
	if (how == TAKE_TEXT)
		out->text = cpython_string(py, object);
	else if (how == TAKE_LENGTH)
		out->number = cpython_length(py, object);
	else
		out->number = how == TAKE_INTEGER ? cpython_integer(py, object)
						  : read_seconds(py, object);
	return out->text || out->number >= 0;
}

size_t cpython_arguments(struct cpython *py, const struct cpython_call *call, uint32_t frame,
			 struct argument *out)
{
	size_t n = 0, row = 0;

	if (!call->arguments)
		return 0;
	while (row < sizeof(calls) / sizeof(calls[0]) && !is_named(calls[row].name, call->name))
		row++;
	if (row == sizeof(calls) / sizeof(calls[0]))
		return 0;
	for (int i = 0; i < calls[row].n; i++) {
		out[n] = (struct argument){ .key = calls[row].takes[i].key, .frame = frame };
		n += take(py, call, calls[row].takes[i].take, calls[row].takes[i].index, &out[n]);
	}
	return n;
}
