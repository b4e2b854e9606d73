#include "sampler/symbols.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "sampler/debug_file.h"
#include "sampler/debug_info.h"
#include "sampler/sandbox.h"
#include "sampler/target_file.h"

enum {
	MAX_INLINED = 32,
	MAX_ADDRESSES = 50000,
	MAX_FILES_OPEN = 256,
};

/* libdw reads it all in a sandbox: 0.188 overruns what a hostile .debug_line leaves unterminated.
 */
static const struct sandbox_limits limits = {
	.cpu_seconds = 4,
	.wall_seconds = 10,
	.memory = (size_t)2 << 30,
	.max_answer = 64 << 20,
};

/* A program or library that frames lie in. */
struct module {
	const char *path, *build_id;  /* interned in the recording */
	struct elf_file *debug, *alt; /* where its DWARF is; NULL: nowhere */
};

struct resolver {
	struct recording *rec;
	int proc; /* /proc/PID of the target, -1: it is gone */
	struct arena arena;
	struct module *modules;
	size_t n_modules, cap_modules;
	uint32_t *wanted; /* frame ids to look up */
	size_t n_wanted, cap_wanted;
	struct frame_replacement *replacements;
	size_t n, cap;
};

/*
 * A file without build-id is the one that ran if nothing was written to it, and
 * nothing else was given its name, since the session began.
 */
static bool unchanged(const struct recording *rec, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec <
					      rec->session.start_unix_ns;
}

static struct elf_file *open_program(const struct resolver *r, const struct module *m, int proc)
{
	struct elf_file *file;
	struct error err;
	int fd = target_open_path(proc, m->path, 0);

	if (fd < 0 || elf_open(&file, fd, &err) < 0)
		return NULL;
	if (m->build_id ? strcmp(file->build_id, m->build_id) == 0
			: !file->build_id[0] && unchanged(r->rec, file->fd))
		return file;
	elf_close(file);
	return NULL;
}

static struct elf_file *open_alt(const struct resolver *r, const struct elf_file *file)
{
	char path[PATH_MAX], build_id[41];
	struct debug_origin origin = { .proc = r->proc, .build_id = build_id };
	struct elf_file *alt;
	struct error err;
	int fd;

	if (!debug_info_alt(file, path, sizeof(path), build_id))
		return NULL;
	alt = debug_file_open(&origin, NULL);
	if (alt)
		return alt;
	fd = target_open_path(-1, path, 0);
	if (fd < 0 || elf_open(&alt, fd, &err) < 0)
		return NULL;
	if (strcmp(alt->build_id, build_id) == 0)
		return alt;
	elf_close(alt);
	return NULL;
}

/*
 * Nobody's culprit, and unpacking the debug file of libc alone takes 50 ms.  Its
 * symbols have been used; lines are looked for only if the library itself has them.
 */
static bool is_system_library(const char *path)
{
	static const char *const folders[] = { "/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (strncmp(path, folders[i], strlen(folders[i])) == 0)
			return strstr(path, ".so") != NULL;
	return false;
}

static void open_module(struct resolver *r, struct module *m)
{
	struct debug_origin origin = { r->proc, m->path, m->build_id };
	struct elf_file *file = r->proc < 0 ? NULL : open_program(r, m, r->proc);

	if (!file)
		file = open_program(r, m, -1);
	m->debug = is_system_library(m->path) ? NULL : debug_file_open(&origin, file);
	if (m->debug)
		elf_close(file);
	else
		m->debug = file;
	if (m->debug)
		m->alt = open_alt(r, m->debug);
}

static const struct module *module_of(struct resolver *r, const struct frame *f)
{
	struct module *m;

	for (size_t i = 0; i < r->n_modules; i++) {
		m = &r->modules[i];
		if (m->path == f->module && m->build_id == f->build_id)
			return m;
	}
	if (r->n_modules == MAX_FILES_OPEN)
		return NULL;
	ARRAY_GROW(r->modules, r->n_modules, r->cap_modules);
	m = &r->modules[r->n_modules++];
	*m = (struct module){ .path = f->module, .build_id = f->build_id };
	open_module(r, m);
	return m;
}

static void choose_frames(struct resolver *r)
{
	for (uint32_t id = 0; id < r->rec->stacks.n_frames && r->n_wanted < MAX_ADDRESSES; id++) {
		const struct frame *f = recording_get_frame(r->rec, id);
		const struct module *m;

		if (f->kind != FRAME_NATIVE || !f->address || f->file || f->inlined || !f->module ||
		    f->module[0] != '/')
			continue;
		m = module_of(r, f);
		if (!m || !m->debug)
			continue;
		ARRAY_GROW(r->wanted, r->n_wanted, r->cap_wanted);
		r->wanted[r->n_wanted++] = id;
	}
}

/* What the sandbox answers: for each frame a header and then n times source and its two names. */
struct answer {
	uint32_t id, n;
};

struct source {
	uint32_t line, column, define_line;
	uint32_t function_len, file_len; /* 0: unknown */
};

static void answer_frame(struct strbuf *b, uint32_t id, const struct source_frame *found, size_t n)
{
	struct answer answer = { id, (uint32_t)n };

	strbuf_add(b, &answer, sizeof(answer));
	for (size_t i = 0; i < n; i++) {
		const struct source_frame *f = &found[i];
		struct source s = { f->line, f->column, f->define_line,
				    f->function ? (uint32_t)strlen(f->function) : 0,
				    f->file ? (uint32_t)strlen(f->file) : 0 };

		strbuf_add(b, &s, sizeof(s));
		strbuf_add(b, f->function, s.function_len);
		strbuf_add(b, f->file, s.file_len);
	}
}

/* True if all was written; what was not stays. */
static bool flush(struct strbuf *b, int fd)
{
	size_t at = 0;

	while (at < b->len) {
		ssize_t n = write(fd, b->s + at, b->len - at);

		if (n < 0)
			return false;
		at += (size_t)n;
	}
	b->len = 0;
	return true;
}

static bool look_up_module(struct resolver *r, struct module *m, int fd)
{
	struct debug_info *info = debug_info_open(m->debug, m->alt);
	struct source_frame found[MAX_INLINED];
	struct strbuf answers = { 0 };

	m->debug = m->alt = NULL;
	for (size_t i = 0; info && i < r->n_wanted; i++) {
		const struct frame *f = recording_get_frame(r->rec, r->wanted[i]);
		size_t n;

		if (f->module != m->path || f->build_id != m->build_id)
			continue;
		n = debug_info_lookup(info, &r->arena, f->address, found, MAX_INLINED);
		if (n)
			answer_frame(&answers, r->wanted[i], found, n);
		if (answers.len > 65536 && !flush(&answers, fd))
			return false;
	}
	debug_info_close(info);
	flush(&answers, fd);
	strbuf_destroy(&answers);
	return true;
}

static void look_up_all(void *arg, int fd)
{
	struct resolver *r = arg;

	for (size_t i = 0; i < r->n_modules; i++)
		if (r->modules[i].debug && !look_up_module(r, &r->modules[i], fd))
			return;
}

/* Takes len bytes from the front of a text: NULL if there are fewer. */
static const char *take(const char **at, const char *end, size_t len)
{
	const char *s = *at;

	if ((size_t)(end - s) < len)
		return NULL;
	*at += len;
	return s;
}

/* One answer's frames -> ids; false if it is cut off. */
static bool read_frames(struct resolver *r, const char **at, const char *end,
			const struct answer *answer, uint32_t *with)
{
	struct frame whole = *recording_get_frame(r->rec, answer->id), f;

	for (uint32_t i = 0; i < answer->n; i++) {
		const char *bytes = take(at, end, sizeof(struct source)), *function, *file;
		struct source s;

		if (!bytes)
			return false;
		memcpy(&s, bytes, sizeof(s));
		function = take(at, end, s.function_len);
		file = function ? take(at, end, s.file_len) : NULL;
		if (!file)
			return false;
		f = whole;
		f.inlined = i + 1 < answer->n;
		/* The symbol table knows the outermost, by the name that rules know too. */
		if (s.function_len && (f.inlined || !f.function))
			f.function = symbol_demangle(
				r->rec, arena_strndup(&r->arena, function, s.function_len));
		if (s.file_len) {
			f.file = arena_strndup(&r->arena, file, s.file_len);
			f.line = s.line;
			f.column = s.column;
			f.define_line = s.define_line;
		}
		with[i] = recording_frame(r->rec, &f);
	}
	return true;
}

static void read_answers(struct resolver *r, const struct strbuf *answers)
{
	const char *at = answers->s, *end = at + answers->len, *bytes;
	size_t n_frames = r->rec->stacks.n_frames;

	while (at < end && (bytes = take(&at, end, sizeof(struct answer)))) {
		struct answer answer;
		uint32_t *with;

		memcpy(&answer, bytes, sizeof(answer));
		if (answer.id >= n_frames || answer.n == 0 || answer.n > MAX_INLINED)
			return;
		with = arena_alloc(&r->arena, answer.n * sizeof(*with));
		if (!read_frames(r, &at, end, &answer, with))
			return;
		ARRAY_GROW(r->replacements, r->n, r->cap);
		r->replacements[r->n++] = (struct frame_replacement){ answer.id, answer.n, with };
	}
}

static void resolve_frames(struct resolver *r)
{
	struct strbuf answers = { 0 };

	choose_frames(r);
	if (r->n_wanted && sandbox_run(look_up_all, r, &limits, &answers) < 0)
		recording_note(r->rec, "source lines of native code are missing: its debug "
				       "information is damaged or too large");
	read_answers(r, &answers);
	recording_replace_frames(r->rec, r->replacements, r->n);
	strbuf_destroy(&answers);
}

void symbols_resolve(struct recording *rec, pid_t pid)
{
	struct resolver r = { .rec = rec, .proc = -1 };
	char path[32];

	if (rec->session.resolved)
		return;
	/* The better names come once, at the end, and in the place of others. */
	rec->memory_max *= 2;
	if (pid) {
		snprintf(path, sizeof(path), "/proc/%d", pid);
		r.proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	resolve_frames(&r);
	rec->session.resolved = true;
	for (size_t i = 0; i < r.n_modules; i++) {
		elf_close(r.modules[i].debug);
		elf_close(r.modules[i].alt);
	}
	free(r.modules);
	free(r.wanted);
	free(r.replacements);
	arena_free(&r.arena);
	if (r.proc >= 0)
		close(r.proc);
}
