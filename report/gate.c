#include "report/gate.h"

#include <string.h>

#include "report/origin.h"
#include "report/text.h"

/* A ".." would lead out of the root, whatever the rest says. */
static bool climbs(const char *path)
{
	for (const char *p = path; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == '\0'))
			return true;
	}
	return false;
}

/* The part of an absolute path below root, or NULL. */
static const char *below(const char *root, const char *path)
{
	size_t len = strlen(root);

	while (len > 0 && root[len - 1] == '/')
		len--;
	return strncmp(path, root, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

bool gate_path(struct strbuf *b, const struct report *r, const struct finding *f)
{
	const struct frame *c = f->culprit;
	const char *path;

	if (!f->serving_stalls || !r->root || !c || !c->file ||
	    origin_of(c, &r->rec->target) == ORIGIN_PACKAGE)
		return false;
	path = strncmp(c->file, "file://", 7) == 0 ? c->file + 7 : c->file;
	/* "node:fs" and "<frozen os>" are no files, "./x" is relative to a folder unknown. */
	path = path[0] == '/' ? below(r->root, path) : NULL;
	if (!path || !path[0] || climbs(path))
		return false;
	strbuf_puts(b, path);
	return true;
}

uint32_t gate_line(const struct finding *f)
{
	uint32_t line = f->culprit->line ? f->culprit->line : f->culprit->define_line;

	return line ? line : 1;
}

void gate_message(struct strbuf *b, const struct report *r, const struct finding *f)
{
	finding_headline(b, r, f);
	strbuf_puts(b, ". ");
	if (f->advice)
		strbuf_puts_visible(b, f->advice);
}

void gate_rule(struct strbuf *b, const struct budget_result *rule)
{
	strbuf_puts_visible(b, rule->expr);
	strbuf_puts(b, ", measured ");
	strbuf_puts_visible(b, rule->value ? rule->value : "nothing");
}

enum rule_outcome gate_outcome(const struct budget_result *rule)
{
	if (!rule->ok && strcmp(rule->level, "warn") == 0)
		return RULE_WARNED;
	if (rule->unsure)
		return RULE_UNSURE;
	return rule->ok ? RULE_MET : RULE_OVER;
}

static bool is_blamed(const struct budget_result *rule, uint32_t finding)
{
	for (size_t i = 0; i < rule->n_findings; i++)
		if (rule->findings[i] == finding)
			return true;
	return false;
}

enum severity gate_severity(const struct report *r, const struct finding *f)
{
	if (!r->budget)
		return f->severity;
	for (size_t i = 0; i < r->budget->n_rules; i++)
		if (gate_outcome(&r->budget->rules[i]) == RULE_OVER &&
		    is_blamed(&r->budget->rules[i], f->id))
			return SEVERITY_INCIDENT;
	return f->severity < SEVERITY_WARNING ? f->severity : SEVERITY_WARNING;
}

void gate_verdict(struct strbuf *b, const struct budget_report *budget)
{
	static const char *const verdicts[] = { "none", "pass", "fail", "inconclusive" };
	size_t over = 0;

	if (!budget || budget->verdict == VERDICT_NONE)
		return;
	for (size_t i = 0; i < budget->n_rules; i++)
		over += !budget->rules[i].ok && gate_outcome(&budget->rules[i]) != RULE_UNSURE;
	strbuf_printf(b, "%s: ", verdicts[budget->verdict]);
	if (budget->verdict == VERDICT_INCONCLUSIVE && budget->reason)
		strbuf_puts_visible(b, budget->reason);
	else if (over)
		strbuf_printf(b, "%zu of %zu budgets exceeded", over, budget->n_rules);
	else
		strbuf_puts(b, "every budget is met");
}

void strbuf_puts_percent(struct strbuf *b, const char *text, const char *special)
{
	for (; *text; text++)
		if (strchr(special, *text))
			strbuf_printf(b, "%%%02X", (unsigned char)*text);
		else
			strbuf_add(b, text, 1);
}
