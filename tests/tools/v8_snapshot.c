/*
 * v8_snapshot --want TEXT... --save PATH CMD...: runs a node program and saves the
 * first sample (after a second) whose printed stack holds every TEXT, as PATH.snap, with
 * what naming it gives as PATH.txt.  Look at the text before you commit it.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "sampler/runtimes/v8/v8.h"
#include "tests/samples.h"
#include "tests/snapshot.h"

enum { STACK_BYTES = 48 << 10, WANTS_MAX = 8, SECONDS = 10, SAMPLES = 200, WARM_UP_US = 1000000 };

/* Memory that remembers what was read through it. */
struct recorder {
	struct memory base;
	struct memory *below;
	struct snapshot *snapshot;
	size_t cap;
};

struct capture {
	struct space *space;
	struct memory_live *live;
	void *unwinding;
	const char *wants[WANTS_MAX], *path;
	size_t n_wants;
	bool done;
};

static int recorder_read(struct memory *self, uint64_t addr, void *buf, size_t len)
{
	struct recorder *r = (struct recorder *)self;
	struct snapshot *s = r->snapshot;
	int ret = memory_read(r->below, addr, buf, len);

	if (ret == 0) {
		ARRAY_GROW(s->ranges, s->n_ranges, r->cap);
		s->ranges[s->n_ranges] = (struct snapshot_range){ addr, len, xcalloc(1, len + 1) };
		memcpy(s->ranges[s->n_ranges++].bytes, buf, len);
	}
	return ret;
}

/* Executable mappings, and the version of the V8 in one of them. */
static void read_space(struct capture *c, struct snapshot *s, struct memory *mem)
{
	struct recording *rec = recording_new();
	struct runtime_target target = { c->space, mem, rec };
	struct error err;
	void *state;
	size_t n;
	const struct mapping *maps = space_mappings(c->space, &n);

	s->maps = xcalloc(n + 1, sizeof(*s->maps));
	for (size_t i = 0; i < n; i++) {
		if (maps[i].exec && strncmp(maps[i].path, "[v", 2) != 0)
			s->maps[s->n_maps++] =
				(struct snapshot_map){ maps[i].start, maps[i].end, maps[i].anon };
	}
	if (runtime_v8.attach(&target, &state, &err) == 1) {
		s->version = ((struct v8 *)state)->layout.version;
		runtime_v8.detach(state);
	}
	recording_free(rec);
}

static bool is_wanted(const struct capture *c, const char *text)
{
	for (size_t i = 0; i < c->n_wants; i++) {
		if (!strstr(text, c->wants[i]))
			return false;
	}
	return true;
}

static void save(struct capture *c, const struct snapshot *s, const char *text)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s.snap", c->path);
	c->done = snapshot_save(s, path);
	snprintf(path, sizeof(path), "%s.txt", c->path);
	f = fopen(path, "w");
	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

static void take_sample(void *arg, const struct sample_bytes *raw)
{
	struct capture *c = arg;
	struct snapshot *s = xcalloc(1, sizeof(*s));
	struct recorder recorder = { .base.read = recorder_read, .snapshot = s };
	struct memory_dump dump;
	struct error err;
	char *text = NULL;
	size_t size;
	FILE *out;

	if (c->done)
		goto out;
	space_refresh(c->space, &err);
	memory_live_forget(c->live);
	memory_dump_init(&dump, raw->regs.r[DW_RSP], raw->stack, raw->len, memory_of_live(c->live));
	recorder.below = &dump.base;
	unwinder_native.unwind(c->unwinding, &raw->regs, &dump.base, &s->stack);
	read_space(c, s, memory_of_live(c->live));
	out = open_memstream(&text, &size);
	snapshot_print(s, &recorder.base, out);
	fclose(out);
	if (is_wanted(c, text))
		save(c, s, text);
	free(text);
out:
	snapshot_free(s);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "want", 1, 0, 'w' },
						 { "save", 1, 0, 's' },
						 { 0 } };
	struct capture c = { 0 };
	struct samples_wanted wanted = { .hz = 20,
					 .n = SAMPLES,
					 .seconds = SECONDS,
					 .dump = STACK_BYTES,
					 .each = take_sample,
					 .arg = &c };
	int opt;

	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (opt == 'w' && c.n_wants < WANTS_MAX)
			c.wants[c.n_wants++] = optarg;
		else if (opt == 's')
			c.path = optarg;
		else
			return 2;
	}
	wanted.tid = samples_start((const char *const *)argv + optind);
	usleep(WARM_UP_US);
	c.space = space_new(wanted.tid);
	c.live = memory_live_new(wanted.tid);
	c.unwinding = unwinder_native.create(c.space);
	samples_take(&wanted);
	samples_stop(wanted.tid);
	unwinder_native.destroy(c.unwinding);
	memory_live_free(c.live);
	space_free(c.space);
	return !c.done;
}
