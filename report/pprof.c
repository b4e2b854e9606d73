#include "report/renderer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile.pb-c.h"
#include "report/gzip.h"
#include "report/place.h"
#include "report/texts.h"
#include "report/weights.h"

/*
 * A profile for `go tool pprof` and all that reads its files (docs/profile.proto).
 * Two values a sample: how many stalls, each counted where it spent most, and
 * for how long.  Protobuf lets a message be written in pieces, which a reader
 * puts together: so each element is a Profile of its own, and memory stays small.
 */
struct profile {
	struct gzip gzip;
	struct texts texts;
	struct texts modules, functions; /* their numbers are the ids in the profile */
	const struct report *r;
	const struct recording *rec;
	bool *located; /* of each frame: its location has been written */
};

static void put(struct profile *p, const Pprof__Profile *part)
{
	struct strbuf packed = { 0 };
	size_t size = pprof__profile__get_packed_size(part);

	pprof__profile__pack(part, strbuf_extend(&packed, size));
	gzip_put(&p->gzip, packed.s, size);
	strbuf_destroy(&packed);
}

static void put_type(struct profile *p, const char *type, const char *unit)
{
	Pprof__Profile part = PPROF__PROFILE__INIT;
	Pprof__ValueType value = PPROF__VALUE_TYPE__INIT, *values[] = { &value };

	value.type = texts_add(&p->texts, type);
	value.unit = texts_add(&p->texts, unit);
	part.sample_type = values;
	part.n_sample_type = 1;
	put(p, &part);
}

static void put_head(struct profile *p)
{
	Pprof__Profile part = PPROF__PROFILE__INIT;
	int64_t comment = texts_add(&p->texts, "lagprof " LAGPROF_VERSION);

	put_type(p, "stalls", "count");
	put_type(p, "blocked", "nanoseconds");
	part.default_sample_type = texts_add(&p->texts, "blocked");
	part.time_nanos = p->rec->session.start_unix_ns;
	part.duration_nanos = (int64_t)p->rec->session.duration;
	part.comment = &comment;
	part.n_comment = 1;
	put(p, &part);
}

/* The id of a frame's module, written when it first comes. */
static uint64_t module_of(struct profile *p, const struct frame *f)
{
	Pprof__Profile part = PPROF__PROFILE__INIT;
	Pprof__Mapping mapping = PPROF__MAPPING__INIT, *mappings[] = { &mapping };
	size_t known = p->modules.n;

	mapping.id = texts_add(&p->modules, f->module);
	if (p->modules.n == known)
		return mapping.id;
	mapping.filename = texts_add(&p->texts, f->module);
	mapping.build_id = texts_add(&p->texts, f->build_id);
	/* Or pprof would look for symbols itself, in the files of this machine. */
	mapping.has_functions = mapping.has_filenames = mapping.has_line_numbers = true;
	mapping.has_inline_frames = true;
	part.mapping = mappings;
	part.n_mapping = 1;
	put(p, &part);
	return mapping.id;
}

/* The first module of a profile is taken for the program. */
static void put_program(struct profile *p)
{
	const char *exe = p->rec->target.exe;

	for (size_t i = 0; exe && i < p->rec->stacks.n_frames; i++) {
		const struct frame *f = recording_get_frame(p->rec, (uint32_t)i);

		if (f->module && strcmp(f->module, exe) == 0) {
			module_of(p, f);
			return;
		}
	}
}

static uint64_t function_of(struct profile *p, const struct frame *f)
{
	Pprof__Profile part = PPROF__PROFILE__INIT;
	Pprof__Function function = PPROF__FUNCTION__INIT, *functions[] = { &function };
	size_t known = p->functions.n;
	struct strbuf b = { 0 };

	strbuf_printf(&b, "%u %d %s\n%s\n%s", f->define_line, f->kind, f->file ? f->file : "",
		      f->module ? f->module : "", f->function ? f->function : "");
	function.id = texts_take(&p->functions, &b);
	if (p->functions.n == known)
		return function.id;
	strbuf_function(&b, f);
	function.name = texts_take(&p->texts, &b);
	function.system_name = texts_add(&p->texts, f->function);
	function.filename = texts_add(&p->texts, f->file);
	function.start_line = f->define_line;
	part.function = functions;
	part.n_function = 1;
	put(p, &part);
	return function.id;
}

static void put_location(struct profile *p, uint32_t id)
{
	const struct frame *f = weight_frame(p->rec, id);
	Pprof__Profile part = PPROF__PROFILE__INIT;
	Pprof__Location location = PPROF__LOCATION__INIT, *locations[] = { &location };
	Pprof__Line line = PPROF__LINE__INIT, *lines[] = { &line };

	if (p->located[id])
		return;
	p->located[id] = true;
	location.id = (uint64_t)id + 1;
	location.mapping_id = module_of(p, f);
	location.address = f->address;
	line.function_id = function_of(p, f);
	line.line = f->line;
	location.line = lines;
	location.n_line = 1;
	part.location = locations;
	part.n_location = 1;
	put(p, &part);
}

/* Time that one sample of the profile stands for. */
struct row {
	struct weight weight;
	enum cause cause;
	enum phase phase;
	uint32_t loop, stalls;
};

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_kind(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = compare(x->weight.stack, y->weight.stack);

	order = order ? order : compare(x->weight.state, y->weight.state);
	order = order ? order : compare(x->cause, y->cause);
	order = order ? order : compare(x->phase, y->phase);
	return order ? order : compare(x->loop, y->loop);
}

/* Each stall is counted once, where it spent most. */
static void count_stalls(struct row *rows, size_t n)
{
	for (size_t i = 0, end; i < n; i = end) {
		size_t most = i;

		for (end = i; end < n && rows[end].weight.stall == rows[i].weight.stall; end++)
			if (rows[end].weight.ns > rows[most].weight.ns)
				most = end;
		rows[most].stalls = 1;
	}
}

static struct row *make_rows(const struct report *r, const struct weights *w, size_t *n)
{
	struct row *rows = xcalloc(w->n + 1, sizeof(*rows));

	for (size_t i = 0; i < w->n; i++) {
		const struct stall *stall = &r->rec->stalls[w->v[i].stall];

		rows[i] = (struct row){
			.weight = w->v[i],
			.cause = r->diagnosis->stalls[w->v[i].stall].cause,
			.phase = stall->phase,
			.loop = stall->loop,
		};
	}
	count_stalls(rows, w->n);
	qsort(rows, w->n, sizeof(*rows), by_kind);
	*n = 0;
	for (size_t i = 0; i < w->n; i++) {
		if (*n == 0 || by_kind(&rows[*n - 1], &rows[i]) != 0) {
			rows[(*n)++] = rows[i];
			continue;
		}
		rows[*n - 1].weight.ns += rows[i].weight.ns;
		rows[*n - 1].stalls += rows[i].stalls;
	}
	return rows;
}

static void label(struct profile *p, Pprof__Label *l, const char *key, const char *value)
{
	pprof__label__init(l);
	l->key = texts_add(&p->texts, key);
	l->str = texts_add(&p->texts, value);
}

static void put_sample(struct profile *p, const struct row *row)
{
	Pprof__Profile part = PPROF__PROFILE__INIT;
	Pprof__Sample sample = PPROF__SAMPLE__INIT, *samples[] = { &sample };
	Pprof__Label cause, phase, thread, *labels[] = { &cause, &phase, &thread };
	int64_t values[] = { row->stalls, (int64_t)row->weight.ns };
	uint32_t ids[WEIGHT_PATH_MAX];
	uint64_t locations[WEIGHT_PATH_MAX];
	uint32_t n = weight_path(p->rec, &row->weight, ids);

	for (uint32_t i = 0; i < n; i++) {
		put_location(p, ids[i]);
		locations[n - 1 - i] = (uint64_t)ids[i] + 1;
	}
	label(p, &cause, "cause", cause_info[row->cause].id);
	label(p, &phase, "phase", row->phase == PHASE_SERVING ? "serving" : "startup");
	pprof__label__init(&thread);
	thread.key = texts_add(&p->texts, "tid");
	thread.num = row->loop < p->rec->n_loops ? p->rec->loops[row->loop]->tid : 0;
	sample.location_id = locations;
	sample.n_location_id = n;
	sample.value = values;
	sample.n_value = 2;
	sample.label = labels;
	sample.n_label = 3;
	part.sample = samples;
	part.n_sample = 1;
	put(p, &part);
}

static void put_texts(struct profile *p)
{
	for (size_t i = 0; i < p->texts.n; i++) {
		char *text = p->texts.all.s + p->texts.starts[i];
		Pprof__Profile part = PPROF__PROFILE__INIT;

		part.string_table = &text;
		part.n_string_table = 1;
		put(p, &part);
	}
}

static void put_samples(struct profile *p)
{
	struct weights weights;
	struct row *rows;
	size_t n;

	weights_make(&weights, p->rec);
	rows = make_rows(p->r, &weights, &n);
	for (size_t i = 0; i < n; i++)
		put_sample(p, &rows[i]);
	free(rows);
	weights_destroy(&weights);
}

static int render(const struct report *report, FILE *out, struct error *err)
{
	struct profile p = { .r = report, .rec = report->rec };

	p.located = xcalloc(p.rec->stacks.n_frames + WEIGHT_OWN_FRAMES, sizeof(*p.located));
	texts_init(&p.texts);
	texts_init(&p.modules);
	texts_init(&p.functions);
	gzip_open(&p.gzip, out, false);
	put_head(&p);
	put_program(&p);
	put_samples(&p);
	put_texts(&p);
	gzip_close(&p.gzip);
	texts_destroy(&p.texts);
	texts_destroy(&p.modules);
	texts_destroy(&p.functions);
	free(p.located);
	if (ferror(out))
		return error_set(err, -EIO, "cannot write the pprof profile");
	return 0;
}

const struct renderer renderer_pprof = {
	.name = "pprof",
	.help = "a profile for go tool pprof, with stalls and time by cause",
	.suffix = ".pb.gz",
	.render = render,
};
