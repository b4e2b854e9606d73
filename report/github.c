#include "report/renderer.h"

#include <errno.h>

#include "report/gate.h"

/*
 * Workflow commands of GitHub Actions, one a line on standard output:
 *
 *	::error file=server.js,line=33,title=…::message
 *
 * A step may make 10 annotations of each kind; the rest would be dropped, so
 * the worst come first.  The job summary is the markdown report.
 */
enum { PER_KIND = 10 };

enum kind { KIND_ERROR, KIND_WARNING, KIND_NOTICE, KINDS };

static const char *const kind_names[KINDS] = { "error", "warning", "notice" };

struct annotations {
	FILE *out;
	int made[KINDS];
	size_t left_out;
};

static void put_message(struct annotations *a, enum kind kind, const struct strbuf *properties,
			const struct strbuf *message)
{
	struct strbuf b = { 0 };

	if (a->made[kind] >= PER_KIND) {
		a->left_out++;
		return;
	}
	a->made[kind]++;
	strbuf_printf(&b, "::%s ", kind_names[kind]);
	strbuf_puts(&b, properties->s);
	strbuf_puts(&b, "::");
	strbuf_puts_percent(&b, message->s ? message->s : "", "%\r\n");
	strbuf_puts(&b, "\n");
	fwrite(b.s, 1, b.len, a->out);
	strbuf_destroy(&b);
}

static void put_property(struct strbuf *b, const char *name, const char *value)
{
	strbuf_printf(b, "%s%s=", b->len ? "," : "", name);
	strbuf_puts_percent(b, value, "%\r\n:,");
}

static void put_rule(struct annotations *a, const struct budget_result *rule)
{
	enum rule_outcome outcome = gate_outcome(rule);
	struct strbuf properties = { 0 }, message = { 0 };

	put_property(&properties, "title",
		     outcome == RULE_UNSURE ? "lagprof: budget perhaps exceeded"
					    : "lagprof: budget exceeded");
	gate_rule(&message, rule);
	put_message(a, outcome == RULE_OVER ? KIND_ERROR : KIND_WARNING, &properties, &message);
	strbuf_destroy(&properties);
	strbuf_destroy(&message);
}

static void put_budget(struct annotations *a, const struct budget_report *budget)
{
	struct strbuf properties = { 0 }, message = { 0 };

	if (!budget)
		return;
	for (size_t i = 0; i < budget->n_rules; i++)
		if (!budget->rules[i].ok)
			put_rule(a, &budget->rules[i]);
	if (budget->verdict == VERDICT_INCONCLUSIVE) {
		put_property(&properties, "title", "lagprof: inconclusive");
		gate_verdict(&message, budget);
		put_message(a, KIND_ERROR, &properties, &message);
	}
	strbuf_destroy(&properties);
	strbuf_destroy(&message);
}

static const enum kind finding_kinds[] = {
	[SEVERITY_NOTICE] = KIND_NOTICE,
	[SEVERITY_WARNING] = KIND_WARNING,
	[SEVERITY_INCIDENT] = KIND_ERROR,
};

static void put_finding(struct annotations *a, const struct report *r, const struct finding *f)
{
	struct strbuf path = { 0 }, visible = { 0 }, properties = { 0 }, message = { 0 };

	if (!gate_path(&path, r, f))
		return;
	strbuf_puts_visible(&visible, path.s);
	put_property(&properties, "file", visible.s);
	strbuf_printf(&properties, ",line=%u", gate_line(f));
	put_property(&properties, "title", cause_info[f->cause].label);
	gate_message(&message, r, f);
	put_message(a, finding_kinds[gate_severity(r, f)], &properties, &message);
	strbuf_destroy(&path);
	strbuf_destroy(&visible);
	strbuf_destroy(&properties);
	strbuf_destroy(&message);
}

static int render(const struct report *r, FILE *out, struct error *err)
{
	struct annotations a = { .out = out };

	put_budget(&a, r->budget);
	for (size_t i = 0; i < r->diagnosis->n_findings; i++)
		put_finding(&a, r, &r->diagnosis->findings[i]);
	if (a.left_out)
		fprintf(out, "lagprof: %zu more; the job summary has them all\n", a.left_out);
	if (ferror(out))
		return error_set(err, -EIO, "cannot write the annotations");
	return 0;
}

const struct renderer renderer_github = {
	.name = "github",
	.help = "annotations of GitHub Actions, at the lines that block",
	.suffix = ".txt",
	.repeats = true,
	.render = render,
};
