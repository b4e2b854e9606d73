#include "report/renderer.h"

#include <errno.h>
#include <string.h>

#include "report/gate.h"
#include "report/json.h"

/* SARIF 2.1.0, as code scanning services read it. */

/* GitHub shows no more than this many of a run. */
enum { RESULTS_MAX = 5000 };

static const char *const levels[] = {
	[SEVERITY_NOTICE] = "note",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_INCIDENT] = "error",
};

static void put_object(json_t *o, const char *name, const char *member, json_t *value)
{
	json_t *inner = json_object();

	json_object_set_new(inner, member, value);
	json_object_set_new(o, name, inner);
}

static void put_message(json_t *o, const char *name, const char *text)
{
	json_t *message = json_object();

	json_put_text(message, "text", text);
	json_object_set_new(o, name, message);
}

/* One for each cause, so that a rule's index is its cause. */
static json_t *describe_rules(void)
{
	json_t *rules = json_array();

	for (int i = 0; i < CAUSES; i++) {
		json_t *rule = json_object();

		json_put_text(rule, "id", cause_info[i].id);
		put_message(rule, "shortDescription", cause_info[i].label);
		if (cause_info[i].advice)
			put_message(rule, "help", cause_info[i].advice);
		json_array_append_new(rules, rule);
	}
	return rules;
}

/* A path's bytes as a relative reference of RFC 3986. */
static void put_uri(json_t *o, const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/";
	struct strbuf b = { 0 };

	for (; *path; path++)
		if (strchr(plain, *path))
			strbuf_add(&b, path, 1);
		else
			strbuf_printf(&b, "%%%02X", (unsigned char)*path);
	json_put_text(o, "uri", b.s);
	json_put_text(o, "uriBaseId", "%SRCROOT%");
	strbuf_destroy(&b);
}

static json_t *describe_location(const char *path, uint32_t line)
{
	json_t *location = json_object(), *physical = json_object(), *artifact = json_object();

	put_uri(artifact, path);
	json_object_set_new(physical, "artifactLocation", artifact);
	put_object(physical, "region", "startLine", json_integer(line));
	json_object_set_new(location, "physicalLocation", physical);
	return location;
}

static json_t *describe_result(const struct report *r, const struct finding *f)
{
	struct strbuf path = { 0 }, message = { 0 };
	json_t *o = NULL, *locations;

	if (!gate_path(&path, r, f))
		goto out;
	o = json_object();
	locations = json_array();
	json_put_text(o, "ruleId", cause_info[f->cause].id);
	json_put_count(o, "ruleIndex", f->cause);
	json_put_text(o, "level", levels[gate_severity(r, f)]);
	gate_message(&message, r, f);
	put_message(o, "message", message.s);
	json_array_append_new(locations, describe_location(path.s, gate_line(f)));
	json_object_set_new(o, "locations", locations);
	put_object(o, "partialFingerprints", "lagprof/v1", json_string(f->fingerprint));
out:
	strbuf_destroy(&path);
	strbuf_destroy(&message);
	return o;
}

static json_t *describe_results(const struct report *r)
{
	json_t *results = json_array();

	for (size_t i = 0; i < r->diagnosis->n_findings; i++) {
		json_t *o = describe_result(r, &r->diagnosis->findings[i]);

		if (o)
			json_array_append_new(results, o);
		if (json_array_size(results) == RESULTS_MAX)
			break;
	}
	return results;
}

static json_t *describe_run(const struct report *r)
{
	json_t *run = json_object(), *driver = json_object();

	json_put_text(driver, "name", "lagprof");
	json_put_text(driver, "version", LAGPROF_VERSION);
	json_object_set_new(driver, "rules", describe_rules());
	put_object(run, "tool", "driver", driver);
	json_put_text(run, "columnKind", "utf16CodeUnits");
	json_object_set_new(run, "results", describe_results(r));
	return run;
}

static int render(const struct report *r, FILE *out, struct error *err)
{
	json_t *document = json_object(), *runs = json_array();

	json_put_text(document, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	json_put_text(document, "version", "2.1.0");
	json_array_append_new(runs, describe_run(r));
	json_object_set_new(document, "runs", runs);
	json_dumpf(document, out, JSON_INDENT(1));
	fputc('\n', out);
	json_decref(document);
	if (ferror(out))
		return error_set(err, -EIO, "cannot write the SARIF report");
	return 0;
}

const struct renderer renderer_sarif = {
	.name = "sarif",
	.help = "SARIF 2.1.0, for code scanning",
	.suffix = ".sarif",
	.render = render,
};
