#include "report/renderer.h"

#include "report/gate.h"
#include "report/sarif_log.h"

/* The findings that have a place in the repository, as SARIF 2.1.0. */

static const char *const levels[] = {
	[SEVERITY_NOTICE] = "note",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_INCIDENT] = "error",
};

static void add_finding(struct sarif_log *log, const struct report *r, const struct finding *f)
{
	struct strbuf path = { 0 }, message = { 0 };
	struct sarif_result result = {
		.rule = f->cause,
		.level = levels[gate_severity(r, f)],
		.fingerprint = f->fingerprint,
	};

	if (!gate_path(&path, r, f))
		return;
	gate_message(&message, r, f);
	result.path = path.s;
	result.line = gate_line(f);
	result.message = message.s;
	sarif_log_add(log, &result);
	strbuf_destroy(&path);
	strbuf_destroy(&message);
}

static int render(const struct report *r, FILE *out, struct error *err)
{
	struct sarif_rule rules[CAUSES];
	struct sarif_log *log;

	/* One for each cause, so that a rule's index is its cause. */
	for (int i = 0; i < CAUSES; i++)
		rules[i] = (struct sarif_rule){ cause_info[i].id, cause_info[i].label,
						cause_info[i].advice };
	log = sarif_log_new(rules, CAUSES);
	for (size_t i = 0; i < r->diagnosis->n_findings; i++)
		add_finding(log, r, &r->diagnosis->findings[i]);
	return sarif_log_write(log, out, err);
}

const struct renderer renderer_sarif = {
	.name = "sarif",
	.help = "SARIF 2.1.0, for code scanning",
	.suffix = ".sarif",
	.render = render,
};
