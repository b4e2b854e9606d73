#include "cli/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzers/scan/ignore.h"
#include "cli/ignores.h"

void sources_unread(struct sources *s, const char *path, const char *why)
{
	ARRAY_GROW(s->unread, s->n_unread, s->unread_cap);
	s->unread[s->n_unread++] = (struct source_unread){ arena_strdup(&s->arena, path),
							   arena_strdup(&s->arena, why) };
}

static void add_file(struct sources *s, const char *path)
{
	int language = scan_language_of(path);

	if (language < 0)
		return;
	while (strncmp(path, "./", 2) == 0)
		path += 2 + strspn(path + 2, "/");
	ARRAY_GROW(s->files, s->n, s->cap);
	s->files[s->n++] =
		(struct source_file){ arena_strdup(&s->arena, path), (enum scan_language)language };
}

/* Folders that hold no source of this project. */
static bool is_foreign(const char *name)
{
	return strcmp(name, "node_modules") == 0 || strcmp(name, ".git") == 0;
}

static void visit_folder(FTS *fts, FTSENT *e)
{
	if (e->fts_level > 0 && (is_foreign(e->fts_name) || ignores_entry(e, true)))
		fts_set(fts, e, FTS_SKIP);
	else
		ignores_enter(e);
}

static void visit(struct sources *s, FTS *fts, FTSENT *e)
{
	switch (e->fts_info) {
	case FTS_D:
		visit_folder(fts, e);
		break;
	case FTS_DP:
		ignores_leave(e);
		break;
	case FTS_F:
		if (e->fts_level == 0 || !ignores_entry(e, false))
			add_file(s, e->fts_path);
		break;
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		sources_unread(s, e->fts_path, strerror(e->fts_errno));
		break;
	default: /* symbolic links, sockets, devices */
		break;
	}
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int by_path(const void *a, const void *b)
{
	const struct source_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* Operands may overlap. */
static void sort_files(struct sources *s)
{
	size_t kept = 0;

	if (s->n)
		qsort(s->files, s->n, sizeof(*s->files), by_path);
	for (size_t i = 0; i < s->n; i++)
		if (kept == 0 || strcmp(s->files[kept - 1].path, s->files[i].path) != 0)
			s->files[kept++] = s->files[i];
	s->n = kept;
}

static int check_operands(char **operands, struct error *err)
{
	struct stat st;

	for (char **p = operands; *p; p++)
		if (stat(*p, &st) < 0)
			return error_set(err, -errno, "cannot scan %s: %s", *p, strerror(errno));
	return 0;
}

int sources_find(struct sources *s, char **operands, struct error *err)
{
	FTSENT *e;
	FTS *fts;

	*s = (struct sources){ 0 };
	if (check_operands(operands, err) < 0)
		return err->code;
	fts = fts_open(operands, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	if (!fts)
		return error_set(err, -errno, "cannot scan %s: %s", operands[0], strerror(errno));
	while ((e = fts_read(fts)))
		visit(s, fts, e);
	if (errno)
		sources_unread(s, operands[0], strerror(errno));
	fts_close(fts);
	sort_files(s);
	return 0;
}

void sources_free(struct sources *s)
{
	free(s->files);
	free(s->unread);
	arena_free(&s->arena);
}

/* True: n bytes or all that there is. */
static bool read_fully(int fd, char *to, size_t size, size_t *len)
{
	ssize_t n = 1;

	for (*len = 0; *len < size && n > 0; *len += n > 0 ? (size_t)n : 0)
		n = read(fd, to + *len, size - *len);
	return n >= 0;
}

char *source_read(const char *path, size_t *len, const char **why)
{
	/* A pipe that took a file's place must not make it wait. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = NULL;
	struct stat st;

	*why = NULL;
	if (fd < 0 || fstat(fd, &st) < 0) {
		*why = strerrordesc_np(errno);
	} else if (!S_ISREG(st.st_mode)) {
		*why = "it is not a file";
	} else if (st.st_size > SOURCE_BYTES_MAX) {
		*why = "it is larger than 16 MiB";
	} else {
		text = xcalloc(1, (size_t)st.st_size + 1);
		if (!read_fully(fd, text, (size_t)st.st_size, len))
			*why = strerrordesc_np(errno);
	}
	if (fd >= 0)
		close(fd);
	if (*why) {
		free(text);
		return NULL;
	}
	return text;
}
