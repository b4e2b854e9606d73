#include "report/diff.h"

#include "core/units.h"
#include "report/page.h"
#include "report/place.h"

static const struct {
	const char *heading;
	enum ink ink;
} changes[CHANGES] = {
	[CHANGE_NEW] = { "New", INK_RED },         [CHANGE_WORSE] = { "Worse", INK_YELLOW },
	[CHANGE_GONE] = { "Gone", INK_GREEN },     [CHANGE_BETTER] = { "Better", INK_GREEN },
	[CHANGE_SAME] = { "Unchanged", INK_NONE },
};

static double blocked(const struct diff_side *side)
{
	return side->serving ? 100 * (double)side->stalled / (double)side->serving : 0;
}

static void flush(const struct page *page, enum ink ink, int indent, struct strbuf *b)
{
	page_print(page, ink, indent, b->s);
	strbuf_destroy(b);
}

/* "The loop was blocked for 0.4 % of the time, before for 16 %: 40 ms of 10 s, before 1.6 s of 10
 * s."
 */
static void print_totals(const struct page *page, const struct diff *diff)
{
	const struct diff_side *before = &diff->before, *after = &diff->after;
	struct strbuf b = { 0 };

	if (!before->turns || !after->turns) {
		page_printf(page, INK_YELLOW, 0,
			    "No turn of a loop was observed in the recording %s, so they cannot be "
			    "compared.",
			    before->turns ? "after" : "before");
		return;
	}
	strbuf_printf(&b, "The loop was blocked for %.3g %% of the time (", blocked(after));
	strbuf_duration(&b, after->stalled);
	strbuf_puts(&b, " of ");
	strbuf_duration(&b, after->serving);
	strbuf_printf(&b, "), before for %.3g %% (", blocked(before));
	strbuf_duration(&b, before->stalled);
	strbuf_puts(&b, " of ");
	strbuf_duration(&b, before->serving);
	strbuf_puts(&b, "); lag p99 is ");
	strbuf_duration(&b, after->lag_p99);
	strbuf_puts(&b, ", was ");
	strbuf_duration(&b, before->lag_p99);
	strbuf_puts(&b, ".");
	flush(page, INK_BOLD, 0, &b);
}

/* "pbkdf2Sync 60000 iterations sha512 · server.js:33 login" */
static void put_what(struct strbuf *b, const struct finding *f, bool ascii)
{
	strbuf_puts_visible(b, f->title);
	if (f->culprit)
		strbuf_titled_place(b, NULL, f->culprit, f->title, separator(ascii));
	strbuf_puts(b, separator(ascii));
}

static void print_entry(const struct page *page, const struct diff_entry *e, bool ascii)
{
	struct strbuf b = { 0 };

	put_what(&b, e->after ? e->after : e->before, ascii);
	if (e->after)
		finding_times(&b, e->after);
	if (e->before && e->after)
		strbuf_puts(&b, "; before ");
	if (e->before)
		finding_times(&b, e->before);
	flush(page, INK_NONE, 2, &b);
	if (e->change == CHANGE_NEW && e->after->advice)
		page_print(page, INK_DIM, 4, e->after->advice);
}

static void print_different_thresholds(const struct page *page, nsec before, nsec after)
{
	struct strbuf b = { 0 };

	if (before == after)
		return;
	strbuf_puts(&b, "A stall was ");
	strbuf_duration(&b, before);
	strbuf_puts(&b, " or more before, and ");
	strbuf_duration(&b, after);
	strbuf_puts(&b, " or more after: shorter ones seem new or gone.");
	flush(page, INK_YELLOW, 0, &b);
}

void diff_text(const struct diff *diff, const struct report *before, const struct report *after,
	       FILE *out)
{
	struct page page = { .out = out, .width = after->width, .color = after->color };
	enum change last = CHANGES;

	print_totals(&page, diff);
	print_different_thresholds(&page, before->rec->session.threshold,
				   after->rec->session.threshold);
	for (size_t i = 0; i < diff->n; i++) {
		const struct diff_entry *e = &diff->entries[i];

		if (e->change != last) {
			page_gap(&page);
			page_printf(&page, changes[e->change].ink, 0,
				    "%s (%zu):", changes[e->change].heading,
				    diff->counts[e->change]);
		}
		last = e->change;
		print_entry(&page, e, after->ascii);
	}
	if (diff->n == 0 && diff->before.turns && diff->after.turns)
		page_print(&page, INK_GREEN, 0, "Nothing blocked the loop in either recording.");
}
