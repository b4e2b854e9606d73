#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "sampler/runtimes/v8/v8.h"

enum {
	SCOPE_FLAGS = 8, /* of a ScopeInfo: a Smi, since V8 12.8 a plain word */
	SCOPE_LOCALS_INDEX = 2,
	SCOPE_SAVED_CLASS = 1 << 10,
	SCOPE_FUNCTION_NAME = 3 << 12,
	SCOPE_INFERRED_NAME = 1 << 14,
	SCOPE_INLINED_NAMES = 75, /* from so many locals on their names are in a table */
	LINES_MAX = 1 << 20,
	TABLE_MAX = 64 << 10, /* bytes of a position table */
	POSITION_MAX = 1 << 30,
	EVAL_DEPTH = 3,
};

const char *v8_intern(struct v8 *v8, const char *s)
{
	return runtime_intern(v8->rec, &v8->name_bytes, s);
}

uint64_t v8_shared_of(struct v8 *v8, uint64_t function)
{
	uint64_t shared;

	/* No check of the function's own type: classes and their likes have types of their own. */
	function = v8_moved(&v8->heap, function);
	if (!function ||
	    !v8_field_object(&v8->heap, function, v8->layout.function_shared, &shared) ||
	    v8_type(&v8->heap, shared) != v8->layout.type_shared)
		return 0;
	return shared;
}

/* What a ScopeInfo says about its function: offsets of fields, -1 where absent. */
struct scope {
	int32_t name, inferred, start;
};

static bool scope_read(struct v8 *v8, uint64_t info, struct scope *scope)
{
	int32_t first = v8->layout.scope_names, locals, at;
	uint64_t word;
	uint32_t flags;

	if (!v8_field(&v8->heap, info, SCOPE_FLAGS, &word) ||
	    !v8_field_smi(&v8->heap, info, 8 + SCOPE_LOCALS_INDEX * 8, &locals) || locals < 0 ||
	    locals > 1 << 20)
		return false;
	flags = v8_is_smi(word) ? (uint32_t)v8_smi(word) : (uint32_t)word;
	at = 8 + 8 * (first + locals + (locals < SCOPE_INLINED_NAMES ? locals : 1));
	*scope = (struct scope){ -1, -1, -1 };
	if (flags & SCOPE_SAVED_CLASS)
		at += 8;
	if (flags & SCOPE_FUNCTION_NAME) {
		scope->name = at;
		at += 16;
	}
	if (flags & SCOPE_INFERRED_NAME) {
		scope->inferred = at;
		at += 8;
	}
	/* Since V8 12.8 the positions stand before the names. */
	scope->start = first == 5 ? 8 + 3 * 8 : at;
	return true;
}

/* Reads a name; true if it is a string that is not empty. */
static bool read_name(struct v8 *v8, uint64_t word, char *buf, size_t size)
{
	return v8_string(&v8->heap, word, buf, size) > 0;
}

static void name_from_scope(struct v8 *v8, uint64_t info, struct v8_function *f, char *buf,
			    size_t size)
{
	struct scope scope;
	uint64_t word;
	int32_t start, end;

	buf[0] = '\0';
	if (!scope_read(v8, info, &scope))
		return;
	if ((scope.name < 0 || !v8_field(&v8->heap, info, scope.name, &word) ||
	     !read_name(v8, word, buf, size)) &&
	    (scope.inferred < 0 || !v8_field(&v8->heap, info, scope.inferred, &word) ||
	     !read_name(v8, word, buf, size)))
		buf[0] = '\0';
	if (v8_field_smi(&v8->heap, info, scope.start, &start) &&
	    v8_field_smi(&v8->heap, info, scope.start + 8, &end) && start >= 0 && end >= start) {
		f->start = start;
		f->end = end;
	}
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'                 ? c - '0'
	       : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
						    : -1;
}

/* file:///a%20b -> /a b, in place: a report names the same file the same way whoever loaded it. */
static void url_to_path(char *url)
{
	const char *from = url + strlen("file://");
	char *to = url;

	if (strncmp(url, "file:///", 8) != 0)
		return;
	while (*from) {
		int high = *from == '%' ? hex_digit(from[1]) : -1;
		int low = high >= 0 ? hex_digit(from[2]) : -1;

		if (low >= 0 && (high || low)) {
			*to++ = (char)(high << 4 | low);
			from += 3;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

static bool function_read(struct v8 *v8, uint64_t shared, struct v8_function *f, int depth);

/* Code made by eval() or new Function() has no name but a maker. */
static void eval_name(struct v8 *v8, uint64_t script, char *buf, size_t size, int depth)
{
	struct v8_function maker;
	uint64_t shared;

	buf[0] = '\0';
	if (depth >= EVAL_DEPTH ||
	    !v8_field_object(&v8->heap, script, v8->layout.script_eval_shared, &shared) ||
	    !function_read(v8, shared, &maker, depth + 1))
		return;
	snprintf(buf, size, "eval at %s (%s)", maker.name ? maker.name : "?",
		 maker.file ? maker.file : "?");
}

static const char *script_file(struct v8 *v8, uint64_t script, int depth)
{
	char buf[V8_STRING_MAX + 1];
	uint64_t word;

	if (!v8_field(&v8->heap, script, v8->layout.script_name, &word) ||
	    !read_name(v8, word, buf, sizeof(buf))) {
		if (!v8_field(&v8->heap, script, v8->layout.script_source_url, &word) ||
		    !read_name(v8, word, buf, sizeof(buf)))
			eval_name(v8, script, buf, sizeof(buf), depth);
	}
	url_to_path(buf);
	return buf[0] ? v8_mapped_file(v8, script, v8_intern(v8, buf)) : NULL;
}

static void script_drop(struct v8 *v8, struct v8_script *s)
{
	v8->line_bytes -= s->n_ends * sizeof(*s->ends);
	free(s->ends);
	*s = (struct v8_script){ 0 };
}

static void keep_lines(struct v8 *v8, struct v8_script *s, uint32_t *ends, size_t n)
{
	if (v8->line_bytes + n * sizeof(*ends) > V8_LINE_BYTES_MAX) {
		for (size_t i = 0; i < V8_SCRIPTS; i++) {
			if (&v8->scripts[i] != s)
				script_drop(v8, &v8->scripts[i]);
		}
	}
	s->ends = ends;
	s->n_ends = n;
	v8->line_bytes += n * sizeof(*ends);
}

/* V8 has made the table itself once somebody asked it for a line. */
static bool lines_from_v8(struct v8 *v8, struct v8_script *s)
{
	uint64_t array, words[512];
	uint32_t n, *ends, last = 0;

	if (!v8_field_object(&v8->heap, s->object, v8->layout.script_line_ends, &array) ||
	    v8_type(&v8->heap, array) != v8->layout.type_fixed_array)
		return false;
	n = v8_array_length(&v8->heap, array);
	if (n == 0 || n > LINES_MAX)
		return false;
	ends = xcalloc(n, sizeof(*ends));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t part = n - i < 512 ? n - i : 512;

		if (i % 512 == 0 &&
		    !v8_read(&v8->heap, array - 1 + (uint64_t)v8->layout.array_data + i * 8ull,
			     words, part * 8ull))
			goto bad;
		if (!v8_is_smi(words[i % 512]) || (uint32_t)v8_smi(words[i % 512]) < last)
			goto bad;
		last = ends[i] = (uint32_t)v8_smi(words[i % 512]);
	}
	keep_lines(v8, s, ends, n);
	return true;
bad:
	free(ends);
	return false;
}

static void lines_from_source(struct v8 *v8, struct v8_script *s)
{
	struct v8_text text;
	size_t bytes, n;
	uint32_t *ends;
	void *copy;

	if (!v8_string_text(&v8->heap, v8_moved(&v8->heap, s->source_word), &text))
		return;
	bytes = (size_t)text.length << text.two_byte;
	if (bytes > V8_SOURCE_MAX)
		return;
	copy = xcalloc(1, bytes + 2);
	if (v8_read(&v8->heap, text.addr, copy, bytes)) {
		n = v8_line_ends(copy, text.length, text.two_byte, NULL, LINES_MAX);
		ends = xcalloc(n, sizeof(*ends));
		keep_lines(v8, s, ends, v8_line_ends(copy, text.length, text.two_byte, ends, n));
	}
	free(copy);
}

static void script_fill(struct v8 *v8, struct v8_script *s)
{
	const struct v8_layout *layout = &v8->layout;

	if (!v8_field_smi(&v8->heap, s->object, layout->script_line_offset, &s->line_offset))
		s->line_offset = 0;
	if (!v8_field_smi(&v8->heap, s->object, layout->script_column_offset, &s->column_offset))
		s->column_offset = 0;
	if (!lines_from_v8(v8, s))
		lines_from_source(v8, s);
	s->sample = v8->sample;
	s->tries++;
	if (s->ends && s->file && s->file[0] == '/')
		recording_script_lines(v8->rec, s->file, s->ends, s->n_ends);
}

/* A collection that is under way hides the source until it is done. */
static void try_again(struct v8 *v8, struct v8_script *s)
{
	if (s->ends || s->tries == V8_SOURCE_TRIES || s->sample == v8->sample)
		return;
	if (!s->file)
		s->file = script_file(v8, s->object, EVAL_DEPTH);
	script_fill(v8, s);
}

/* The cached script; made anew when the object at that address is another one. */
static struct v8_script *script_of(struct v8 *v8, uint64_t script, int depth)
{
	struct v8_script *s = &v8->scripts[script / 8 % V8_SCRIPTS];
	uint64_t name, source;
	const char *file;

	if (!v8_field(&v8->heap, script, v8->layout.script_name, &name) ||
	    !v8_field(&v8->heap, script, v8->layout.script_source, &source))
		return NULL;
	if (s->object == script && s->name_word == name && s->source_word == source) {
		try_again(v8, s);
		return s;
	}
	/* Before the slot is taken: the maker of an eval may need the same one. */
	file = script_file(v8, script, depth);
	script_drop(v8, s);
	*s = (struct v8_script){
		.object = script, .name_word = name, .source_word = source, .file = file
	};
	script_fill(v8, s);
	return s;
}

static bool may_get_lines(struct v8 *v8, const struct v8_function *f)
{
	const struct v8_script *s = f->script ? script_of(v8, f->script, 0) : NULL;

	return s && !s->ends && s->tries < V8_SOURCE_TRIES;
}

/* The line of the word `function`, or of what stands for it. */
static void find_definition(struct v8 *v8, struct v8_function *f)
{
	uint16_t token;

	if (f->start < 0 ||
	    !v8_read(&v8->heap, f->shared - 1 + (uint64_t)v8->layout.shared_token_offset, &token,
		     sizeof(token)))
		return;
	if (token > f->start || token == UINT16_MAX)
		token = 0;
	f->define_line = v8_place_of(v8, f, f->start - token).line;
}

/* Fills f but for its place in the cache. */
static bool function_make(struct v8 *v8, struct v8_function *f, int depth)
{
	char buf[V8_STRING_MAX + 1];
	struct v8_script *script = NULL;
	uint64_t name;

	f->start = f->end = -1;
	buf[0] = '\0';
	if (v8_is_object(f->name_word)) {
		name = v8_moved(&v8->heap, f->name_word);
		if (v8_type(&v8->heap, name) == v8->layout.type_scope_info)
			name_from_scope(v8, name, f, buf, sizeof(buf));
		else if (v8_string(&v8->heap, name, buf, sizeof(buf)) < 0)
			return false;
	} else if (!v8_is_smi(f->name_word)) {
		return false;
	}
	f->name = v8_intern(v8, buf[0] ? buf : "(anonymous)");
	f->script = v8_moved(&v8->heap, f->script_word);
	if (v8_type(&v8->heap, f->script) != v8->layout.type_script)
		f->script = 0;
	if (!f->script)
		return true;
	script = script_of(v8, f->script, depth);
	f->file = script ? script->file : NULL;
	find_definition(v8, f);
	return true;
}

static bool function_read(struct v8 *v8, uint64_t shared, struct v8_function *f, int depth)
{
	const struct v8_layout *layout = &v8->layout;
	struct v8_function *slot;
	struct v8_function key = { 0 };

	key.shared = v8_moved(&v8->heap, shared);
	if (v8_type(&v8->heap, key.shared) != layout->type_shared ||
	    !v8_field(&v8->heap, key.shared, layout->shared_name, &key.name_word) ||
	    !v8_field(&v8->heap, key.shared, layout->shared_script, &key.script_word) ||
	    !v8_field(&v8->heap, key.shared, layout->shared_data, &key.data_word))
		return false;
	/* The data of a function changes with its tier; a builtin's number says which one it is. */
	if (!v8_is_smi(key.data_word))
		key.data_word = 0;
	slot = &v8->functions[key.shared / 8 % V8_FUNCTIONS];
	if (slot->shared != key.shared || slot->name_word != key.name_word ||
	    slot->script_word != key.script_word || slot->data_word != key.data_word) {
		if (!function_make(v8, &key, depth))
			return false;
		*f = key;
		if (!may_get_lines(v8, &key))
			*slot = key;
		return true;
	}
	*f = *slot;
	return true;
}

bool v8_function_of(struct v8 *v8, uint64_t shared, struct v8_function *f)
{
	return function_read(v8, shared, f, 0);
}

struct v8_place v8_place_of(struct v8 *v8, const struct v8_function *f, int32_t offset)
{
	struct v8_place place = { 0, 0 };
	struct v8_script *script;
	uint32_t start;
	size_t line;

	if (!f->script || offset < 0)
		return place;
	script = script_of(v8, f->script, 0);
	if (!script || !script->ends)
		return place;
	line = v8_line_find(script->ends, script->n_ends, (uint32_t)offset, &start);
	if (line >= script->n_ends)
		return place;
	place.line = (uint32_t)((int64_t)line + 1 + script->line_offset);
	place.column =
		(uint32_t)((int64_t)offset - start + 1 + (line == 0 ? script->column_offset : 0));
	return place;
}

/* A malloc'ed copy of a table of the heap; NULL if it cannot be read. */
static uint8_t *table_copy(struct v8 *v8, uint64_t table, struct v8_bytes *copy)
{
	uint32_t len = v8_array_length(&v8->heap, table);
	uint8_t *bytes;

	if (len == 0 || len > TABLE_MAX)
		return NULL;
	bytes = xcalloc(1, len);
	*copy = (struct v8_bytes){ bytes, len };
	if (v8_read(&v8->heap, table - 1 + (uint64_t)v8->layout.array_data, bytes, len))
		return bytes;
	free(bytes);
	return NULL;
}

/* Decodes one lookup in a table of the heap. */
static bool position_find(struct v8 *v8, uint64_t table, int64_t code_size, int64_t offset,
			  struct v8_position *out)
{
	struct v8_table_kind kind = { code_size, v8->layout.position_flags };
	struct v8_bytes copy;
	uint8_t *bytes = table_copy(v8, table, &copy);
	bool found = bytes && v8_positions_find(copy, kind, offset, out);

	free(bytes);
	return found;
}

bool v8_span_of(struct v8 *v8, uint64_t table, int64_t code_size, int64_t first, int64_t last,
		struct v8_span *out)
{
	struct v8_table_kind kind = { code_size, v8->layout.position_flags };
	struct v8_bytes copy;
	uint8_t *bytes = table_copy(v8, v8_moved(&v8->heap, table), &copy);
	bool found = bytes && v8_positions_span(copy, kind, first, last, out);

	free(bytes);
	return found;
}

bool v8_position_at(struct v8 *v8, uint64_t table, int64_t code_size, int64_t offset,
		    struct v8_position *out)
{
	struct v8_position_slot *slot;
	uint64_t content[2] = { 0, 0 };

	table = v8_moved(&v8->heap, table);
	if (!table || offset < 0 || offset >= code_size || code_size > POSITION_MAX ||
	    !v8_read(&v8->heap, table - 1 + (uint64_t)v8->layout.array_length, content,
		     sizeof(content)))
		return false;
	slot = &v8->positions[(table / 8 * 31 + (uint64_t)offset) % V8_POSITIONS];
	/* The collector may have put another table there: its length and first bytes tell. */
	if (slot->table != table || slot->offset != (uint64_t)offset ||
	    slot->length != content[0] || slot->first != content[1]) {
		slot->table = table;
		slot->offset = (uint64_t)offset;
		slot->length = content[0];
		slot->first = content[1];
		slot->found = position_find(v8, table, code_size, offset, &slot->position);
	}
	*out = slot->position;
	return slot->found;
}
