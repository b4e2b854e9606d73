#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/names.h"
#include "core/recording.h"
#include "sampler/sandbox.h"
#include "sampler/source_map.h"
#include "sampler/target_file.h"

enum {
	SCRIPTS_MAX = 512,
	SCRIPT_MAX = 16 << 20, /* bytes of a script, and of a map */
	TOTAL_MAX = 128 << 20, /* bytes of all maps */
};

/* Maps are JSON from anywhere: they are parsed where they can harm nobody. */
static const struct sandbox_limits limits = {
	.cpu_seconds = 5,
	.wall_seconds = 15,
	.memory = (size_t)1 << 30,
	.max_answer = 32 << 20,
};

/* A script with a map. */
struct script {
	const char *file; /* interned in the recording */
	char *base;       /* the file that names in its map are relative to; NULL: it has no map */
	char *map;
	size_t map_len;
	bool differs; /* the file is not what was run */
};

/* What the sandbox answers for a frame; the name of the source follows. */
struct answer {
	uint32_t id, line, column, define_line, source_len;
};

struct mapper {
	struct recording *rec;
	int proc; /* /proc/PID of the target, -1: it is gone */
	struct arena arena;
	struct script scripts[SCRIPTS_MAX];
	size_t n_scripts, total;
	bool maps;
	struct frame_replacement *replacements;
	size_t n, cap;
};

/* A map that was written while the session ran may be that of another script. */
static bool is_as_it_was(const struct recording *rec, const struct stat *st)
{
	return (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec <
	       rec->session.start_unix_ns;
}

/* A malloc'ed copy of a file of the target; NULL if it is not to be had. */
static char *read_file(struct mapper *m, const char *path, size_t *len)
{
	int fd = target_open_path(m->proc, path, 0);
	char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= SCRIPT_MAX &&
	    is_as_it_was(m->rec, &st)) {
		text = xcalloc(1, (size_t)st.st_size + 1);
		for (*len = 0; *len < (size_t)st.st_size; *len += (size_t)n) {
			n = pread(fd, text + *len, (size_t)st.st_size - *len, (off_t)*len);
			if (n <= 0)
				break;
		}
	}
	close(fd);
	return text;
}

static const struct script_lines *lines_of(const struct recording *rec, const char *file)
{
	for (size_t i = 0; i < rec->n_scripts; i++) {
		if (rec->scripts[i].file == file)
			return &rec->scripts[i];
	}
	return NULL;
}

/*
 * What a script says about its map: the one that a loader made, or the file, if that is what
 * was run.
 */
static char *find_url(struct mapper *m, struct script *s)
{
	const struct script_lines *lines = lines_of(m->rec, s->file);
	size_t len;
	char *text, *url;

	for (size_t i = 0; i < m->rec->n_maps; i++) {
		if (m->rec->maps[i].script == s->file)
			return xstrdup(m->rec->maps[i].url);
	}
	text = read_file(m, s->file, &len);
	s->differs = text && lines && !source_has_lines(lines, text, len);
	url = text && !s->differs ? source_map_url(text, len) : NULL;
	free(text);
	return url;
}

/* Finds the map of a script: in the script itself, or in a file that it names. */
static void load_map(struct mapper *m, struct script *s)
{
	char *url = find_url(m, s);

	if (!url || !m->maps)
		goto out;
	s->map = source_map_data(url, &s->map_len);
	s->base = s->map ? xstrdup(s->file) : source_map_join(s->file, url);
	if (!s->map && s->base[0] == '/')
		s->map = read_file(m, s->base, &s->map_len);
	if (s->map && m->total + s->map_len <= TOTAL_MAX) {
		m->total += s->map_len;
	} else {
		free(s->map);
		s->map = NULL;
	}
out:
	free(url);
}

static bool is_generated(const struct frame *f)
{
	return f->kind == FRAME_JS && f->file && f->file[0] == '/' && f->line;
}

static void choose_scripts(struct mapper *m)
{
	for (uint32_t id = 0; id < m->rec->stacks.n_frames; id++) {
		const struct frame *f = recording_get_frame(m->rec, id);
		size_t i = 0;

		if (!is_generated(f))
			continue;
		while (i < m->n_scripts && m->scripts[i].file != f->file)
			i++;
		if (i < m->n_scripts || i == SCRIPTS_MAX)
			continue;
		m->scripts[m->n_scripts].file = f->file;
		load_map(m, &m->scripts[m->n_scripts++]);
	}
}

/*
 * Maps of packages name files of where they were built, a repository or a URL: of those that are
 * not installed the user has nothing, and they would pass for the program's own.
 */
static bool leaves_package(const char *script, const char *source)
{
	const char *package = path_in_package(script), *other = path_in_package(source);

	if (!package)
		return false;
	return !other || strncmp(package, other, package_name_length(package) + 1) != 0;
}

static bool write_all(int fd, const void *data, size_t len)
{
	return write(fd, data, len) == (ssize_t)len;
}

/* In the sandbox: the answers for all frames of a script. */
static bool answer_script(const struct mapper *m, const struct script *s,
			  const struct source_map *map, int fd)
{
	for (uint32_t id = 0; id < m->rec->stacks.n_frames; id++) {
		const struct frame *f = recording_get_frame(m->rec, id);
		struct source_place place, definition;
		struct answer a = { .id = id };
		char *source;
		bool ok;

		if (!is_generated(f) || f->file != s->file ||
		    !source_map_find(map, f->line, f->column, &place))
			continue;
		source = source_map_join(s->base, place.source);
		if (leaves_package(s->file, source)) {
			free(source);
			continue;
		}
		a.line = place.line;
		a.column = f->column ? place.column : 0;
		if (source_map_find(map, f->define_line, 0, &definition) &&
		    definition.source == place.source)
			a.define_line = definition.line;
		a.source_len = (uint32_t)strlen(source);
		ok = write_all(fd, &a, sizeof(a)) && write_all(fd, source, a.source_len);
		free(source);
		if (!ok)
			return false;
	}
	return true;
}

static void answer_all(void *arg, int fd)
{
	const struct mapper *m = arg;

	for (size_t i = 0; i < m->n_scripts; i++) {
		const struct script *s = &m->scripts[i];
		struct source_map *map = s->map ? source_map_parse(s->map, s->map_len) : NULL;
		bool ok = !map || answer_script(m, s, map, fd);

		source_map_free(map);
		if (!ok)
			return;
	}
}

static void replace(struct mapper *m, uint32_t id, const struct frame *f)
{
	uint32_t *with = arena_alloc(&m->arena, sizeof(*with));

	*with = recording_frame(m->rec, f);
	ARRAY_GROW(m->replacements, m->n, m->cap);
	m->replacements[m->n++] = (struct frame_replacement){ id, 1, with };
}

/* Lines of a script must not pass for those of a file that has others. */
static void mark_generated(struct mapper *m)
{
	size_t n_frames = m->rec->stacks.n_frames;

	for (uint32_t id = 0; id < n_frames; id++) {
		struct frame f = *recording_get_frame(m->rec, id);
		size_t i = 0;

		while (i < m->n_scripts && m->scripts[i].file != f.file)
			i++;
		if (i == m->n_scripts || !m->scripts[i].differs || !is_generated(&f))
			continue;
		f.file = arena_printf(&m->arena, "%s (generated)", f.file);
		replace(m, id, &f);
	}
}

static bool is_there(const struct mapper *m, const char *path)
{
	int fd = target_open_path(m->proc, path, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/*
 * Bundlers name files by where they are in the project, which they give a scheme of their own:
 * "webpack://shop/./src/a.ts".  The project is the nearest folder around the script that has such a
 * file; without one the name stays.  Malloc'ed.
 */
static char *find_in_project(const struct mapper *m, const char *script, const char *source)
{
	const char *path = source_in_project(source);
	char *folder = path ? xstrdup(script) : NULL, *slash, *found = NULL;

	while (folder && !found && (slash = strrchr(folder, '/'))) {
		slash[1] = '\0';
		found = source_map_join(folder, path);
		if (!is_there(m, found)) {
			free(found);
			found = NULL;
		}
		*slash = '\0';
	}
	free(folder);
	return found ? found : xstrdup(source);
}

static void read_answers(struct mapper *m, const struct strbuf *answers)
{
	const char *at = answers->s, *end = at + answers->len;
	size_t n_frames = m->rec->stacks.n_frames;
	struct answer a;

	while (at && (size_t)(end - at) >= sizeof(a)) {
		struct frame f;
		char *source;

		memcpy(&a, at, sizeof(a));
		at += sizeof(a);
		if (a.id >= n_frames || a.source_len > (size_t)(end - at))
			return;
		f = *recording_get_frame(m->rec, a.id);
		source = find_in_project(m, f.file, arena_strndup(&m->arena, at, a.source_len));
		f.file = arena_strdup(&m->arena, source);
		free(source);
		f.line = a.line;
		f.column = a.column;
		f.define_line = a.define_line;
		at += a.source_len;
		replace(m, a.id, &f);
	}
}

void source_maps_apply(struct recording *rec, pid_t pid, bool maps)
{
	struct mapper *m = xcalloc(1, sizeof(*m));
	struct strbuf answers = { 0 };
	char path[32];

	m->rec = rec;
	m->maps = maps;
	m->proc = -1;
	if (pid) {
		snprintf(path, sizeof(path), "/proc/%d", pid);
		m->proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	choose_scripts(m);
	if (m->total) {
		if (sandbox_run(answer_all, m, &limits, &answers) < 0)
			recording_note(rec, "a source map is damaged or too large: lines are those "
					    "of the generated JavaScript");
		read_answers(m, &answers);
	}
	mark_generated(m);
	recording_replace_frames(rec, m->replacements, m->n);
	for (size_t i = 0; i < m->n_scripts; i++) {
		free(m->scripts[i].map);
		free(m->scripts[i].base);
	}
	strbuf_destroy(&answers);
	free(m->replacements);
	arena_free(&m->arena);
	if (m->proc >= 0)
		close(m->proc);
	free(m);
}
