#include "analyzers/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/names.h"

/* Its own FNV-1a, and not hash_bytes(), which may change from one version to the next. */
static uint64_t mix(uint64_t h, const char *s)
{
	for (; s && *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	/* The NUL keeps ("ab", "c") apart from ("a", "bc"). */
	return h * 0x100000001b3;
}

/* The part of path after the last `mark`, or NULL. */
static const char *after_last(const char *path, const char *mark)
{
	const char *found = NULL;

	for (const char *p = strstr(path, mark); p; p = strstr(p + 1, mark))
		found = p + strlen(mark);
	return found;
}

/* How much of the start of path is the folder of file, slash included. */
static size_t common_folder(const char *file, const char *path)
{
	size_t end = 0;

	for (size_t i = 0; file[i] && file[i] == path[i]; i++)
		if (file[i] == '/')
			end = i + 1;
	return end;
}

static const char *strip_scheme(const char *path)
{
	return strncmp(path, "file://", 7) == 0 ? path + 7 : path;
}

/* The first of path's last n components. */
static const char *last_components(const char *path, int n)
{
	const char *p = path + strlen(path);

	while (p > path)
		if (*--p == '/' && --n == 0)
			return p + 1;
	return path[0] == '/' ? path + 1 : path;
}

/*
 * Is arg a script of the target, and how much of the start of path is its
 * folder, or the one that both are in?  A relative one lies in the working
 * directory.
 */
static size_t match_script(const struct target_info *t, const char *arg, const char *path)
{
	char script[4096];

	/* A launcher (pm2, ts-node) tells nothing about where the project is. */
	if (arg[0] == '-' || !strchr(path_base(arg), '.') || strstr(arg, "/node_modules/"))
		return 0;
	if (arg[0] == '/')
		return common_folder(arg, path);
	if (!t->cwd || t->cwd[0] != '/')
		return 0;
	while (strncmp(arg, "./", 2) == 0)
		arg += 2;
	snprintf(script, sizeof(script), "%s/%s", t->cwd, arg);
	return common_folder(script, path);
}

/*
 * How much of the start of path is the project's folder: the one that it shares
 * with the main script, or else the working directory; 0 if neither tells.
 */
static size_t find_project(const struct recording *rec, const char *path)
{
	const struct target_info *t = &rec->target;
	size_t len = t->cwd ? strlen(t->cwd) : 0;

	for (uint32_t i = 1; i < t->argc && i < 32; i++) {
		size_t folder = match_script(t, t->argv[i], path);

		/* "/" alone is common to everything. */
		if (folder > 1)
			return folder;
	}
	if (len > 1 && strncmp(path, t->cwd, len) == 0 && path[len] == '/')
		return len + 1;
	return 0;
}

const char *project_path(const struct recording *rec, const char *path)
{
	const char *installed;
	size_t folder;

	path = strip_scheme(path);
	installed = after_last(path, "/node_modules/");
	if (!installed)
		installed = after_last(path, "/site-packages/");
	if (!installed)
		installed = after_last(path, "/dist-packages/");
	if (installed)
		return installed;
	if (path[0] != '/')
		return path;
	folder = find_project(rec, path);
	return folder ? path + folder : last_components(path, 3);
}

static uint64_t mix_culprit(uint64_t h, const struct recording *rec, const struct frame *f)
{
	if (f->kind == FRAME_NATIVE)
		h = mix(h, f->module ? path_base(f->module) : NULL);
	else
		h = mix(h, f->file ? project_path(rec, f->file) : NULL);
	return mix(h, f->function);
}

void fingerprint(char out[17], const struct recording *rec, const struct finding *f, uint32_t nth)
{
	uint64_t h = mix(0xcbf29ce484222325, cause_info[f->cause].id);
	char digits[12];

	if (f->culprit)
		h = mix_culprit(h, rec, f->culprit);
	/* The hottest function of plain code changes from run to run; a collector's kind as well.
	 */
	if (f->cause != CAUSE_USER_CODE && f->cause != CAUSE_GC)
		h = mix(h, f->call);
	/* Its title says why nothing is known. */
	if (f->cause == CAUSE_UNKNOWN)
		h = mix(h, f->title);
	if (nth > 0) {
		snprintf(digits, sizeof(digits), "%u", nth);
		h = mix(h, digits);
	}
	snprintf(out, 17, "%016" PRIx64, h);
}
