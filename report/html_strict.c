#include "report/html.h"

#include "core/units.h"
#include "report/place.h"

/* What --strict found: calls that block, however short they were. */

static void put_call(FILE *out, const struct recording *rec, const struct strict_finding *s)
{
	struct strbuf b = { 0 };

	fputs("<li><b>", out);
	html_text(out, s->title);
	fputs("</b>", out);
	if (s->culprit) {
		fputs(" <span class=\"place\">", out);
		strbuf_place(&b, rec, s->culprit);
		html_take(out, &b);
		fputs("</span>", out);
	}
	fputs(" · ", out);
	strbuf_count(&b, s->calls);
	html_take(out, &b);
	fputs(s->calls == 1 ? " call" : " calls", out);
	if (s->advice) {
		fputs("<br>", out);
		html_text(out, s->advice);
	}
	fputs("</li>\n", out);
}

void html_strict(FILE *out, const struct report *r)
{
	enum { TOP = 50 };
	const struct diagnosis *d = r->diagnosis;
	uint64_t missed = r->rec->session.strict_missed;
	struct strbuf b = { 0 };

	if (!r->rec->session.strict)
		return;
	fputs("<section aria-labelledby=\"strict\">\n<h2 id=\"strict\">Calls that block</h2>\n",
	      out);
	if (d->n_strict == 0)
		fputs("<p>No call that blocks was made while serving.</p>\n", out);
	fputs(d->n_strict ? "<ul class=\"strict\">\n" : "", out);
	for (size_t i = 0; i < d->n_strict && i < TOP; i++)
		put_call(out, r->rec, &d->strict[i]);
	fputs(d->n_strict ? "</ul>\n" : "", out);
	if (d->n_strict > TOP)
		fprintf(out, "<p>Calls at %zu more places are in the other formats.</p>\n",
			d->n_strict - TOP);
	if (missed) {
		fputs("<p>", out);
		strbuf_count(&b, missed);
		html_take(out, &b);
		fputs(" more were not looked at: there were too many.</p>\n", out);
	}
	fputs("</section>\n", out);
}
