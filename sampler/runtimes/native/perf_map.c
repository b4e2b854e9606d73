#include "sampler/runtimes/native/perf_map.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/arena.h"
#include "sampler/target_file.h"

enum {
	MAX_FILE = 64 << 20,
	MAX_ENTRIES = 1 << 20,
	MAX_NAME = 512,
	MAX_LINE = 4096,  /* a longer one cannot be told from garbage */
	MAX_OVERLAP = 64, /* entries looked back over for one that covers a pc */
	BLOCK = 64 << 10,
};

struct jit_entry {
	uint64_t start, end;
	uint32_t name;  /* offset in names */
	uint32_t order; /* in the file: code that was replaced stays listed */
};

struct perf_map {
	int proc;
	dev_t dev;
	ino_t ino;
	off_t parsed;   /* bytes of the file that were whole lines */
	time_t checked; /* CLOCK_MONOTONIC seconds, 0: never */
	struct jit_entry *v;
	size_t n, cap, sorted;
	struct strbuf names;
};

struct perf_map *perf_map_new(int proc)
{
	struct perf_map *map = xcalloc(1, sizeof(*map));

	map->proc = proc;
	return map;
}

static void forget(struct perf_map *map)
{
	map->n = map->sorted = map->names.len = 0;
	map->parsed = 0;
}

void perf_map_free(struct perf_map *map)
{
	if (!map)
		return;
	free(map->v);
	strbuf_destroy(&map->names);
	free(map);
}

/* Reads hex digits of [*s, end) and the blanks behind them; false without any, or if too many. */
static bool take_hex(const char **s, const char *end, uint64_t *value)
{
	const char *p = *s;

	if (end - p > 2 && p[0] == '0' && p[1] == 'x')
		p += 2;
	for (*s = p, *value = 0; p < end && isxdigit((unsigned char)*p); p++) {
		if (p - *s == 16)
			return false;
		*value = *value << 4 | (uint64_t)(*p <= '9' ? *p - '0' : (*p | 32) - 'a' + 10);
	}
	if (p == *s || p == end || *p != ' ')
		return false;
	while (p < end && *p == ' ')
		p++;
	*s = p;
	return true;
}

static void take_line(struct perf_map *map, const char *line, const char *end)
{
	struct jit_entry e;
	uint64_t size;
	size_t len;

	if (!take_hex(&line, end, &e.start) || !take_hex(&line, end, &size) || line == end ||
	    size == 0 || e.start + size < e.start || map->n == MAX_ENTRIES)
		return;
	e.end = e.start + size;
	e.name = (uint32_t)map->names.len;
	e.order = (uint32_t)map->n;
	len = (size_t)(end - line) < MAX_NAME ? (size_t)(end - line) : MAX_NAME;
	strbuf_add(&map->names, line, strnlen(line, len));
	strbuf_add(&map->names, "", 1);
	ARRAY_GROW(map->v, map->n, map->cap);
	map->v[map->n++] = e;
}

size_t perf_map_parse(struct perf_map *map, const char *text, size_t len)
{
	const char *line = text, *end = text + len, *newline;

	while ((newline = memchr(line, '\n', (size_t)(end - line)))) {
		take_line(map, line, newline);
		line = newline + 1;
	}
	return (size_t)(line - text);
}

bool perf_map_path(int proc, char *path, size_t size, uid_t *owner)
{
	char line[256];
	long pid = -1, uid = -1;
	int fd = openat(proc, "status", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "NSpid:", 6) == 0)
			pid = atol(strrchr(line, '\t') + 1); /* the innermost namespace's */
		else if (sscanf(line, "Uid: %*d %ld", &uid) == 1)
			*owner = (uid_t)uid;
	}
	fclose(f);
	snprintf(path, size, "/tmp/perf-%ld.map", pid);
	return pid > 0 && uid >= 0;
}

/* An open map that may be believed, or -1. */
static int open_map(const struct perf_map *map, struct stat *st)
{
	char path[64];
	uid_t owner = 0;
	int fd;

	if (!perf_map_path(map->proc, path, sizeof(path), &owner))
		return -1;
	fd = target_open_path(map->proc, path, TARGET_NO_LINK);
	if (fd >= 0 && fstat(fd, st) == 0 && (st->st_uid == owner || st->st_uid == 0))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void read_lines(struct perf_map *map, int fd)
{
	char *buf = xcalloc(1, BLOCK);
	ssize_t n;

	while (map->parsed < MAX_FILE && (n = pread(fd, buf, BLOCK, map->parsed)) > 0) {
		size_t whole = perf_map_parse(map, buf, (size_t)n);

		/* A line that has not been finished is read again; one that never ends is skipped.
		 */
		if (!whole && n < MAX_LINE)
			break;
		map->parsed += whole ? (off_t)whole : n;
	}
	free(buf);
}

static void read_news(struct perf_map *map)
{
	struct timespec now;
	struct stat st;
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (map->proc < 0 || map->checked == now.tv_sec)
		return;
	map->checked = now.tv_sec;
	fd = open_map(map, &st);
	if (fd < 0)
		return;
	if (st.st_dev != map->dev || st.st_ino != map->ino || st.st_size < map->parsed)
		forget(map);
	map->dev = st.st_dev;
	map->ino = st.st_ino;
	read_lines(map, fd);
	close(fd);
}

static int compare_entries(const void *a, const void *b)
{
	const struct jit_entry *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static const struct jit_entry *find(struct perf_map *map, uint64_t start, uint64_t end, uint64_t pc)
{
	const struct jit_entry *found = NULL;
	size_t low = 0, high = map->n;

	if (map->sorted != map->n)
		qsort(map->v, map->n, sizeof(*map->v), compare_entries);
	map->sorted = map->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->v[middle].start <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i-- > 0 && low - i <= MAX_OVERLAP;) {
		const struct jit_entry *e = &map->v[i];

		if (e->end > pc && e->start >= start && e->end <= end &&
		    (!found || e->order > found->order))
			found = e;
	}
	return found;
}

const char *perf_map_lookup(struct perf_map *map, uint64_t start, uint64_t end, uint64_t pc)
{
	const struct jit_entry *e = find(map, start, end, pc);

	if (!e) {
		read_news(map);
		e = find(map, start, end, pc);
	}
	return e ? map->names.s + e->name : NULL;
}

/* "*login /app/server.js:33:20": a mark of the compiler, function, file, line, column. */
static bool v8_frame(struct recording *rec, const char *s, struct frame *out)
{
	const char *name = s + strspn(s, "*~^+"), *space, *file = NULL, *colon;

	for (space = strchr(name, ' '); space && !file; space = strchr(space + 1, ' '))
		if (space[1] == '/' || strncmp(space + 1, "node:", 5) == 0 ||
		    strncmp(space + 1, "file:", 5) == 0)
			file = space + 1;
	colon = file ? strchr(file, ':') : NULL;
	while (colon && !isdigit((unsigned char)colon[1]))
		colon = strchr(colon + 1, ':');
	if (!colon)
		return false;
	out->kind = FRAME_JS;
	if (file - 1 > name)
		out->function = strings_intern_n(&rec->strings, &rec->arena, name,
						 (size_t)(file - 1 - name));
	out->file = strings_intern_n(&rec->strings, &rec->arena, file, (size_t)(colon - file));
	out->define_line = (uint32_t)strtoul(colon + 1, NULL, 10);
	return true;
}

static bool cpython_frame(struct recording *rec, const char *s, struct frame *out)
{
	const char *colon = strchr(s, ':');

	if (!colon)
		return false;
	out->kind = FRAME_PYTHON;
	out->function = strings_intern_n(&rec->strings, &rec->arena, s, (size_t)(colon - s));
	out->file = recording_intern(rec, colon + 1);
	return true;
}

void perf_map_frame(struct recording *rec, const char *name, struct frame *out)
{
	/* clang-format off */
	static const struct {
		const char *prefix;
		bool (*frame)(struct recording *rec, const char *s, struct frame *out);
	} forms[] = {
		{ "JS:", v8_frame }, { "LazyCompile:", v8_frame }, { "Function:", v8_frame },
		{ "Eval:", v8_frame }, { "Script:", v8_frame }, { "py::", cpython_frame },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t len = strlen(forms[i].prefix);

		if (strncmp(name, forms[i].prefix, len) == 0 &&
		    forms[i].frame(rec, name + len, out))
			return;
	}
	out->kind = FRAME_JIT;
	out->function = recording_intern(rec, name);
}
