#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/utf8.h"
#include "sampler/runtimes/cpython/cpython.h"
#include "sampler/runtimes/cpython/lines.h"

enum {
	OB_TYPE = 8,
	NAME_MAX_CHARS = 512, /* what is longer is cut */
	TABLE_MAX = 256 << 10,
};

bool cpython_read(struct cpython *py, uint64_t object, int32_t offset, void *out, size_t len)
{
	return memory_read(py->mem, object + (uint64_t)(int64_t)offset, out, len) == 0;
}

bool cpython_read_word(struct cpython *py, uint64_t object, int32_t offset, uint64_t *out)
{
	return cpython_read(py, object, offset, out, sizeof(*out));
}

bool cpython_is_a(struct cpython *py, uint64_t object, uint64_t type)
{
	uint64_t word;

	return object && object % 8 == 0 && cpython_read_word(py, object, OB_TYPE, &word) &&
	       word == type;
}

const char *cpython_intern(struct cpython *py, const char *s)
{
	return runtime_intern(py->rec, &py->name_bytes, s);
}

int64_t cpython_length(struct cpython *py, uint64_t object)
{
	const struct cpython_layout *l = &py->layout;
	bool string = cpython_is_a(py, object, py->types.string);
	int64_t length;

	if (!string && !cpython_is_a(py, object, py->types.bytes))
		return -1;
	if (!cpython_read(py, object, string ? l->string_length : l->bytes_length, &length,
			  sizeof(length)))
		return -1;
	return length >= 0 ? length : -1;
}

int64_t cpython_integer(struct cpython *py, uint64_t object)
{
	enum { TAG = 16, DIGITS = 24, DIGIT_BITS = 30, SIGN = 3 };
	const int32_t shift = py->layout.int_tag_shift;
	uint32_t digits[2] = { 0 };
	int64_t tag;

	if (!cpython_is_a(py, object, py->types.integer) ||
	    !cpython_read(py, object, TAG, &tag, sizeof(tag)))
		return -1;
	/* The bits below the count: 1 is zero, 2 negative. */
	if (shift && (tag & SIGN))
		return (tag & SIGN) == 1 ? 0 : -1;
	tag >>= shift;
	if (tag < 0 || tag > 2 ||
	    !cpython_read(py, object, DIGITS, digits, (size_t)tag * sizeof(*digits)))
		return -1;
	return (int64_t)digits[1] << DIGIT_BITS | digits[0];
}

/* The n characters of `width` bytes at p as UTF-8 into buf, which has room for four bytes each. */
static void to_utf8(char *buf, const uint8_t *p, size_t n, size_t width)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t c = 0;

		memcpy(&c, p + i * width, width);
		/* Names of files that are no text hold halves of surrogate pairs. */
		if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			c = 0xfffd;
		len += utf8_encode(c, buf + len);
	}
	buf[len] = '\0';
}

const char *cpython_string(struct cpython *py, uint64_t object)
{
	enum { KIND_SHIFT = 2, KIND_MASK = 7, COMPACT = 1 << 5, ASCII = 1 << 6 };
	const struct cpython_layout *l = &py->layout;
	uint8_t chars[NAME_MAX_CHARS * 4];
	char text[NAME_MAX_CHARS * 4 + 1];
	uint64_t length;
	uint32_t state;
	size_t width;

	if (!cpython_is_a(py, object, py->types.string) ||
	    !cpython_read_word(py, object, l->string_length, &length) ||
	    !cpython_read(py, object, l->string_state, &state, sizeof(state)))
		return NULL;
	width = state >> KIND_SHIFT & KIND_MASK;
	if (!(state & COMPACT) || (width != 1 && width != 2 && width != 4))
		return NULL;
	length = length < NAME_MAX_CHARS ? length : NAME_MAX_CHARS;
	object += (uint64_t)(state & ASCII ? l->string_header : l->string_wide);
	if (memory_read(py->mem, object, chars, length * width) < 0)
		return NULL;
	to_utf8(text, chars, length, width);
	return cpython_intern(py, text);
}

bool cpython_code_at(struct cpython *py, uint64_t address, struct cpython_code *out)
{
	const struct cpython_layout *l = &py->layout;
	struct cpython_code *kept =
		&py->codes[hash_bytes(0, &address, sizeof(address)) % CPYTHON_CODES];
	struct cpython_code code = { .address = address };

	if (!cpython_is_a(py, address, py->types.code) ||
	    !cpython_read_word(py, address, l->code_file, &code.file_word) ||
	    !cpython_read_word(py, address, l->code_name, &code.name_word) ||
	    !cpython_read_word(py, address, l->code_table, &code.table_word) ||
	    !cpython_read(py, address, l->code_first_line, &code.first_line,
			  sizeof(code.first_line)))
		return false;
	/* Another one may have been put in its place. */
	if (kept->address != address || kept->file_word != code.file_word ||
	    kept->name_word != code.name_word || kept->table_word != code.table_word ||
	    kept->first_line != code.first_line) {
		code.file = cpython_string(py, code.file_word);
		code.name = cpython_string(py, code.name_word);
		*kept = code;
	}
	*out = *kept;
	return out->name && out->file;
}

static uint32_t read_line(struct cpython *py, const struct cpython_code *code, uint32_t at)
{
	const struct cpython_layout *l = &py->layout;
	uint64_t length;
	uint32_t line = 0;
	uint8_t *table;

	if (!cpython_read_word(py, code->table_word, l->bytes_length, &length) ||
	    length > TABLE_MAX)
		return 0;
	table = xcalloc(1, length + 1);
	if (cpython_read(py, code->table_word, l->bytes_data, table, length))
		line = cpython_line(l->version, table, length, code->first_line, at);
	free(table);
	return line;
}

uint32_t cpython_line_at(struct cpython *py, const struct cpython_code *code, uint32_t at)
{
	uint64_t key[] = { code->address, at };
	struct cpython_line *kept = &py->lines[hash_bytes(0, key, sizeof(key)) % CPYTHON_LINES];

	if (kept->code != code->address || kept->table != code->table_word || kept->at != at)
		*kept = (struct cpython_line){ code->address, code->table_word, at,
					       read_line(py, code, at) };
	return kept->line ? kept->line : code->first_line;
}
