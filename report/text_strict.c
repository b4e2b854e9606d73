#include "report/text.h"

#include "core/units.h"
#include "report/place.h"

/* What --strict found. */

static void put_calls(struct strbuf *b, uint64_t n)
{
	strbuf_count(b, n);
	strbuf_puts(b, n == 1 ? " call" : " calls");
}

static void print_strict(const struct report *r, const struct page *page,
			 const struct strict_finding *s)
{
	const char *dot = separator(r->ascii);
	struct strbuf b = { 0 };

	strbuf_puts_visible(&b, s->title);
	strbuf_puts(&b, dot);
	if (s->culprit) {
		strbuf_place(&b, r->rec, s->culprit);
		strbuf_puts(&b, dot);
	}
	put_calls(&b, s->calls);
	page_print(page, INK_YELLOW, 2, b.s);
	strbuf_destroy(&b);
	if (s->advice)
		page_print(page, INK_NONE, 4, s->advice);
}

void text_strict(const struct report *r, const struct page *page)
{
	const struct diagnosis *d = r->diagnosis;
	uint64_t missed = r->rec->session.strict_missed;
	struct strbuf b = { 0 };

	if (!r->rec->session.strict)
		return;
	strbuf_puts(&b, "strict: ");
	if (d->n_strict == 0)
		strbuf_puts(&b, "no call that blocks was made while serving");
	else
		put_calls(&b, d->strict_calls);
	if (d->n_strict)
		strbuf_puts(&b, d->strict_calls == 1 ? " that blocks while serving"
						     : " that block while serving");
	if (missed) {
		strbuf_puts(&b, ", and ");
		strbuf_count(&b, missed);
		strbuf_puts(&b,
			    missed == 1 ? " that was not looked at" : " that were not looked at");
	}
	page_print(page, d->n_strict ? INK_BOLD : INK_NONE, 0, b.s);
	strbuf_destroy(&b);
	for (size_t i = 0; i < d->n_strict; i++)
		print_strict(r, page, &d->strict[i]);
	page_gap(page);
}
