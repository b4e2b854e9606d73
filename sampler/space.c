#include "sampler/space.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "sampler/maps.h"
#include "sampler/memory.h"
#include "sampler/target_file.h"

enum { MAX_MAPS_TEXT = 64 << 20 };

struct maps {
	struct mapping *v; /* in order, not overlapping; paths are malloc'ed */
	size_t n, cap;
};

/* A file and the inode number that maps shows for it; ino 0: vdso, or given by a fixture. */
struct open_file {
	struct elf_file *file;
	uint64_t ino;
	uint32_t dev_major, dev_minor;
};

struct space {
	pid_t pid;
	int proc; /* /proc/PID, which can never become another process; -1 if none */
	int proc_errno;
	struct image image;
	struct maps maps;
	struct open_file *files;
	size_t n_files, cap_files;
	void *vdso; /* bytes of its image */
	uint64_t generation;
};

static void maps_push(struct maps *maps, const struct mapping *m)
{
	ARRAY_GROW(maps->v, maps->n, maps->cap);
	maps->v[maps->n] = *m;
	maps->v[maps->n++].path = xstrdup(m->path);
}

static void maps_free(struct maps *maps)
{
	for (size_t i = 0; i < maps->n; i++)
		free((char *)maps->v[i].path);
	free(maps->v);
	*maps = (struct maps){ 0 };
}

/* Index of the first mapping that ends above addr. */
static size_t maps_search(const struct maps *maps, uint64_t addr)
{
	size_t lo = 0, hi = maps->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (maps->v[mid].end > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

struct space *space_new(pid_t pid)
{
	struct space *space = xcalloc(1, sizeof(*space));
	char name[32];

	space->pid = pid;
	space->generation = 1;
	image_init(&space->image);
	snprintf(name, sizeof(name), "/proc/%d", pid);
	space->proc = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	space->proc_errno = errno;
	return space;
}

int space_proc(const struct space *space)
{
	return space->proc;
}

static bool same_inode(const struct mapping *m, const struct open_file *f)
{
	return m->ino && m->ino == f->ino && m->dev_major == f->dev_major &&
	       m->dev_minor == f->dev_minor;
}

static bool file_used(const struct space *space, const struct open_file *f)
{
	for (size_t i = 0; i < space->maps.n; i++)
		if (space->maps.v[i].file == f->file || same_inode(&space->maps.v[i], f))
			return true;
	return false;
}

static void drop_unused_files(struct space *space)
{
	size_t kept = 0;

	for (size_t i = 0; i < space->n_files; i++) {
		struct open_file *f = &space->files[i];
		bool vdso;

		if (file_used(space, f)) {
			space->files[kept++] = *f;
			continue;
		}
		vdso = f->file->image && f->file->image == space->vdso;
		elf_close(f->file);
		if (vdso) {
			free(space->vdso);
			space->vdso = NULL;
		}
	}
	space->n_files = kept;
}

static void space_changed(struct space *space)
{
	drop_unused_files(space);
	space->generation++;
}

void space_reset(struct space *space)
{
	image_close(&space->image);
	maps_free(&space->maps);
	space_changed(space);
}

void space_free(struct space *space)
{
	if (!space)
		return;
	space_reset(space);
	free(space->files);
	if (space->proc >= 0)
		close(space->proc);
	free(space);
}

static char *maps_failed(const struct space *space, int code, const char *what, struct error *err)
{
	error_set(err, -code, "cannot %s /proc/%d/maps: %s", what, space->pid, strerror(code));
	return NULL;
}

/* The whole of /proc/PID/maps, NUL-terminated and malloc'ed; NULL if it cannot be read. */
static char *read_maps(const struct space *space, struct error *err)
{
	size_t len = 0, cap = 64 << 10;
	char *text;
	ssize_t n;
	int fd, code;

	if (space->proc < 0)
		return maps_failed(space, space->proc_errno, "open", err);
	fd = openat(space->proc, "maps", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return maps_failed(space, errno, "open", err);
	text = xrealloc(NULL, cap, 1);
	while ((n = read(fd, text + len, cap - len - 1)) > 0) {
		len += (size_t)n;
		if (cap - len < 4096 && cap < MAX_MAPS_TEXT)
			text = xrealloc(text, cap *= 2, 1);
	}
	code = errno;
	close(fd);
	text[len] = '\0';
	if (n == 0)
		return text;
	free(text);
	return maps_failed(space, code, "read", err);
}

static void parse_maps(char *text, struct maps *maps)
{
	for (char *line = text, *next; *line; line = next) {
		char *end = strchrnul(line, '\n');
		struct mapping m;

		next = *end ? end + 1 : end;
		*end = '\0';
		if (maps_parse_line(line, &m) && (!maps->n || m.start >= maps->v[maps->n - 1].end))
			maps_push(maps, &m);
	}
}

static bool same_mapping(const struct mapping *a, const struct mapping *b)
{
	return a->start == b->start && a->end == b->end && a->offset == b->offset &&
	       a->ino == b->ino && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor &&
	       a->exec == b->exec && a->write == b->write && a->deleted == b->deleted &&
	       strcmp(a->path, b->path) == 0;
}

/* Lets the new mappings keep what is known of the old ones; true if the executable ones are the
 * same. */
static bool carry_over(const struct maps *old, struct maps *fresh)
{
	size_t old_exec = 0, fresh_exec = 0, same_exec = 0;

	for (size_t i = 0; i < old->n; i++)
		old_exec += old->v[i].exec;
	for (size_t i = 0, j = 0; i < fresh->n; i++) {
		struct mapping *m = &fresh->v[i];

		fresh_exec += m->exec;
		while (j < old->n && old->v[j].start < m->start)
			j++;
		if (j == old->n || !same_mapping(&old->v[j], m))
			continue;
		m->file = old->v[j].file;
		m->file_tried = old->v[j].file_tried;
		m->bias = old->v[j].bias;
		same_exec += m->exec;
	}
	return same_exec == old_exec && same_exec == fresh_exec;
}

enum image_state space_image(const struct space *space)
{
	return space->proc < 0 ? IMAGE_UNKNOWN : image_look(&space->image, space->proc);
}

int space_memory(const struct space *space)
{
	return space->image.mem;
}

uint64_t space_since(const struct space *space)
{
	return space->image.code ? 0 : space->image.since;
}

int space_refresh(struct space *space, struct error *err)
{
	struct maps fresh = { 0 };
	enum image_state state;
	bool same_code;
	char *text;

	if (space->proc >= 0 && space->image.code)
		image_open(&space->image, space->proc);
	text = read_maps(space, err);
	if (!text)
		return err->code;
	state = space_image(space);
	if (state == IMAGE_REPLACED || state == IMAGE_ENDED) {
		free(text);
		return error_set(err, state == IMAGE_ENDED ? -ESRCH : -ESTALE,
				 "process %d does not run that program any more", space->pid);
	}
	parse_maps(text, &fresh);
	free(text);
	same_code = carry_over(&space->maps, &fresh);
	maps_free(&space->maps);
	space->maps = fresh;
	drop_unused_files(space);
	if (!same_code)
		space->generation++;
	return 0;
}

static void push_part(struct maps *maps, const struct mapping *whole, uint64_t start, uint64_t end)
{
	struct mapping part = *whole;

	if (start > part.start) {
		part.offset += start - part.start;
		part.start = start;
	}
	if (end < part.end)
		part.end = end;
	maps_push(maps, &part);
}

/* Cuts out of the mappings what lies in [start, end). */
static void clear_range(struct maps *maps, uint64_t start, uint64_t end)
{
	struct maps left = { 0 };

	for (size_t i = 0; i < maps->n; i++) {
		const struct mapping *m = &maps->v[i];

		if (m->start < start)
			push_part(&left, m, 0, start);
		if (m->end > end)
			push_part(&left, m, end, UINT64_MAX);
	}
	maps_free(maps);
	*maps = left;
}

static void insert_mapping(struct maps *maps, const struct mapping *m)
{
	struct mapping added = *m;
	size_t at = maps_search(maps, m->start);

	added.path = xstrdup(m->path); /* it may be one of those that are cut */
	if (at < maps->n && maps->v[at].start < m->end) {
		clear_range(maps, m->start, m->end);
		at = maps_search(maps, m->start);
	}
	ARRAY_GROW(maps->v, maps->n, maps->cap);
	memmove(&maps->v[at + 1], &maps->v[at], (maps->n - at) * sizeof(added));
	maps->v[at] = added;
	maps->n++;
}

static void keep_file(struct space *space, const struct mapping *m, struct elf_file *file)
{
	for (size_t i = 0; i < space->n_files; i++)
		if (space->files[i].file == file)
			return;
	ARRAY_GROW(space->files, space->n_files, space->cap_files);
	space->files[space->n_files++] = (struct open_file){
		.file = file,
		.ino = m->ino,
		.dev_major = m->dev_major,
		.dev_minor = m->dev_minor,
	};
}

void space_add_file(struct space *space, const struct mapping *m, struct elf_file *file)
{
	struct mapping added = *m;

	assert(m->start < m->end);
	added.file = NULL;
	added.file_tried = file != NULL;
	if (file) {
		keep_file(space, m, file);
		if (elf_bias_of_mapping(file, m->start, m->offset, m->exec, &added.bias))
			added.file = file;
	}
	insert_mapping(&space->maps, &added);
	space_changed(space);
}

/* A JIT switches its pages between writable and executable for each function that it makes. */
static bool is_known(struct space *space, const struct mapping *m)
{
	const struct mapping *old = space_find(space, m->start);

	if (!old || old->end < m->end || old->exec != m->exec || old->anon != m->anon)
		return false;
	return m->anon ||
	       (m->ino == old->ino && m->dev_major == old->dev_major &&
		m->dev_minor == old->dev_minor && m->offset - old->offset == m->start - old->start);
}

void space_add(struct space *space, const struct mapping *m)
{
	if (m->start < m->end && !is_known(space, m))
		space_add_file(space, m, NULL);
}

struct mapping *space_find(struct space *space, uint64_t addr)
{
	size_t i = maps_search(&space->maps, addr);

	if (i == space->maps.n || space->maps.v[i].start > addr)
		return NULL;
	return &space->maps.v[i];
}

static struct elf_file *known_file(const struct space *space, const struct mapping *m,
				   uint64_t *bias)
{
	for (size_t i = 0; i < space->n_files; i++) {
		struct elf_file *file = space->files[i].file;

		if (same_inode(m, &space->files[i]) &&
		    elf_bias_of_mapping(file, m->start, m->offset, m->exec, bias))
			return file;
	}
	return NULL;
}

struct elf_file *space_file(struct space *space, struct mapping *m)
{
	struct process_memory memory;

	if (m->file_tried)
		return m->file;
	m->file_tried = true;
	m->file = known_file(space, m, &m->bias);
	if (m->file || space->proc < 0)
		return m->file;
	memory = (struct process_memory){ space->pid, space->image.mem };
	if (!m->anon)
		m->file = target_open_file(&memory, space->proc, m, &m->bias);
	else if (!space->vdso && strcmp(m->path, "[vdso]") == 0)
		m->file = target_open_vdso(&memory, m, &space->vdso, &m->bias);
	if (m->file)
		keep_file(space, m, m->file);
	return m->file;
}

const struct mapping *space_mappings(const struct space *space, size_t *n)
{
	*n = space->maps.n;
	return space->maps.v;
}

uint64_t space_generation(const struct space *space)
{
	return space->generation;
}
