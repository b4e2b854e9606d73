#include "analyzers/scan/ignore.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

struct rule {
	const char *pattern; /* "/"-separated; a part "**" stands for any folders */
	bool negated, folders_only;
	bool bound; /* matches a whole path; else its last part */
};

struct ignore {
	struct rule *rules;
	size_t n, cap;
	struct arena arena;
};

/* The length without blanks at the end; one behind a backslash stays. */
static size_t trimmed(const char *line, size_t len)
{
	while (len > 0 && line[len - 1] == ' ' && !(len > 1 && line[len - 2] == '\\'))
		len--;
	return len;
}

static void add_rule(struct ignore *ignore, const char *line, size_t len)
{
	struct rule rule = { 0 };
	char *pattern;

	len -= len > 0 && line[len - 1] == '\r';
	len = trimmed(line, len);
	if (len == 0 || line[0] == '#' || memchr(line, '\0', len))
		return;
	rule.negated = line[0] == '!';
	line += rule.negated;
	len -= rule.negated;
	if (len > 0 && line[len - 1] == '/') {
		rule.folders_only = true;
		len--;
	}
	rule.bound = memchr(line, '/', len) != NULL;
	if (len > 0 && line[0] == '/') {
		line++;
		len--;
	}
	if (len == 0)
		return;
	pattern = arena_strndup(&ignore->arena, line, len);
	rule.pattern = pattern;
	ARRAY_GROW(ignore->rules, ignore->n, ignore->cap);
	ignore->rules[ignore->n++] = rule;
}

struct ignore *ignore_parse(const char *text, size_t len)
{
	struct ignore *ignore = xcalloc(1, sizeof(*ignore));
	size_t from = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (from < len) {
		const char *end = memchr(text + from, '\n', len - from);
		size_t line = end ? (size_t)(end - text) - from : len - from;

		add_rule(ignore, text + from, line);
		from += line + 1;
	}
	return ignore;
}

void ignore_free(struct ignore *ignore)
{
	if (!ignore)
		return;
	arena_free(&ignore->arena);
	free(ignore->rules);
	free(ignore);
}

/* One part of a path against one part of a pattern. */
static bool part_matches(const char *pattern, size_t pattern_len, const char *part, size_t len)
{
	char p[256], s[256];

	/* No file has a longer name. */
	if (pattern_len >= sizeof(p) || len >= sizeof(s))
		return false;
	memcpy(p, pattern, pattern_len);
	p[pattern_len] = '\0';
	memcpy(s, part, len);
	s[len] = '\0';
	return fnmatch(p, s, 0) == 0;
}

static size_t part_length(const char *s)
{
	return strcspn(s, "/");
}

/* The next part, or NULL behind the last. */
static const char *next_part(const char *s)
{
	s += part_length(s);
	return *s ? s + 1 : NULL;
}

/* Parts against parts; "**" as the star in glob_match(): only the last one is tried again. */
static bool path_matches(const char *pattern, const char *path)
{
	const char *again_pattern = NULL, *again_path = NULL;

	while (path) {
		size_t n = pattern ? part_length(pattern) : 0;

		if (pattern && n == 2 && memcmp(pattern, "**", 2) == 0) {
			again_pattern = next_part(pattern);
			/* At the end it stands for what is inside, not for the folder itself. */
			if (!again_pattern)
				return true;
			again_path = path;
			pattern = again_pattern;
		} else if (pattern && part_matches(pattern, n, path, part_length(path))) {
			pattern = next_part(pattern);
			path = next_part(path);
		} else if (again_path) {
			again_path = next_part(again_path);
			pattern = again_pattern;
			path = again_path;
		} else {
			return false;
		}
	}
	return pattern == NULL;
}

static bool matches(const struct rule *rule, const char *path, bool folder)
{
	const char *name = strrchr(path, '/');

	if (rule->folders_only && !folder)
		return false;
	if (rule->bound)
		return path_matches(rule->pattern, path);
	name = name ? name + 1 : path;
	return part_matches(rule->pattern, strlen(rule->pattern), name, strlen(name));
}

enum ignored ignore_match(const struct ignore *ignore, const char *path, bool folder)
{
	for (size_t i = ignore->n; i > 0; i--)
		if (matches(&ignore->rules[i - 1], path, folder))
			return ignore->rules[i - 1].negated ? IGNORE_NO : IGNORE_YES;
	return IGNORE_UNSAID;
}
