#include "report/html.h"

#include <stdlib.h>
#include <string.h>

#include "core/units.h"
#include "report/origin.h"
#include "report/place.h"
#include "report/text.h"

/* What blocked: a line for each finding, which opens on its evidence, advice and stack. */

enum { TOP = 20 };

static void put_culprit(FILE *out, const struct recording *rec, const struct finding *f)
{
	struct strbuf b = { 0 };

	if (!f->culprit)
		return;
	strbuf_titled_place(&b, rec, f->culprit, f->title, "");
	fputs(" <span class=\"place\">", out);
	html_take(out, &b);
	fputs("</span>", out);
}

static void put_summary(FILE *out, const struct recording *rec, const struct finding *f)
{
	struct strbuf b = { 0 };

	fputs("<summary><span class=\"what\"><b>", out);
	html_text(out, f->title);
	fputs("</b>", out);
	put_culprit(out, rec, f);
	fputs("</span> <span class=\"times\">", out);
	finding_times(&b, f);
	html_take(out, &b);
	fputs("</span> <span class=\"share\">", out);
	html_bar(out, &f->share, 1);
	fprintf(out, "%.0f %%</span></summary>\n", 100 * f->share);
}

static void put_line(FILE *out, const char *class, const char *text)
{
	if (!text || !*text)
		return;
	fprintf(out, "<p class=\"%s\">", class);
	html_text(out, text);
	fputs("</p>\n", out);
}

static void put_kind(FILE *out, const struct finding *f)
{
	fprintf(out, "<p class=\"kind\"><span class=\"severity\">%s</span> %s",
		severity_names[f->severity], cause_info[f->cause].label);
	if (!f->serving_stalls)
		fputs(", while starting", out);
	else if (f->serving_stalls < f->stalls)
		fprintf(out, ", %u of the stalls while starting", f->stalls - f->serving_stalls);
	fprintf(out, ", %.0f %% on CPU", 100 * f->on_cpu);
	if (f->starved >= 0.01)
		fprintf(out, ", %.0f %% waiting for a CPU", 100 * f->starved);
	fputs("</p>\n", out);
}

static void put_bytes(FILE *out, const char *s, size_t len)
{
	struct strbuf b = { 0 };

	strbuf_add(&b, s, len);
	html_take(out, &b);
}

/* The pattern, with what is to blame marked. */
static void put_pattern(FILE *out, const struct evidence *e)
{
	const char *text = e->args[ARG_PATTERN].text;
	const struct redos *redos = e->redos;
	size_t len = text ? strlen(text) : 0;

	if (!e->has[ARG_PATTERN] || !text)
		return;
	fputs("<div><dt>pattern</dt><dd><code>/", out);
	if (redos && redos->guilty_start < redos->guilty_end && redos->guilty_end <= len) {
		put_bytes(out, text, redos->guilty_start);
		fputs("<mark>", out);
		put_bytes(out, text + redos->guilty_start, redos->guilty_end - redos->guilty_start);
		fputs("</mark>", out);
		text += redos->guilty_end;
	}
	html_text(out, text);
	fputs("/", out);
	if (e->has[ARG_FLAGS] && e->args[ARG_FLAGS].text)
		html_text(out, e->args[ARG_FLAGS].text);
	fputs("</code></dd></div>\n", out);
}

/* The proof: what the pattern does and a subject on which it does it. */
static void put_regex(FILE *out, const struct evidence *e)
{
	struct strbuf b = { 0 };

	if (!e->has[ARG_PATTERN] && !e->redos)
		return;
	if (e->redos)
		text_redos(&b, e->redos);
	put_line(out, "evidence", b.s);
	strbuf_destroy(&b);
	fputs("<dl class=\"proof\">\n", out);
	put_pattern(out, e);
	if (e->redos && e->redos->attack) {
		fputs("<div><dt>slow on</dt><dd><code>", out);
		html_text(out, e->redos->attack);
		fputs("</code></dd></div>\n", out);
	}
	fputs("</dl>\n", out);
}

/* Recursion makes stacks that nobody reads to the end. */
static bool is_shown(uint32_t i, uint32_t n, uint32_t culprit)
{
	enum { LEAF = 40, CALL = 10, CALLERS = 10, ROOT = 20 };

	return i < LEAF || i + ROOT >= n ||
	       (culprit < n && i + CALL >= culprit && i <= culprit + CALLERS);
}

static void put_frame(FILE *out, const struct recording *rec, uint32_t id, bool culprit)
{
	const struct frame *frame = recording_get_frame(rec, id);
	struct strbuf b = { 0 };

	fprintf(out, "<li class=\"%s%s\">", origin_ids[origin_of(frame, &rec->target)],
		culprit ? " culprit" : "");
	strbuf_frame(&b, rec, frame);
	html_take(out, &b);
	fputs("</li>\n", out);
}

static void put_skipped(FILE *out, uint32_t n)
{
	if (n)
		fprintf(out, "<li>… %u frame%s</li>\n", n, n == 1 ? "" : "s");
}

static void put_stack(FILE *out, const struct recording *rec, const struct finding *f)
{
	const struct stack *stack = f->stack;
	uint32_t culprit, skipped = 0;

	if (!stack || stack->n == 0)
		return;
	culprit = f->culprit ? culprit_on_stack(rec, f) : UINT32_MAX;
	fprintf(out, "<details class=\"stack\"><summary>heaviest stack, %u frames</summary><ol>\n",
		stack->n);
	for (uint32_t i = 0; i < stack->n; i++) {
		if (!is_shown(i, stack->n, culprit)) {
			skipped++;
			continue;
		}
		put_skipped(out, skipped);
		skipped = 0;
		put_frame(out, rec, stack->frames[i], i == culprit);
	}
	fputs("</ol></details>\n", out);
}

/* Where there are several processes: which had how much of it. */
static void put_parts(FILE *out, const struct recording *rec, const struct finding *f)
{
	enum { MOST = 8 };

	if (!rec->n_processes || !f->n_parts)
		return;
	fputs("<ul class=\"parts\">\n", out);
	for (size_t i = 0; i < f->n_parts && i < MOST; i++) {
		struct strbuf b = { 0 };

		fputs("<li>", out);
		text_part(&b, rec, &f->parts[i]);
		html_take(out, &b);
		fputs("</li>\n", out);
	}
	if (f->n_parts > MOST)
		fprintf(out, "<li>%zu more processes</li>\n", f->n_parts - MOST);
	fputs("</ul>\n", out);
}

static void put_finding(FILE *out, const struct report *r, const struct finding *f)
{
	struct finding plain = *f;
	struct strbuf b = { 0 };

	plain.evidence.redos = NULL; /* has a part of its own */
	fprintf(out, "<li class=\"finding %s\" data-finding=\"%u\"><details%s>",
		severity_names[f->severity], f->id, f->id == 0 ? " open" : "");
	put_summary(out, r->rec, f);
	put_kind(out, f);
	put_line(out, "advice", f->advice);
	text_evidence(&b, &plain);
	put_line(out, "evidence", b.s);
	strbuf_destroy(&b);
	put_regex(out, &f->evidence);
	put_parts(out, r->rec, f);
	put_stack(out, r->rec, f);
	fputs("</details></li>\n", out);
}

static void put_rest(FILE *out, const struct diagnosis *d)
{
	struct strbuf b = { 0 };
	nsec total = 0;

	for (size_t i = TOP; i < d->n_findings; i++)
		total += d->findings[i].total;
	fprintf(out, "<p>%zu more, together ", d->n_findings - TOP);
	strbuf_duration(&b, total);
	html_take(out, &b);
	fputs(", are in the table of stalls and in the other formats of the report.</p>\n", out);
}

void html_findings(FILE *out, const struct report *r)
{
	const struct diagnosis *d = r->diagnosis;

	if (!d->n_findings) {
		fputs(text_saw_turns(r->rec) ? "<p>Nothing blocked a loop for that long.</p>\n"
					     : "<p>Nobody knows: no turn was observed.</p>\n",
		      out);
		return;
	}
	fputs("<ol class=\"findings\">\n", out);
	for (size_t i = 0; i < d->n_findings && i < TOP; i++)
		put_finding(out, r, &d->findings[i]);
	fputs("</ol>\n", out);
	if (d->n_findings > TOP)
		put_rest(out, d);
}
