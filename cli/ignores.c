#include "cli/ignores.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzers/scan/ignore.h"
#include "core/strings.h"

enum { IGNORE_BYTES_MAX = 1 << 20 };

/* The rules of one file that apply below a folder of the walk, and those that count less. */
struct ignores {
	struct ignore *rules;
	char *lead; /* from that file's folder to the walk's: "packages/a/"; "" where it is the same
		     */
	struct ignores *next;
};

/* NULL: there is none, or it is not a small file.  As git does, no link is followed. */
static struct ignore *read_rules(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	struct ignore *rules = NULL;
	struct stat st;
	char *text;
	ssize_t n;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= IGNORE_BYTES_MAX) {
		text = xcalloc(1, (size_t)st.st_size + 1);
		n = read(fd, text, (size_t)st.st_size);
		if (n > 0)
			rules = ignore_parse(text, (size_t)n);
		free(text);
	}
	close(fd);
	return rules;
}

static struct ignore *rules_of(const char *folder, const char *name)
{
	struct strbuf path = { 0 };
	struct ignore *rules;

	strbuf_printf(&path, "%s/%s", folder, name);
	rules = read_rules(path.s);
	strbuf_destroy(&path);
	return rules;
}

static bool has(const char *folder, const char *name)
{
	struct strbuf path = { 0 };
	bool found;

	strbuf_printf(&path, "%s/%s", folder, name);
	found = access(path.s, F_OK) == 0;
	strbuf_destroy(&path);
	return found;
}

/* Adds rules, if there are any, behind those that count more; returns where to add the next. */
static struct ignores **append(struct ignores **end, struct ignore *rules, const char *lead)
{
	if (!rules)
		return end;
	*end = xcalloc(1, sizeof(**end));
	(*end)->rules = rules;
	(*end)->lead = xstrdup(lead);
	return &(*end)->next;
}

static void free_list(struct ignores *list)
{
	while (list) {
		struct ignores *next = list->next;

		ignore_free(list->rules);
		free(list->lead);
		free(list);
		list = next;
	}
}

/* Of the folders above an operand, up to the root of its repository; NULL: it is in none. */
static struct ignores *read_above(const char *operand)
{
	char *path = realpath(operand, NULL), *lead = path ? xstrdup(path) : NULL, *slash;
	struct ignores *list = NULL, **end = &list;
	bool root = false;

	if (lead)
		strcat(lead = xrealloc(lead, strlen(lead) + 2, 1), "/");
	while (!root && path && (slash = strrchr(path, '/')) && path[1]) {
		const char *rest = lead + (slash - path) + 1;

		slash[slash == path] = '\0';
		end = append(end, rules_of(path, ".gitignore"), rest);
		root = has(path, ".git");
		if (root)
			end = append(end, rules_of(path, ".git/info/exclude"), rest);
	}
	if (!root) {
		free_list(list);
		list = NULL;
	}
	free(path);
	free(lead);
	return list;
}

void ignores_enter(FTSENT *folder)
{
	const char *path = folder->fts_path;
	struct ignores *list = NULL, **end = &list;

	end = append(end, rules_of(path, ".gitignore"), "");
	if (has(path, ".git"))
		end = append(end, rules_of(path, ".git/info/exclude"), "");
	else if (folder->fts_level == 0)
		*end = read_above(path);
	folder->fts_pointer = list;
}

void ignores_leave(FTSENT *folder)
{
	free_list(folder->fts_pointer);
	folder->fts_pointer = NULL;
}

/* What a folder's rules say of a path below it. */
static enum ignored match(const struct ignores *list, const char *path, bool folder)
{
	enum ignored said = IGNORE_UNSAID;

	for (; list && said == IGNORE_UNSAID; list = list->next) {
		struct strbuf whole = { 0 };

		strbuf_printf(&whole, "%s%s", list->lead, path);
		said = ignore_match(list->rules, whole.s, folder);
		strbuf_destroy(&whole);
	}
	return said;
}

bool ignores_entry(const FTSENT *entry, bool folder)
{
	enum ignored said = IGNORE_UNSAID;

	for (const FTSENT *above = entry->fts_parent;
	     above && above->fts_level >= 0 && said == IGNORE_UNSAID; above = above->fts_parent) {
		const char *path = entry->fts_path + above->fts_pathlen;

		path += strspn(path, "/");
		said = match(above->fts_pointer, path, folder);
	}
	return said == IGNORE_YES;
}
