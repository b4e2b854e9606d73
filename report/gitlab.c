#include "report/renderer.h"

#include <errno.h>

#include "report/gate.h"
#include "report/json.h"

/* GitLab's Code Quality report: an array of the findings that have a place in the repository. */

static const char *const severities[] = {
	[SEVERITY_NOTICE] = "info",
	[SEVERITY_WARNING] = "minor",
	[SEVERITY_INCIDENT] = "major",
};

static json_t *describe_place(const char *path, uint32_t line)
{
	json_t *o = json_object(), *lines = json_object();

	json_put_text(o, "path", path);
	json_put_count(lines, "begin", line);
	json_object_set_new(o, "lines", lines);
	return o;
}

/* NULL: it has no place, or its fingerprint has been said, and GitLab would drop it. */
static json_t *describe_finding(const struct report *r, const struct finding *f, json_t *said)
{
	struct strbuf path = { 0 }, message = { 0 };
	json_t *o = NULL;

	if (json_object_get(said, f->fingerprint) || !gate_path(&path, r, f))
		goto out;
	json_object_set_new(said, f->fingerprint, json_true());
	gate_message(&message, r, f);
	o = json_object();
	json_put_text(o, "description", message.s);
	json_put_text(o, "check_name", cause_info[f->cause].id);
	json_put_text(o, "fingerprint", f->fingerprint);
	json_put_text(o, "severity", severities[gate_severity(r, f)]);
	json_object_set_new(o, "location", describe_place(path.s, gate_line(f)));
out:
	strbuf_destroy(&path);
	strbuf_destroy(&message);
	return o;
}

static int render(const struct report *r, FILE *out, struct error *err)
{
	json_t *list = json_array(), *said = json_object();

	for (size_t i = 0; i < r->diagnosis->n_findings; i++) {
		json_t *o = describe_finding(r, &r->diagnosis->findings[i], said);

		if (o)
			json_array_append_new(list, o);
	}
	json_dumpf(list, out, JSON_INDENT(1));
	fputc('\n', out);
	json_decref(list);
	json_decref(said);
	if (ferror(out))
		return error_set(err, -EIO, "cannot write the Code Quality report");
	return 0;
}

const struct renderer renderer_gitlab = {
	.name = "gitlab",
	.help = "a Code Quality report of GitLab",
	.suffix = ".json",
	.render = render,
};
