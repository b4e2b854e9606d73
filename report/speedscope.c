#include "report/json.h"

#include <errno.h>
#include <inttypes.h>

#include "report/place.h"
#include "report/weights.h"

/*
 * A file for speedscope.app: a profile a loop, its stalls one after another.
 * Frames are numbered as in the recording, samples are lists of numbers.
 */
static json_t *describe_frame(const struct frame *f)
{
	json_t *o = json_object();
	struct strbuf b = { 0 };

	strbuf_function(&b, f);
	json_put_text(o, "name", b.s);
	strbuf_destroy(&b);
	if (f->file || f->module) {
		strbuf_puts_visible(&b, f->file ? f->file : f->module);
		json_put_text(o, "file", b.s);
		strbuf_destroy(&b);
	}
	if (f->file && f->line)
		json_put_count(o, "line", f->line);
	if (f->file && f->line && f->column)
		json_put_count(o, "col", f->column);
	return o;
}

static void put_frames(FILE *out, const struct recording *rec)
{
	size_t n = rec->stacks.n_frames + WEIGHT_OWN_FRAMES;

	fputs("\"shared\":{\"frames\":[", out);
	for (uint32_t i = 0; i < n; i++) {
		fputs(i ? ",\n" : "\n", out);
		json_write(out, describe_frame(weight_frame(rec, i)));
	}
	fputs("]},\n", out);
}

static void put_samples(FILE *out, const struct recording *rec, const struct weights *w,
			uint32_t loop)
{
	const char *between = "\n";

	fputs("\"samples\":[", out);
	for (size_t i = 0; i < w->n; i++) {
		uint32_t ids[WEIGHT_PATH_MAX], n;

		if (rec->stalls[w->v[i].stall].loop != loop)
			continue;
		n = weight_path(rec, &w->v[i], ids);
		fprintf(out, "%s[%u", between, ids[0]);
		for (uint32_t j = 1; j < n; j++)
			fprintf(out, ",%u", ids[j]);
		fputs("]", out);
		between = ",\n";
	}
	fputs("],\n", out);
}

/* Returns their sum. */
static nsec put_weights(FILE *out, const struct recording *rec, const struct weights *w,
			uint32_t loop)
{
	const char *between = "";
	nsec sum = 0;

	fputs("\"weights\":[", out);
	for (size_t i = 0; i < w->n; i++) {
		if (rec->stalls[w->v[i].stall].loop != loop)
			continue;
		fprintf(out, "%s%" PRIu64, between, w->v[i].ns);
		sum += w->v[i].ns;
		between = ",";
	}
	fputs("],\n", out);
	return sum;
}

static void put_profile(FILE *out, const struct recording *rec, const struct weights *w,
			uint32_t loop)
{
	struct strbuf name = { 0 };
	json_t *text;
	nsec sum;

	strbuf_puts_visible(&name, rec->loops[loop]->name ? rec->loops[loop]->name : "loop");
	strbuf_printf(&name, " %d, stalls", rec->loops[loop]->tid);
	text = json_string(name.s);
	fputs("{\"type\":\"sampled\",\"unit\":\"nanoseconds\",\"name\":", out);
	json_write(out, text);
	fputs(",\n", out);
	put_samples(out, rec, w, loop);
	sum = put_weights(out, rec, w, loop);
	fprintf(out, "\"startValue\":0,\"endValue\":%" PRIu64 "}", sum);
	strbuf_destroy(&name);
}

static int render(const struct report *r, FILE *out, struct error *err)
{
	const struct recording *rec = r->rec;
	struct weights w;

	weights_make(&w, rec);
	fputs("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
	      "\"exporter\":\"lagprof " LAGPROF_VERSION "\",\n",
	      out);
	put_frames(out, rec);
	fputs("\"profiles\":[", out);
	for (uint32_t i = 0; i < rec->n_loops; i++) {
		fputs(i ? ",\n" : "\n", out);
		put_profile(out, rec, &w, i);
	}
	fputs("]}\n", out);
	weights_destroy(&w);
	if (ferror(out))
		return error_set(err, -EIO, "cannot write the speedscope profile");
	return 0;
}

const struct renderer renderer_speedscope = {
	.name = "speedscope",
	.help = "a file for speedscope, stall after stall",
	.suffix = ".speedscope.json",
	.render = render,
};
