#include "report/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "report/place.h"
#include "report/tree.h"

/*
 * A .cpuprofile for the DevTools of Chrome, VS Code and speedscope: stalls where
 * they were in the session's time, idle between them.  It knows one thread: the
 * time of each further loop comes after that of the one before.
 */
enum { ROOT = 1, IDLE, FIRST }; /* ids of nodes; FIRST + i is node i of the tree */

static void put_node(FILE *out, uint32_t id, const struct frame *f)
{
	json_t *call = json_object();
	struct strbuf name = { 0 }, url = { 0 };
	uint32_t line = f->define_line ? f->define_line : f->line;

	strbuf_function(&name, f);
	if (f->file && f->file[0] == '/')
		strbuf_puts(&url, "file://");
	strbuf_puts_visible(&url, f->file ? f->file : f->module ? f->module : "");
	json_put_text(call, "functionName", name.s);
	json_object_set_new(call, "scriptId", json_string("0"));
	json_put_text(call, "url", url.s);
	json_object_set_new(call, "lineNumber", json_integer(f->file ? (json_int_t)line - 1 : -1));
	json_object_set_new(call, "columnNumber", json_integer(-1));
	fprintf(out, "{\"id\":%u,\"hitCount\":0,\"callFrame\":", id);
	json_write(out, call);
	strbuf_destroy(&name);
	strbuf_destroy(&url);
}

/* Nodes below `from` at its depth + 1; from is -1 for the root. */
static void put_children(FILE *out, const struct tree *t, int64_t from)
{
	uint32_t depth = from < 0 ? 0 : t->nodes[from].depth + 1;
	const char *between = from < 0 ? "," : "";

	for (size_t i = (size_t)(from + 1); i < t->n && t->nodes[i].depth >= depth; i++) {
		if (t->nodes[i].depth != depth)
			continue;
		fprintf(out, "%s%zu", between, FIRST + i);
		between = ",";
	}
}

static void put_nodes(FILE *out, const struct recording *rec, const struct tree *t)
{
	static const struct frame root = { .function = "(root)" }, idle = { .function = "(idle)" };

	fputs("{\"nodes\":[\n", out);
	put_node(out, ROOT, &root);
	fprintf(out, ",\"children\":[%d", IDLE);
	put_children(out, t, -1);
	fputs("]},\n", out);
	put_node(out, IDLE, &idle);
	fputs("}", out);
	for (size_t i = 0; i < t->n; i++) {
		fputs(",\n", out);
		put_node(out, (uint32_t)(FIRST + i), weight_frame(rec, t->nodes[i].frame));
		fputs(",\"children\":[", out);
		put_children(out, t, (int64_t)i);
		fputs("]}", out);
	}
	fputs("],\n", out);
}

/* From `at` (ns since the session began) on, the thread was at a node. */
struct event {
	nsec at;
	uint32_t node; /* id */
};

struct events {
	struct event *v;
	size_t n;
	nsec now; /* when the last one ends */
};

static void add_event(struct events *e, uint32_t node, nsec length)
{
	e->v[e->n++] = (struct event){ e->now, node };
	e->now += length;
}

static void add_loop(struct events *e, const struct recording *rec, const struct weights *w,
		     const struct tree *t, uint32_t loop)
{
	nsec from = e->now;
	uint32_t before = UINT32_MAX;

	for (size_t i = 0; i < w->n; i++) {
		const struct stall *stall = &rec->stalls[w->v[i].stall];

		if (stall->loop != loop)
			continue;
		if (stall->id != before && from + stall->start > e->now)
			add_event(e, IDLE, from + stall->start - e->now);
		before = stall->id;
		add_event(e, FIRST + t->leaves[i], w->v[i].ns);
	}
	if (from + rec->session.duration > e->now)
		add_event(e, IDLE, from + rec->session.duration - e->now);
}

static void make_events(struct events *e, const struct recording *rec, const struct weights *w,
			const struct tree *t)
{
	e->v = xcalloc(w->n + rec->n_stalls + rec->n_loops + 1, sizeof(*e->v));
	for (uint32_t i = 0; i < rec->n_loops; i++)
		add_loop(e, rec, w, t, i);
	add_event(e, IDLE, 0);
}

static void put_events(FILE *out, const struct events *e, int64_t start_us)
{
	nsec before = 0;

	fprintf(out, "\"startTime\":%" PRId64 ",\"endTime\":%" PRId64 ",\n\"samples\":[", start_us,
		start_us + (int64_t)(e->now / 1000));
	for (size_t i = 0; i < e->n; i++)
		fprintf(out, i ? ",%u" : "%u", e->v[i].node);
	fputs("],\n\"timeDeltas\":[", out);
	for (size_t i = 0; i < e->n; i++) {
		fprintf(out, i ? ",%" PRIu64 : "%" PRIu64, e->v[i].at / 1000 - before);
		before = e->v[i].at / 1000;
	}
	fputs("]}\n", out);
}

static int render(const struct report *r, FILE *out, struct error *err)
{
	const struct recording *rec = r->rec;
	struct events events = { 0 };
	struct weights weights;
	struct tree tree;

	weights_make(&weights, rec);
	tree_make(&tree, rec, &weights);
	make_events(&events, rec, &weights, &tree);
	put_nodes(out, rec, &tree);
	put_events(out, &events, rec->session.start_unix_ns / 1000);
	free(events.v);
	tree_destroy(&tree);
	weights_destroy(&weights);
	if (ferror(out))
		return error_set(err, -EIO, "cannot write the CPU profile");
	return 0;
}

const struct renderer renderer_cpuprofile = {
	.name = "cpuprofile",
	.help = "a CPU profile for DevTools and VS Code, in the session's time",
	.suffix = ".cpuprofile",
	.render = render,
};
