#include "sampler/source_map.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/recording.h"
#include "core/strings.h"

enum {
	SEGMENTS_MAX = 4 << 20,
	SOURCES_MAX = 1 << 16,
	LINE_MAX_NUMBER = 1 << 24,
	URL_MAX = 4 << 20,
	PATH_PARTS = 256,
	LINE_SEGMENTS = 64, /* a line with more is minified: it is no place */
};

/* From its place to the next one's, generated code comes from one place of a source. */
struct segment {
	uint32_t line, column; /* of the generated code, 0-based */
	int32_t source;        /* index; -1: from nowhere */
	uint32_t from_line, from_column;
};

struct source_map {
	struct arena arena;
	const char **sources;
	size_t n_sources;
	struct segment *segments; /* in order of place */
	size_t n, cap;
};

/* Of base64, by value. */
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* A cursor over base64 digits with a continuation bit, as the map's numbers are written. */
static bool read_number(const char **p, const char *end, int64_t *out)
{
	uint64_t bits = 0;

	for (int shift = 0; shift < 60; shift += 5) {
		const char *digit = *p < end && **p ? strchr(digits, **p) : NULL;

		if (!digit)
			return false;
		(*p)++;
		bits |= (uint64_t)((digit - digits) & 31) << shift;
		if (digit - digits < 32) {
			*out = bits & 1 ? -(int64_t)(bits >> 1) : (int64_t)(bits >> 1);
			return true;
		}
	}
	return false;
}

static int compare_segments(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->column > y->column) - (x->column < y->column);
}

/* Where the reader of the mappings is: every number is a difference. */
struct state {
	int64_t line, column, source, from_line, from_column;
};

static bool in_range(int64_t value)
{
	return value >= 0 && value < LINE_MAX_NUMBER;
}

static bool add_segment(struct source_map *map, const struct state *s, bool mapped)
{
	mapped = mapped && s->source >= 0 && (size_t)s->source < map->n_sources &&
		 in_range(s->from_line) && in_range(s->from_column);
	if (!in_range(s->column) || !in_range(s->line) || map->n == SEGMENTS_MAX)
		return false;
	ARRAY_GROW(map->segments, map->n, map->cap);
	map->segments[map->n++] = (struct segment){
		.line = (uint32_t)s->line,
		.column = (uint32_t)s->column,
		.source = mapped ? (int32_t)s->source : -1,
		.from_line = mapped ? (uint32_t)s->from_line : 0,
		.from_column = mapped ? (uint32_t)s->from_column : 0,
	};
	return true;
}

/* One segment: column, and mostly source, line and column in it, and sometimes a name. */
static bool read_segment(struct source_map *map, const char **p, const char *end, struct state *s)
{
	int64_t numbers[5] = { 0 };
	size_t n = 0;

	while (n < 5 && *p < end && **p != ',' && **p != ';') {
		if (!read_number(p, end, &numbers[n++]))
			return false;
	}
	if ((n != 1 && n != 4 && n != 5) || (*p < end && **p != ',' && **p != ';'))
		return false;
	s->column += numbers[0];
	s->source += numbers[1];
	s->from_line += numbers[2];
	s->from_column += numbers[3];
	return add_segment(map, s, n > 1);
}

static bool read_mappings(struct source_map *map, const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	struct state s = { 0 };

	while (p < end) {
		if (*p == ';') {
			s.line++;
			s.column = 0;
			p++;
		} else if (*p == ',') {
			p++;
		} else if (!read_segment(map, &p, end, &s)) {
			return false;
		}
	}
	/* They are in order, but for columns in a line that some tools leave as they come. */
	qsort(map->segments, map->n, sizeof(*map->segments), compare_segments);
	return true;
}

static void read_sources(struct source_map *map, const json_t *root)
{
	const char *prefix = json_string_value(json_object_get(root, "sourceRoot"));
	const json_t *sources = json_object_get(root, "sources");
	const char *slash = prefix && *prefix && prefix[strlen(prefix) - 1] != '/' ? "/" : "";

	map->n_sources = json_array_size(sources);
	if (map->n_sources > SOURCES_MAX)
		map->n_sources = SOURCES_MAX;
	map->sources = arena_alloc(&map->arena, (map->n_sources + 1) * sizeof(*map->sources));
	for (size_t i = 0; i < map->n_sources; i++) {
		const char *source = json_string_value(json_array_get(sources, i));

		if (source)
			map->sources[i] = arena_printf(&map->arena, "%s%s%s", prefix ? prefix : "",
						       slash, source);
	}
}

struct source_map *source_map_parse(const char *json, size_t len)
{
	struct source_map *map = xcalloc(1, sizeof(*map));
	const json_t *mappings;
	json_t *root;
	bool ok;

	/* Some servers put a line that is no JavaScript before it. */
	if (len > 4 && memcmp(json, ")]}'", 4) == 0) {
		const char *line = memchr(json, '\n', len);

		len = line ? len - (size_t)(line - json) : 0;
		json = line;
	}
	root = len ? json_loadb(json, len, 0, NULL) : NULL;
	mappings = json_object_get(root, "mappings");
	ok = json_integer_value(json_object_get(root, "version")) == 3 && json_is_string(mappings);
	if (ok) {
		read_sources(map, root);
		ok = read_mappings(map, json_string_value(mappings), json_string_length(mappings));
	}
	json_decref(root);
	if (ok)
		return map;
	source_map_free(map);
	return NULL;
}

void source_map_free(struct source_map *map)
{
	if (!map)
		return;
	arena_free(&map->arena);
	free(map->segments);
	free(map);
}

/* The number of segments that begin at or before a place. */
static size_t count_before(const struct source_map *map, uint32_t line, uint32_t column)
{
	struct segment place = { .line = line, .column = column };
	size_t low = 0, high = map->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_segments(&map->segments[middle], &place) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool source_map_find(const struct source_map *map, uint32_t line, uint32_t column,
		     struct source_place *out)
{
	const struct segment *s;
	size_t i;

	if (line == 0)
		return false;
	if (column) {
		i = count_before(map, line - 1, column - 1);
		if (i == 0)
			return false;
		i--;
	} else {
		i = line == 1 ? 0 : count_before(map, line - 2, UINT32_MAX);
		if (count_before(map, line - 1, UINT32_MAX) - i > LINE_SEGMENTS)
			return false;
		while (i < map->n && map->segments[i].line == line - 1 &&
		       map->segments[i].source < 0)
			i++;
	}
	if (i == map->n)
		return false;
	s = &map->segments[i];
	if (s->line != line - 1 || s->source < 0 || !map->sources[s->source])
		return false;
	*out = (struct source_place){ map->sources[s->source], s->from_line + 1,
				      s->from_column + 1 };
	return true;
}

char *source_map_url(const char *script, size_t len)
{
	static const char word[] = "sourceMappingURL=";
	const char *at = script, *last = NULL, *end = script + len, *p;
	struct strbuf url = { 0 };

	while ((at = memmem(at, (size_t)(end - at), word, sizeof(word) - 1))) {
		/* "//# " or, of old, "//@ " before it */
		if (at - script >= 4 && memcmp(at - 4, "//", 2) == 0 &&
		    (at[-2] == '#' || at[-2] == '@'))
			last = at + sizeof(word) - 1;
		at += sizeof(word) - 1;
	}
	if (!last)
		return NULL;
	for (p = last; p < end && (unsigned char)*p > ' ' && *p != '"' && *p != '\''; p++)
		;
	if (p == last || p - last > URL_MAX)
		return NULL;
	strbuf_add(&url, last, (size_t)(p - last));
	return url.s;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes %XX in place; a NUL that comes out ends the text. */
static size_t percent_decode(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++) {
		int high = *p == '%' ? hex_digit(p[1]) : -1;
		int low = high >= 0 ? hex_digit(p[2]) : -1;

		*to++ = low >= 0 ? (char)(high << 4 | low) : *p;
		p += low >= 0 ? 2 : 0;
	}
	*to = '\0';
	return (size_t)(to - text);
}

static size_t base64_decode(char *text)
{
	char *to = text;
	uint32_t bits = 0;
	int n = 0;

	for (const char *p = text; *p && *p != '='; p++) {
		const char *digit = strchr(digits, *p);

		if (!digit)
			continue;
		bits = bits << 6 | (uint32_t)(digit - digits);
		n += 6;
		if (n >= 8) {
			n -= 8;
			*to++ = (char)(bits >> n);
		}
	}
	*to = '\0';
	return (size_t)(to - text);
}

char *source_map_data(const char *url, size_t *len)
{
	const char *comma = strncmp(url, "data:", 5) == 0 ? strchr(url, ',') : NULL;
	bool base64;
	char *data;

	if (!comma)
		return NULL;
	base64 = comma - url >= 7 && strncmp(comma - 7, ";base64", 7) == 0;
	data = xstrdup(comma + 1);
	*len = percent_decode(data);
	if (base64)
		*len = base64_decode(data);
	return data;
}

/* Appends the parts of a path to those there are, without "." and "..". */
static void add_parts(const char **parts, size_t *lens, size_t *n, const char *path, size_t len)
{
	const char *end = path + len;

	while (path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		size_t part = (size_t)((slash ? slash : end) - path);

		if (part == 2 && memcmp(path, "..", 2) == 0) {
			*n -= *n > 0;
		} else if (part > 0 && !(part == 1 && *path == '.') && *n < PATH_PARTS) {
			parts[*n] = path;
			lens[(*n)++] = part;
		}
		path += part + 1;
	}
}

char *source_map_join(const char *base, const char *name)
{
	const char *parts[PATH_PARTS], *slash = strrchr(base, '/'), *path = name;
	size_t lens[PATH_PARTS], n = 0;
	struct strbuf out = { 0 };

	if (strncmp(name, "file:///", 8) == 0)
		path = name + 7;
	else if (strstr(name, "://"))
		return xstrdup(name);
	if (path[0] != '/' && slash)
		add_parts(parts, lens, &n, base, (size_t)(slash - base));
	add_parts(parts, lens, &n, path, strlen(path));
	for (size_t i = 0; i < n; i++) {
		strbuf_puts(&out, "/");
		strbuf_add(&out, parts[i], lens[i]);
	}
	if (!out.s)
		strbuf_puts(&out, "/");
	if (path != name)
		out.len = percent_decode(out.s);
	return out.s;
}

const char *source_in_project(const char *name)
{
	static const char project[] = "[project]/"; /* turbopack's */
	const char *path = strstr(name, "://");

	if (!path || strncmp(name, "http", 4) == 0 || strncmp(name, "file:", 5) == 0)
		return NULL;
	path = strchr(path + 3, '/');
	if (!path || !*++path)
		return NULL;
	return strncmp(path, project, strlen(project)) == 0 ? path + strlen(project) : path;
}

/* The length of the character at p, and in *units that in UTF-16. */
static size_t character(const unsigned char *p, const unsigned char *end, uint32_t *units)
{
	size_t n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;

	*units = n == 4 ? 2 : 1;
	return n < (size_t)(end - p) ? n : (size_t)(end - p);
}

/* Is the character a line's end?  A CR before a LF is none. */
static bool ends_line(const unsigned char *p, size_t n, const unsigned char *end)
{
	return *p == '\n' || (*p == '\r' && (p + 1 == end || p[1] != '\n')) ||
	       (n == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] & 0xfe) == 0xa8);
}

bool source_has_lines(const struct script_lines *script, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;
	uint32_t at = 0, units, n = 0;
	bool same = true;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	for (; p < end; at += units) {
		size_t bytes = character(p, end, &units);

		if (ends_line(p, bytes, end)) {
			same &= n >= SCRIPT_LINES || n >= script->n || script->first[n] == at;
			n++;
		}
		p += bytes;
	}
	n++; /* what is behind the last end is a line */
	return script->n == n || (script->n > n && same);
}
