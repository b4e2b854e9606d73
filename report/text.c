#include "report/renderer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/units.h"
#include "report/gate.h"
#include "report/page.h"
#include "report/place.h"
#include "report/text.h"

static const enum ink severity_inks[] = {
	[SEVERITY_NOTICE] = INK_BOLD,
	[SEVERITY_WARNING] = INK_YELLOW,
	[SEVERITY_INCIDENT] = INK_RED,
};

/* Prints what is in b, if anything, and empties it. */
static void flush(const struct page *page, enum ink ink, int indent, struct strbuf *b)
{
	if (b->len)
		page_print(page, ink, indent, b->s);
	strbuf_destroy(b);
}

static void print_finding(const struct report *r, const struct page *page, const struct finding *f,
			  enum ink ink)
{
	struct strbuf b = { 0 };

	finding_headline(&b, r, f);
	flush(page, ink, 0, &b);
	strbuf_printf(&b, "%s, %s, ", cause_info[f->cause].label, severity_names[f->severity]);
	if (f->share < 0.005)
		strbuf_puts(&b, "under 1 % of all stalled time");
	else
		strbuf_printf(&b, "%.0f %% of all stalled time", f->share * 100);
	if (f->serving_stalls && f->serving_stalls < f->stalls)
		strbuf_printf(&b, ", %u of the stalls while starting",
			      f->stalls - f->serving_stalls);
	if (f->stalls > 1) {
		strbuf_puts(&b, ", ");
		strbuf_duration(&b, f->mean);
		strbuf_puts(&b, " on average");
	}
	if (r->verbose)
		strbuf_printf(&b, ", fingerprint %s", f->fingerprint);
	flush(page, INK_NONE, 2, &b);
	text_evidence(&b, f);
	flush(page, INK_NONE, 2, &b);
	text_requests(&b, r, f);
	flush(page, INK_NONE, 2, &b);
	text_processes(r, page, f);
	text_starvation(&b, f);
	flush(page, INK_NONE, 2, &b);
	if (f->advice)
		page_print(page, INK_NONE, 2, f->advice);
	text_stack(r, page, f);
	page_gap(page);
}

void finding_text(const struct report *report, const struct finding *f, FILE *out)
{
	struct page page = { .out = out, .width = report->width, .color = report->color };

	print_finding(report, &page, f, severity_inks[f->severity]);
}

static void print_findings(const struct report *r, const struct page *page)
{
	const struct diagnosis *d = r->diagnosis;
	bool startup = false;

	for (size_t i = 0; i < d->n_findings; i++) {
		const struct finding *f = &d->findings[i];

		if (!f->serving_stalls && !startup) {
			page_print(page, INK_BOLD, 0, "While starting, before it served:");
			page_gap(page);
			startup = true;
		}
		print_finding(r, page, f, startup ? INK_NONE : severity_inks[f->severity]);
	}
}

bool text_saw_turns(const struct recording *rec)
{
	uint64_t turns = rec->n_stalls;

	for (size_t i = 0; i < rec->n_loops; i++)
		turns += rec->loops[i]->turns;
	return turns > 0;
}

void text_totals(struct strbuf *b, const struct report *r)
{
	const struct session *session = &r->rec->session;
	const struct diagnosis *d = r->diagnosis;
	size_t startup = d->n_stalls - d->serving_stalls;

	if (!text_saw_turns(r->rec)) {
		strbuf_puts(b, "No turn of a loop was observed, so nothing can be said about it.");
		return;
	}
	strbuf_count(b, d->serving_stalls);
	strbuf_puts(b, d->serving_stalls == 1 ? " stall of " : " stalls of ");
	strbuf_duration(b, session->threshold);
	strbuf_puts(b, " or more");
	if (d->serving_stalled) {
		strbuf_puts(b, ", ");
		strbuf_duration(b, d->serving_stalled);
		strbuf_puts(b, " of ");
		strbuf_duration(b, session->duration);
	}
	if (d->serving_stalled && session->duration)
		strbuf_printf(b, " (%.1f %%)",
			      100 * (double)d->serving_stalled / (double)session->duration);
	if (startup) {
		strbuf_puts(b, ", and ");
		strbuf_count(b, startup);
		strbuf_puts(b, " while starting, ");
		strbuf_duration(b, d->stalled - d->serving_stalled);
	}
}

static void print_totals(const struct report *r, const struct page *page)
{
	enum ink ink = r->diagnosis->n_stalls ? INK_BOLD : INK_GREEN;
	struct strbuf b = { 0 };

	text_totals(&b, r);
	flush(page, text_saw_turns(r->rec) ? ink : INK_YELLOW, 0, &b);
}

/* What a process calls itself may be padded to the room of its arguments. */
static void put_title(struct strbuf *b, const char *s)
{
	struct strbuf title = { 0 };

	strbuf_puts(&title, s);
	while (title.len && title.s[title.len - 1] == ' ')
		title.s[--title.len] = '\0';
	strbuf_puts_visible(b, title.s);
	strbuf_destroy(&title);
}

void text_command(struct strbuf *b, const struct target_info *t)
{
	uint32_t argc = t->argc;

	/* A title that a process gave itself leaves the rest of its arguments empty. */
	while (argc > 1 && !t->argv[argc - 1][0])
		argc--;
	for (uint32_t i = 0; i < argc && b->len < 400; i++) {
		strbuf_puts(b, i ? " " : "");
		if (argc == 1)
			put_title(b, t->argv[0]);
		else
			strbuf_puts_visible(b, t->argv[i][0] ? t->argv[i] : "''");
	}
	if (t->argc == 0 && t->exe)
		strbuf_puts_visible(b, t->exe);
}

const char *text_runtime(const struct target_info *t)
{
	return strcmp(t->runtime, "v8") == 0 ? "node" : t->runtime;
}

static void print_target(const struct report *r, const struct page *page)
{
	const struct target_info *t = &r->rec->target;
	struct strbuf b = { 0 };

	text_command(&b, t);
	strbuf_printf(&b, "%spid %d", b.len ? ", " : "", t->pid);
	if (t->runtime) {
		strbuf_puts(&b, ", ");
		strbuf_puts_visible(&b, text_runtime(t));
	}
	if (t->runtime_version) {
		strbuf_puts(&b, " ");
		strbuf_puts_visible(&b, t->runtime_version);
	}
	flush(page, INK_NONE, 0, &b);
}

void text_budget(const struct budget_report *budget, const struct page *page)
{
	static const char *const verdicts[] = { "none", "pass", "fail", "inconclusive" };
	static const char *const outcomes[] = {
		[RULE_MET] = "ok",
		[RULE_WARNED] = "warn",
		[RULE_UNSURE] = "unsure",
		[RULE_OVER] = "over",
	};
	enum ink ink;

	if (!budget || budget->verdict == VERDICT_NONE)
		return;
	ink = budget->verdict == VERDICT_PASS ? INK_GREEN : INK_RED;
	page_printf(page, ink, 0, "budget: %s%s%s", verdicts[budget->verdict],
		    budget->reason ? ", " : "", budget->reason ? budget->reason : "");
	for (size_t i = 0; i < budget->n_rules; i++) {
		const struct budget_result *rule = &budget->rules[i];

		page_printf(page, rule->ok ? INK_NONE : INK_RED, 2, "%-6s  %s  measured %s",
			    outcomes[gate_outcome(rule)], rule->expr,
			    rule->value ? rule->value : "nothing");
	}
	page_gap(page);
}

static int render(const struct report *r, FILE *out, struct error *err)
{
	struct page page = { .out = out, .width = r->width, .color = r->color };

	print_findings(r, &page);
	text_strict(r, &page);
	text_budget(r->budget, &page);
	print_totals(r, &page);
	print_target(r, &page);
	text_family(r, &page);
	text_loops(r, &page);
	text_threadpool(r, &page);
	text_host(r, &page);
	text_doubts(r, &page);
	text_probe(r, &page);
	if (ferror(out))
		return error_set(err, -EIO, "cannot write the report");
	return 0;
}

void report_summary(const struct report *r, FILE *out)
{
	enum { WORST = 3 };
	struct page page = { .out = out, .width = r->width, .color = r->color };
	struct strbuf b = { 0 };

	for (size_t i = 0; i < r->diagnosis->n_findings && i < WORST; i++) {
		const struct finding *f = &r->diagnosis->findings[i];

		finding_headline(&b, r, f);
		flush(&page, f->serving_stalls ? severity_inks[f->severity] : INK_NONE, 0, &b);
	}
	text_budget(r->budget, &page);
	print_totals(r, &page);
	text_doubts(r, &page);
}

const struct renderer renderer_text = {
	.name = "text",
	.help = "what to read first: each finding's headline, evidence, advice and stack",
	.suffix = ".txt",
	.repeats = true,
	.render = render,
};
