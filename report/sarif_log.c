#include "report/sarif_log.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/strings.h"
#include "report/json.h"

struct sarif_log {
	const struct sarif_rule *rules;
	json_t *document, *results;
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

static json_t *describe_rules(const struct sarif_rule *rules, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *rule = json_object();

		json_put_text(rule, "id", rules[i].id);
		put_message(rule, "shortDescription", rules[i].label);
		if (rules[i].help)
			put_message(rule, "help", rules[i].help);
		json_array_append_new(list, rule);
	}
	return list;
}

struct sarif_log *sarif_log_new(const struct sarif_rule *rules, size_t n)
{
	struct sarif_log *log = xcalloc(1, sizeof(*log));
	json_t *runs = json_array(), *run = json_object(), *driver = json_object();

	log->rules = rules;
	log->results = json_array();
	json_put_text(driver, "name", "lagprof");
	json_put_text(driver, "version", LAGPROF_VERSION);
	json_object_set_new(driver, "rules", describe_rules(rules, n));
	put_object(run, "tool", "driver", driver);
	json_put_text(run, "columnKind", "utf16CodeUnits");
	json_object_set_new(run, "results", log->results);
	json_array_append_new(runs, run);
	log->document = json_object();
	json_put_text(log->document, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	json_put_text(log->document, "version", "2.1.0");
	json_object_set_new(log->document, "runs", runs);
	return log;
}

/* A path's bytes as a URI reference of RFC 3986; one that is relative is below the root. */
static json_t *describe_artifact(const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/";
	struct strbuf b = { 0 };
	json_t *o = json_object();
	bool relative = path[0] != '/';

	strbuf_puts(&b, relative ? "" : "file://");
	for (; *path; path++)
		if (strchr(plain, *path))
			strbuf_add(&b, path, 1);
		else
			strbuf_printf(&b, "%%%02X", (unsigned char)*path);
	json_put_text(o, "uri", b.s);
	if (relative)
		json_put_text(o, "uriBaseId", "%SRCROOT%");
	strbuf_destroy(&b);
	return o;
}

static json_t *describe_location(const struct sarif_result *result)
{
	json_t *location = json_object(), *physical = json_object(), *region = json_object();

	json_object_set_new(physical, "artifactLocation", describe_artifact(result->path));
	json_put_count(region, "startLine", result->line);
	if (result->column)
		json_put_count(region, "startColumn", result->column);
	json_object_set_new(physical, "region", region);
	json_object_set_new(location, "physicalLocation", physical);
	return location;
}

void sarif_log_add(struct sarif_log *log, const struct sarif_result *result)
{
	json_t *o, *locations;

	if (json_array_size(log->results) >= SARIF_RESULTS_MAX)
		return;
	o = json_object();
	locations = json_array();
	json_put_text(o, "ruleId", log->rules[result->rule].id);
	json_put_count(o, "ruleIndex", result->rule);
	json_put_text(o, "level", result->level);
	put_message(o, "message", result->message);
	json_array_append_new(locations, describe_location(result));
	json_object_set_new(o, "locations", locations);
	put_object(o, "partialFingerprints", "lagprof/v1", json_string(result->fingerprint));
	json_array_append_new(log->results, o);
}

int sarif_log_write(struct sarif_log *log, FILE *out, struct error *err)
{
	json_dumpf(log->document, out, JSON_INDENT(1));
	fputc('\n', out);
	json_decref(log->document);
	free(log);
	if (ferror(out))
		return error_set(err, -EIO, "cannot write the SARIF report");
	return 0;
}
