#include "report/json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

void json_put_text(json_t *object, const char *name, const char *s)
{
	struct strbuf b = { 0 };

	if (!s)
		return;
	strbuf_puts_utf8(&b, s, strlen(s));
	json_object_set_new(object, name, json_stringn(b.s ? b.s : "", b.len));
	strbuf_destroy(&b);
}

void json_put_count(json_t *object, const char *name, uint64_t n)
{
	json_object_set_new(object, name, json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n));
}

void json_put_real(json_t *object, const char *name, double v)
{
	if (isfinite(v))
		json_object_set_new(object, name, json_real(v));
}

void json_write(FILE *out, json_t *value)
{
	json_dumpf(value, out, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
	json_decref(value);
}

/*
 * The document is written member by member and its arrays element by element,
 * so that memory does not grow with the recording.
 */
static void put_member(FILE *out, const char *name, json_t *value)
{
	fprintf(out, ",\n\"%s\":", name);
	json_write(out, value);
}

static void put_strict(FILE *out, const struct report *r)
{
	if (!r->rec->session.strict)
		return;
	fputs(",\n\"strict\":[", out);
	for (size_t i = 0; i < r->diagnosis->n_strict; i++) {
		fputs(i ? ",\n  " : "\n  ", out);
		json_write(out, json_strict(&r->diagnosis->strict[i], r->rec));
	}
	fputs("]", out);
}

static void put_processes(FILE *out, const struct recording *rec)
{
	if (!rec->n_processes)
		return;
	fputs(",\n\"processes\":[", out);
	for (size_t i = 0; i <= rec->n_processes; i++) {
		fputs(i ? ",\n  " : "\n  ", out);
		json_write(out, json_process(i ? rec->processes[i - 1] : &rec->target));
	}
	fputs("]", out);
}

static void put_loops(FILE *out, const struct recording *rec)
{
	fputs(",\n\"loops\":[", out);
	for (size_t i = 0; i < rec->n_loops; i++) {
		fputs(i ? ",\n  " : "\n  ", out);
		json_write(out, json_loop(rec->loops[i]));
	}
	fputs("]", out);
}

static void put_stalls(FILE *out, const struct report *r)
{
	fputs(",\n\"stalls\":[", out);
	for (size_t i = 0; i < r->diagnosis->n_stalls; i++) {
		fputs(i ? ",\n  " : "\n  ", out);
		json_write(out, json_stall(r, i));
	}
	fputs("]", out);
}

static void put_findings(FILE *out, const struct report *r)
{
	fputs(",\n\"findings\":[", out);
	for (size_t i = 0; i < r->diagnosis->n_findings; i++) {
		fputs(i ? ",\n  " : "\n  ", out);
		json_write(out, json_finding(&r->diagnosis->findings[i], r->rec));
	}
	fputs("]", out);
}

/* What is unknown is absent. */
static json_t *describe_overhead(const struct session *session)
{
	json_t *o = json_object();
	double duration = (double)session->duration;

	if (session->own_cpu) {
		json_put_count(o, "own_cpu_ns", session->own_cpu);
		json_put_real(o, "own_ratio", (double)session->own_cpu / duration);
	}
	if (session->target_cpu) {
		json_put_count(o, "target_cpu_ns", session->target_cpu);
		json_put_real(o, "target_ratio", (double)session->target_cpu / duration);
	}
	json_put_count(o, "steps", session->steps);
	return o;
}

static json_t *describe_lagprof(const struct session *session)
{
	json_t *o = json_object();

	json_put_text(o, "version", LAGPROF_VERSION);
	json_put_text(o, "probe", session->probe);
	json_put_text(o, "unwinder", session->unwinder);
	if (session->duration && (session->own_cpu || session->target_cpu))
		json_object_set_new(o, "overhead", describe_overhead(session));
	return o;
}

static int render(const struct report *r, FILE *out, struct error *err)
{
	const struct recording *rec = r->rec;

	fputs("{\"schema\":\"lagprof.report/1\"", out);
	put_member(out, "lagprof", describe_lagprof(&rec->session));
	put_member(out, "target", json_target(&rec->target));
	put_member(out, "session", json_session(&rec->session));
	put_processes(out, rec);
	put_loops(out, rec);
	if (rec->threadpool.known)
		put_member(out, "threadpool", json_threadpool(r));
	if (rec->host.cpu)
		put_member(out, "host", json_host(&rec->host));
	put_stalls(out, r);
	put_findings(out, r);
	put_strict(out, r);
	put_member(out, "samples", json_samples(r));
	put_member(out, "unattributed_ratio", json_real(r->diagnosis->unattributed_ratio));
	if (rec->n_notes)
		put_member(out, "notes", json_texts(rec->notes, rec->n_notes));
	if (r->budget)
		put_member(out, "budget", json_budget(r->budget));
	fputs("}\n", out);
	if (ferror(out))
		return error_set(err, -EIO, "cannot write the JSON report");
	return 0;
}

const struct renderer renderer_json = {
	.name = "json",
	.help = "everything, for programs (docs/report.schema.json)",
	.suffix = ".json",
	.render = render,
};
