#include "report/markdown.h"

#include <errno.h>
#include <string.h>

#include "core/units.h"
#include "report/gate.h"
#include "report/place.h"
#include "report/renderer.h"
#include "report/text.h"

/* GitHub drops a job summary of more than 1 MiB as a whole. */
enum { BYTES_MAX = 900 * 1000, TAIL_BYTES = 200, CELL_BYTES = 2000 };

void strbuf_puts_markdown(struct strbuf *b, const char *s)
{
	for (; s && *s; s++) {
		if (strchr("\\`*_{}[]<>#+!|~$&@", *s) || (*s == ':' && s[1] == '/'))
			strbuf_puts(b, "\\");
		strbuf_add(b, s, 1);
	}
}

static void take(struct strbuf *b, struct strbuf *text)
{
	strbuf_puts_markdown(b, text->s);
	strbuf_destroy(text);
}

/* One that is too long to be read is cut, between characters. */
static void put_cell(struct strbuf *b, struct strbuf *text)
{
	if (text->len > CELL_BYTES) {
		size_t len = CELL_BYTES;

		while (len > 0 && (text->s[len] & 0xc0) == 0x80)
			len--;
		text->s[len] = '\0';
		text->len = len;
		strbuf_puts(text, "...");
	}
	take(b, text);
	strbuf_puts(b, " | ");
}

static void put_budget(struct strbuf *b, const struct budget_report *budget)
{
	static const char *const outcomes[] = {
		[RULE_MET] = "ok",
		[RULE_WARNED] = "over (warning)",
		[RULE_UNSURE] = "unsure",
		[RULE_OVER] = "**over**",
	};
	struct strbuf text = { 0 };

	if (!budget || budget->verdict == VERDICT_NONE)
		return;
	strbuf_puts(b, "**Budget ");
	gate_verdict(&text, budget);
	take(b, &text);
	strbuf_puts(b, "**\n\n| budget | measured | |\n| --- | --- | --- |\n");
	for (size_t i = 0; i < budget->n_rules; i++) {
		const struct budget_result *rule = &budget->rules[i];

		strbuf_puts(b, "| ");
		strbuf_puts_visible(&text, rule->expr);
		put_cell(b, &text);
		strbuf_puts_visible(&text, rule->value ? rule->value : "nothing");
		put_cell(b, &text);
		strbuf_printf(b, "%s |\n", outcomes[gate_outcome(rule)]);
	}
	strbuf_puts(b, "\n");
}

static void put_finding(struct strbuf *b, const struct report *r, const struct finding *f)
{
	bool fails = r->budget && gate_severity(r, f) == SEVERITY_INCIDENT;
	struct strbuf text = { 0 };

	strbuf_printf(b, "| %s%s%s | ", severity_names[f->severity],
		      f->serving_stalls ? "" : ", while starting",
		      fails ? ", **over budget**" : "");
	strbuf_puts_visible(&text, f->title);
	put_cell(b, &text);
	if (f->culprit)
		strbuf_place(&text, r->rec, f->culprit);
	put_cell(b, &text);
	finding_times(&text, f);
	put_cell(b, &text);
	if (f->advice)
		strbuf_puts_visible(&text, f->advice);
	put_cell(b, &text);
	strbuf_printf(b, "%s |\n", f->fingerprint);
}

static void put_findings(struct strbuf *b, const struct report *r)
{
	const struct diagnosis *d = r->diagnosis;

	if (!d->n_findings)
		return;
	strbuf_puts(b, "| severity | what | where | when | what to do | fingerprint |\n"
		       "| --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < d->n_findings; i++) {
		struct strbuf row = { 0 };
		bool fits;

		put_finding(&row, r, &d->findings[i]);
		fits = b->len + row.len + TAIL_BYTES <= BYTES_MAX;
		if (fits)
			strbuf_add(b, row.s, row.len);
		strbuf_destroy(&row);
		if (!fits) {
			strbuf_printf(b, "\n%zu more findings do not fit here.\n",
				      d->n_findings - i);
			return;
		}
	}
	strbuf_puts(b, "\n");
}

static void put_totals(struct strbuf *b, const struct report *r)
{
	struct strbuf text = { 0 };

	text_totals(&text, r);
	take(b, &text);
	strbuf_puts(b, "\n\n");
	for (size_t i = 0; i < r->rec->n_loops && i < 20; i++) {
		strbuf_puts(b, "* ");
		text_loop(&text, r->rec->loops[i]);
		take(b, &text);
		strbuf_puts(b, "\n");
	}
	strbuf_puts(b, "\n");
}

static int render(const struct report *r, FILE *out, struct error *err)
{
	struct strbuf b = { 0 }, text = { 0 };

	strbuf_puts(&b, "### lagprof: ");
	text_command(&text, &r->rec->target);
	take(&b, &text);
	strbuf_puts(&b, "\n\n");
	put_budget(&b, r->budget);
	put_totals(&b, r);
	put_findings(&b, r);
	fwrite(b.s, 1, b.len, out);
	strbuf_destroy(&b);
	if (ferror(out))
		return error_set(err, -EIO, "cannot write the markdown report");
	return 0;
}

const struct renderer renderer_markdown = {
	.name = "markdown",
	.help = "tables for a job summary or a comment",
	.suffix = ".md",
	.repeats = true,
	.render = render,
};
