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

/* Is path the script that is written relative, "./src/server.js", in the arguments? */
static bool ends_in_script(const char *path, const char *arg)
{
	size_t len, n = strlen(path);

	while (strncmp(arg, "./", 2) == 0)
		arg += 2;
	len = strlen(arg);
	return len && len < n && path[n - len - 1] == '/' && strcmp(path + n - len, arg) == 0;
}

/*
 * How much of the start of path is the project's folder, if the main script,
 * found among the target's arguments and its frames' files, lies beside or
 * above it; 0 if that cannot be told.
 */
static size_t find_project(const struct recording *rec, const char *path)
{
	const struct target_info *t = &rec->target;

	for (uint32_t i = 1; i < t->argc && i < 32; i++) {
		const char *arg = t->argv[i];

		if (arg[0] == '-' || !strchr(path_base(arg), '.'))
			continue;
		if (arg[0] == '/')
			return common_folder(arg, path);
		for (size_t k = 0; k < rec->stacks.n_frames; k++) {
			const char *file = rec->stacks.frames[k].file;

			if (file && ends_in_script(strip_scheme(file), arg))
				return common_folder(strip_scheme(file), path);
		}
	}
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
	/* "/" alone is common to everything. */
	return folder > 1 ? path + folder : last_components(path, 3);
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
