#include "tests/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "core/arena.h"
#include "sampler/runtimes/v8/v8.h"

enum { FILE_MAX = 8 << 20, COUNT_MAX = 1 << 16, LEVEL = 19 };

#define MAGIC 0x3150414e5338564cull /* "LV8SNAP1" */

struct header {
	uint64_t magic;
	int32_t version;
	uint32_t n_frames, n_maps, n_ranges;
	struct regs regs;
};

static int ranges_read(struct memory *self, uint64_t addr, void *buf, size_t len)
{
	struct snapshot *s = (struct snapshot *)self;
	size_t low = 0, high = s->n_ranges;

	/* Sorted and apart from each other: the last one that begins at or before addr. */
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->ranges[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return -EFAULT;
	addr -= s->ranges[low - 1].addr;
	if (addr > s->ranges[low - 1].len || len > s->ranges[low - 1].len - addr)
		return -EFAULT;
	memcpy(buf, s->ranges[low - 1].bytes + addr, len);
	return 0;
}

/* Takes len bytes off the front of a buffer; NULL if there are not so many. */
static const void *take(const uint8_t **p, const uint8_t *end, uint64_t len)
{
	const uint8_t *at = *p;

	if (len > (uint64_t)(end - at))
		return NULL;
	*p += len;
	return at;
}

static bool parse_ranges(struct snapshot *s, const uint8_t *p, const uint8_t *end, size_t n)
{
	s->ranges = xcalloc(n + 1, sizeof(*s->ranges));
	for (; s->n_ranges < n; s->n_ranges++) {
		struct snapshot_range *r = &s->ranges[s->n_ranges];
		const void *head = take(&p, end, 16), *bytes;
		uint64_t words[2];

		if (!head)
			return false;
		memcpy(words, head, sizeof(words));
		bytes = take(&p, end, words[1]);
		if (!bytes)
			return false;
		r->addr = words[0];
		r->len = words[1];
		r->bytes = xcalloc(1, r->len + 1);
		memcpy(r->bytes, bytes, r->len);
	}
	return true;
}

static bool parse(struct snapshot *s, const uint8_t *p, size_t size)
{
	const uint8_t *end = p + size;
	const struct header *h = take(&p, end, sizeof(*h));
	const void *part;

	if (!h || h->magic != MAGIC || h->n_frames > STACK_MAX || h->n_maps > COUNT_MAX ||
	    h->n_ranges > COUNT_MAX)
		return false;
	s->version = h->version;
	s->stack.regs = h->regs;
	s->stack.n = h->n_frames;
	part = take(&p, end, s->stack.n * sizeof(s->stack.frames[0]));
	if (!part)
		return false;
	memcpy(s->stack.frames, part, s->stack.n * sizeof(s->stack.frames[0]));
	part = take(&p, end, h->n_maps * sizeof(*s->maps));
	if (!part)
		return false;
	s->maps = xcalloc(h->n_maps + 1, sizeof(*s->maps));
	s->n_maps = h->n_maps;
	memcpy(s->maps, part, s->n_maps * sizeof(*s->maps));
	return parse_ranges(s, p, end, h->n_ranges);
}

struct snapshot *snapshot_load(const char *path)
{
	struct snapshot *s = xcalloc(1, sizeof(*s));
	uint8_t *packed = xcalloc(1, FILE_MAX), *bytes = xcalloc(1, FILE_MAX);
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(packed, 1, FILE_MAX, f) : 0;

	if (f)
		fclose(f);
	n = ZSTD_decompress(bytes, FILE_MAX, packed, n);
	if (ZSTD_isError(n) || !parse(s, bytes, n)) {
		snapshot_free(s);
		s = NULL;
	}
	if (s)
		s->base.read = ranges_read;
	free(packed);
	free(bytes);
	return s;
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_ranges; i++)
		free(s->ranges[i].bytes);
	free(s->ranges);
	free(s->maps);
	free(s);
}

static int by_addr(const void *a, const void *b)
{
	const struct snapshot_range *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

/* Sorts the ranges and joins those that overlap or touch. */
static struct snapshot_range *merge(const struct snapshot *s, size_t *n)
{
	struct snapshot_range *all = xcalloc(s->n_ranges + 1, sizeof(*all));

	memcpy(all, s->ranges, s->n_ranges * sizeof(*all));
	qsort(all, s->n_ranges, sizeof(*all), by_addr);
	*n = 0;
	for (size_t i = 0; i < s->n_ranges; i++) {
		struct snapshot_range *last = *n ? &all[*n - 1] : NULL;
		uint64_t end = all[i].addr + all[i].len;

		if (!last || all[i].addr > last->addr + last->len) {
			struct snapshot_range r = all[i];

			r.bytes = xcalloc(1, r.len + 1);
			memcpy(r.bytes, all[i].bytes, r.len);
			all[(*n)++] = r;
			continue;
		}
		if (end > last->addr + last->len) {
			last->bytes = xrealloc(last->bytes, end - last->addr + 1, 1);
			last->len = end - last->addr;
		}
		memcpy(last->bytes + (all[i].addr - last->addr), all[i].bytes, all[i].len);
	}
	return all;
}

bool snapshot_save(const struct snapshot *s, const char *path)
{
	struct header h = { MAGIC, s->version,   (uint32_t)s->stack.n, (uint32_t)s->n_maps,
			    0,     s->stack.regs };
	uint8_t *bytes = xcalloc(1, FILE_MAX), *packed = xcalloc(1, FILE_MAX), *p = bytes;
	size_t n, size;
	struct snapshot_range *ranges = merge(s, &n);
	FILE *f = fopen(path, "wb");
	bool ok;

	h.n_ranges = (uint32_t)n;
	p = mempcpy(p, &h, sizeof(h));
	p = mempcpy(p, s->stack.frames, s->stack.n * sizeof(s->stack.frames[0]));
	p = mempcpy(p, s->maps, s->n_maps * sizeof(*s->maps));
	for (size_t i = 0; i < n; i++) {
		p = mempcpy(p, &ranges[i].addr, 8);
		p = mempcpy(p, &ranges[i].len, 8);
		p = mempcpy(p, ranges[i].bytes, ranges[i].len);
		free(ranges[i].bytes);
	}
	free(ranges);
	size = ZSTD_compress(packed, FILE_MAX, bytes, (size_t)(p - bytes), LEVEL);
	ok = f && !ZSTD_isError(size) && fwrite(packed, 1, size, f) == size;
	if (f)
		ok &= fclose(f) == 0;
	free(bytes);
	free(packed);
	return ok;
}

static void print_frame(const struct frame *f, FILE *out)
{
	static const char *const kinds[] = { "kernel", "native", "js", "python", "jit" };

	fprintf(out, "%s %s", kinds[f->kind], f->function ? f->function : "?");
	if (f->file)
		fprintf(out, " %s:%u:%u", f->file, f->line, f->column);
	if (f->define_line)
		fprintf(out, " from line %u", f->define_line);
	fprintf(out, "%s\n", f->inlined ? " inlined" : "");
}

static void print_arguments(struct v8 *v8, const struct snapshot *s, struct memory *mem,
			    const struct frame *names, FILE *out)
{
	static const char *const keys[ARG_KEYS] = {
		"iterations", "cost",       "digest", "keylen",  "bytes", "path",
		"host",       "command",    "peer",   "pattern", "flags", "subject length",
		"duration",   "descriptor", "level",  "gc kind", "module"
	};
	struct runtime_argument args[RUNTIME_MAX_ARGUMENTS];
	size_t n = v8_arguments(v8, &s->stack, mem, names, args);

	for (size_t i = 0; i < n; i++) {
		const struct argument *a = &args[i].argument;

		if (a->text)
			fprintf(out, "%s \"%s\"\n", keys[a->key], a->text);
		else
			fprintf(out, "%s %lld\n", keys[a->key], (long long)a->number);
	}
}

/* Names all frames once; the second time much of it is remembered. */
static void name_frames(struct v8 *v8, const struct snapshot *s, struct memory *mem,
			struct frame *names, FILE *out)
{
	struct frame frames[RUNTIME_MAX_NAMES];

	for (size_t i = 0; i < s->stack.n; i++) {
		size_t n = v8_name_frame(v8, &s->stack, i, mem, frames);

		if (n == RUNTIME_NO_FRAME)
			continue;
		for (size_t k = 0; k < n && out; k++)
			print_frame(&frames[k], out);
		if (n == 0 && out)
			fprintf(out, "-\n");
		if (n)
			names[i] = frames[0];
	}
}

void snapshot_print(const struct snapshot *s, struct memory *mem, FILE *out)
{
	struct space *space = space_new(0);
	struct recording *rec = recording_new();
	struct v8 *v8 = v8_new(space, rec);
	struct frame *names = xcalloc(STACK_MAX, sizeof(*names));

	for (size_t i = 0; i < s->n_maps; i++)
		space_add_file(space,
			       &(struct mapping){ .start = s->maps[i].start,
						  .end = s->maps[i].end,
						  .exec = true,
						  .anon = s->maps[i].anon,
						  .path = s->maps[i].anon ? "" : "node" },
			       NULL);
	v8_layout_find(&v8->layout, s->version, NULL);
	name_frames(v8, s, mem, names, NULL);
	name_frames(v8, s, mem, names, out);
	print_arguments(v8, s, mem, names, out);
	for (size_t i = 0; i < rec->n_notes; i++)
		fprintf(out, "note: %s\n", rec->notes[i]);
	free(names);
	v8_free(v8);
	recording_free(rec);
	space_free(space);
}
