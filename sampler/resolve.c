#include "sampler/symbols.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/arena.h"
#include "sampler/debug_file.h"
#include "sampler/debug_info.h"
#include "sampler/target_file.h"

enum {
	MAX_INLINED = 32,
	MAX_ADDRESSES = 50000,
};
#define MAX_NS 2000000000 /* CPU time of all lookups */

/* A program or library that frames lie in; its debug information is opened once. */
struct module {
	const char *path, *build_id; /* interned in the recording */
	struct debug_info *info;     /* NULL: none to be found */
};

struct resolver {
	struct recording *rec;
	int proc; /* /proc/PID of the target, -1: it is gone */
	struct arena arena;
	struct module *modules;
	size_t n_modules, cap_modules;
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

static void open_module(struct resolver *r, struct module *m)
{
	struct debug_origin origin = { r->proc, m->path, m->build_id };
	struct elf_file *file = r->proc < 0 ? NULL : open_program(r, m, r->proc), *debug;

	if (!file)
		file = open_program(r, m, -1);
	debug = debug_file_open(&origin, file);
	if (debug)
		m->info = debug_info_open(debug, open_alt(r, debug));
	if (!m->info && file)
		m->info = debug_info_open(file, open_alt(r, file));
	else
		elf_close(file);
}

static struct debug_info *info_of(struct resolver *r, const struct frame *f)
{
	struct module *m;

	for (size_t i = 0; i < r->n_modules; i++) {
		m = &r->modules[i];
		if (m->path == f->module && m->build_id == f->build_id)
			return m->info;
	}
	ARRAY_GROW(r->modules, r->n_modules, r->cap_modules);
	m = &r->modules[r->n_modules++];
	*m = (struct module){ .path = f->module, .build_id = f->build_id };
	open_module(r, m);
	return m->info;
}

/* Replaces frame id by what its address stands for in the source. */
static void resolve_frame(struct resolver *r, uint32_t id, const struct source_frame *found,
			  size_t n)
{
	struct frame whole = *recording_get_frame(r->rec, id);
	uint32_t *with = arena_alloc(&r->arena, n * sizeof(*with));

	for (size_t i = 0; i < n; i++) {
		struct frame f = whole;

		f.file = found[i].file;
		f.line = found[i].line;
		f.column = found[i].column;
		f.define_line = found[i].define_line;
		f.inlined = i + 1 < n;
		/* The symbol table knows the outermost by the name that rules know, too. */
		if (f.inlined || !f.function)
			f.function = symbol_demangle(r->rec, found[i].function);
		with[i] = recording_frame(r->rec, &f);
	}
	ARRAY_GROW(r->replacements, r->n, r->cap);
	r->replacements[r->n++] = (struct frame_replacement){ id, (uint32_t)n, with };
}

static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static bool wanted(const struct frame *f)
{
	return f->kind == FRAME_NATIVE && f->address && !f->file && !f->inlined && f->module &&
	       f->module[0] == '/';
}

static void resolve_frames(struct resolver *r)
{
	size_t n_frames = r->rec->stacks.n_frames, looked_up = 0;
	int64_t until = cpu_ns() + MAX_NS;

	for (uint32_t id = 0; id < n_frames; id++) {
		const struct frame *f = recording_get_frame(r->rec, id);
		struct source_frame found[MAX_INLINED];
		struct debug_info *info;
		size_t n;

		if (!wanted(f))
			continue;
		if (looked_up == MAX_ADDRESSES || cpu_ns() > until) {
			recording_note(r->rec,
				       "source lines were looked up for the first %zu "
				       "native addresses only",
				       looked_up);
			return;
		}
		info = info_of(r, f);
		if (!info)
			continue;
		looked_up++;
		n = debug_info_lookup(info, &r->arena, f->address, found, MAX_INLINED);
		if (n)
			resolve_frame(r, id, found, n);
	}
}

void symbols_resolve(struct recording *rec, pid_t pid)
{
	struct resolver r = { .rec = rec, .proc = -1 };
	char path[32];

	if (rec->session.resolved)
		return;
	if (pid) {
		snprintf(path, sizeof(path), "/proc/%d", pid);
		r.proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	resolve_frames(&r);
	recording_replace_frames(rec, r.replacements, r.n);
	rec->session.resolved = true;
	for (size_t i = 0; i < r.n_modules; i++)
		debug_info_close(r.modules[i].info);
	free(r.modules);
	free(r.replacements);
	arena_free(&r.arena);
	if (r.proc >= 0)
		close(r.proc);
}
