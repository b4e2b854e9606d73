#include "report/diff.h"

#include "core/units.h"
#include "report/markdown.h"
#include "report/page.h"
#include "report/place.h"

static const struct {
	const char *heading;
	enum ink ink;
} changes[CHANGES] = {
	[CHANGE_NEW] = { "New", INK_RED },         [CHANGE_WORSE] = { "Worse", INK_YELLOW },
	[CHANGE_GONE] = { "Gone", INK_GREEN },     [CHANGE_BETTER] = { "Better", INK_GREEN },
	[CHANGE_SAME] = { "Unchanged", INK_NONE }, [CHANGE_HOST] = { "Not the code", INK_NONE },
};

/* Per cent of the time it served. */
static double percent(nsec part, const struct diff_side *side)
{
	return side->serving ? 100 * (double)part / (double)side->serving : 0;
}

static void flush(const struct page *page, enum ink ink, int indent, struct strbuf *b)
{
	page_print(page, ink, indent, b->s);
	strbuf_destroy(b);
}

/* "0.4 % (40 ms of 10 s)", and how much of it was the machine's fault. */
static void put_blocked(struct strbuf *b, const struct diff_side *side, const char *words)
{
	strbuf_printf(b, "%.3g %%%s (", percent(side->stalled, side), words);
	strbuf_duration(b, side->stalled);
	strbuf_puts(b, " of ");
	strbuf_duration(b, side->serving);
	if (side->waited > side->stalled / 10) {
		strbuf_puts(b, ", ");
		strbuf_duration(b, side->waited);
		strbuf_puts(b, " of it waiting for a CPU");
	}
	strbuf_puts(b, ")");
}

/* What the code is answerable for. */
static double own_percent(const struct diff_side *side)
{
	return percent(side->stalled - side->waited, side);
}

static const char *trend(double before, double after)
{
	if (after > before * 1.25)
		return "The loop is blocked for longer than before";
	return after * 1.25 < before ? "The loop is blocked for less than before"
				     : "The loop is blocked for as long as before";
}

/* What to know first, as one sentence or two. */
static void put_totals(struct strbuf *b, const struct diff *diff)
{
	const struct diff_side *before = &diff->before, *after = &diff->after;

	if (!before->turns || !after->turns) {
		strbuf_printf(b,
			      "No turn of a loop was observed in the recording %s, so they cannot "
			      "be compared.",
			      before->turns ? "after" : "before");
		return;
	}
	if (diff->n == 0) {
		strbuf_puts(b, "Nothing blocked the loop in either recording.");
		return;
	}
	strbuf_printf(b, "%s: ", trend(own_percent(before), own_percent(after)));
	put_blocked(b, after, " of the time");
	strbuf_puts(b, ", it was ");
	put_blocked(b, before, "");
	strbuf_puts(b, ". Lag p99 is ");
	strbuf_duration(b, after->lag_p99);
	strbuf_puts(b, ", it was ");
	strbuf_duration(b, before->lag_p99);
	strbuf_puts(b, ".");
}

/*
 * "6 stalls of 126 ms on average, worst 156 ms, 19 % of the time": nothing that
 * depends on how long was watched but the number of stalls.
 */
static void put_times(struct strbuf *b, const struct finding *f, const struct diff_side *side)
{
	strbuf_count(b, f->serving_stalls);
	strbuf_puts(b, f->serving_stalls == 1 ? " stall of " : " stalls of ");
	strbuf_duration(b, f->serving_stalls ? f->serving_total / f->serving_stalls : 0);
	if (f->serving_stalls > 1) {
		strbuf_puts(b, " on average, worst ");
		strbuf_duration(b, f->max);
	}
	if (side->serving) {
		double share = 100 * (double)f->serving_total / (double)side->serving;

		strbuf_printf(b, share < 10 ? ", %.2g %% of the time" : ", %.0f %% of the time",
			      share);
	}
	if (f->cause != CAUSE_CPU_STARVATION && f->starved + f->held_up >= 0.25)
		strbuf_printf(b, ", %.0f %% of that waiting for a CPU",
			      100 * (f->starved + f->held_up));
}

/* "pbkdf2Sync 60000 iterations sha512 · server.js:33 login" */
static void put_what(struct strbuf *b, const struct finding *f, bool ascii)
{
	strbuf_puts_visible(b, f->title);
	if (f->culprit)
		strbuf_titled_place(b, NULL, f->culprit, f->title, separator(ascii));
}

static void print_side(const struct page *page, const char *when, const struct finding *f,
		       const struct diff_side *side)
{
	struct strbuf b = { 0 };

	if (!f)
		return;
	strbuf_puts(&b, when);
	put_times(&b, f, side);
	flush(page, INK_NONE, 4, &b);
}

static void print_entry(const struct page *page, const struct diff *diff,
			const struct diff_entry *e, bool ascii)
{
	struct strbuf b = { 0 };

	put_what(&b, e->after ? e->after : e->before, ascii);
	flush(page, INK_NONE, 2, &b);
	print_side(page, "now     ", e->after, &diff->after);
	print_side(page, "before  ", e->before, &diff->before);
	if (e->change == CHANGE_NEW && e->after->advice)
		page_print(page, INK_DIM, 4, e->after->advice);
}

/* Nothing where both recordings have the same. */
static void put_thresholds(struct strbuf *b, nsec before, nsec after)
{
	if (before == after)
		return;
	strbuf_puts(b, "A stall was ");
	strbuf_duration(b, before);
	strbuf_puts(b, " or more before, and ");
	strbuf_duration(b, after);
	strbuf_puts(b, " or more after: shorter ones seem new or gone.");
}

/* Of how much of the time the machine kept it from running, where that may hide something. */
static void put_doubt(struct strbuf *b, const struct diff *diff)
{
	enum { DOUBTFUL = 5 }; /* per cent */
	double waited = percent(diff->after.waited, &diff->after);

	if (!diff->counts[CHANGE_GONE] || waited < DOUBTFUL)
		return;
	strbuf_printf(b,
		      "%sThe recording after waited for a CPU for %.2g %% of the time: what seems "
		      "gone may only be hidden by that. Record it again on a machine that is free.",
		      b->len ? " " : "", waited);
}

void diff_text(const struct diff *diff, const struct report *before, const struct report *after,
	       FILE *out)
{
	struct page page = { .out = out, .width = after->width, .color = after->color };
	enum change last = CHANGES;
	struct strbuf b = { 0 };

	put_totals(&b, diff);
	flush(&page, INK_BOLD, 0, &b);
	put_thresholds(&b, before->rec->session.threshold, after->rec->session.threshold);
	put_doubt(&b, diff);
	if (b.len)
		flush(&page, INK_YELLOW, 0, &b);
	for (size_t i = 0; i < diff->n; i++) {
		const struct diff_entry *e = &diff->entries[i];

		if (e->change != last) {
			page_gap(&page);
			page_printf(&page, changes[e->change].ink, 0,
				    "%s (%zu):", changes[e->change].heading,
				    diff->counts[e->change]);
		}
		last = e->change;
		print_entry(&page, diff, e, after->ascii);
	}
}

/* Takes what is in text. */
static void put_cell(struct strbuf *b, struct strbuf *text)
{
	strbuf_puts_markdown(b, text->s ? text->s : "");
	strbuf_puts(b, " | ");
	strbuf_destroy(text);
}

static void put_side(struct strbuf *text, const struct finding *f, const struct diff_side *side)
{
	if (f)
		put_times(text, f, side);
	else
		strbuf_puts(text, "none");
}

static void put_row(struct strbuf *b, const struct diff *diff, const struct diff_entry *e)
{
	struct strbuf text = { 0 };

	strbuf_printf(b, "| %s | ", changes[e->change].heading);
	put_what(&text, e->after ? e->after : e->before, false);
	put_cell(b, &text);
	put_side(&text, e->after, &diff->after);
	put_cell(b, &text);
	put_side(&text, e->before, &diff->before);
	put_cell(b, &text);
	b->len--; /* the space behind the last */
	b->s[b->len] = '\0';
	strbuf_puts(b, "\n");
}

void diff_markdown(const struct diff *diff, const struct report *before, const struct report *after,
		   FILE *out)
{
	enum { BYTES_MAX = 60 * 1000 };
	struct strbuf b = { 0 }, text = { 0 };

	strbuf_puts(&b, "**");
	put_totals(&text, diff);
	strbuf_puts_markdown(&b, text.s);
	strbuf_puts(&b, "**\n");
	strbuf_destroy(&text);
	put_thresholds(&text, before->rec->session.threshold, after->rec->session.threshold);
	put_doubt(&text, diff);
	if (text.len)
		strbuf_printf(&b, "\n%s\n", text.s);
	strbuf_destroy(&text);
	if (diff->n)
		strbuf_puts(&b, "\n| | what | now | before |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < diff->n; i++) {
		/* A comment on GitHub has at most 65,536 characters. */
		if (b.len > BYTES_MAX) {
			strbuf_printf(&b, "\n%zu more findings do not fit here.\n", diff->n - i);
			break;
		}
		put_row(&b, diff, &diff->entries[i]);
	}
	fwrite(b.s, 1, b.len, out);
	strbuf_destroy(&b);
}
