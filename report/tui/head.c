#include "report/tui/view.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/units.h"
#include "report/place.h"
#include "report/text.h"

enum tone tone_of(enum severity s)
{
	static const enum tone tones[] = { [SEVERITY_NOTICE] = TONE_NOTICE,
					   [SEVERITY_WARNING] = TONE_WARNING,
					   [SEVERITY_INCIDENT] = TONE_INCIDENT };

	return tones[s];
}

enum tone tone_of_lag(nsec lag)
{
	return lag < 20000000 ? TONE_GOOD : tone_of(severity_of(lag));
}

void put_short(struct strbuf *b, nsec ns)
{
	if (ns < 119500000000)
		strbuf_duration(b, ns);
	else if (ns < 36000ull * 1000000000)
		strbuf_printf(b, "%" PRIu64 " min", (ns + 30000000000) / 60000000000);
	else
		strbuf_printf(b, "%" PRIu64 " h", ns / 3600000000000);
}

static void put_target(struct strbuf *b, const struct target_info *target)
{
	text_command(b, target);
	strbuf_printf(b, "%spid %d", b->len ? "  " : "", target->pid);
	if (target->runtime) {
		strbuf_puts(b, "  ");
		strbuf_puts(b, text_runtime(target));
	}
	if (target->runtime_version) {
		strbuf_puts(b, " ");
		strbuf_puts(b, target->runtime_version);
	}
}

void head_title(struct tui *t, const struct recording *rec, int row)
{
	struct canvas *c = &t->canvas;
	struct strbuf left = { 0 }, right = { 0 };
	struct spot at = { row, 0, c->columns, TONE_DIM };
	int used;

	put_short(&right, t->model.figures.duration / 1000000000 * 1000000000);
	strbuf_puts(&right, !t->config.live ? "  recording" : t->paused ? "  PAUSED" : "  live");
	used = canvas_measure(c, right.s);
	at.tone = t->paused ? TONE_STRONG : TONE_DIM;
	canvas_put_right(c, at, right.s);
	put_target(&left, &rec->target);
	at.tone = TONE_TITLE;
	at.width -= used + 2;
	at.column += canvas_put(c, at, "lagprof") + 2;
	at.width -= at.column;
	at.tone = TONE_PLAIN;
	canvas_put(c, at, left.s);
	strbuf_destroy(&left);
	strbuf_destroy(&right);
}

/* The row of figures while it is being put together. */
struct figure_row {
	struct canvas *c;
	struct spot at;
	bool tight; /* no blank inside values, one between those of a group */
};

/* Puts "name value" if all of it fits; takes value's text. */
static void put_figure(struct figure_row *row, const char *name, struct strbuf *value, bool grouped)
{
	int gap = row->at.column == 0 ? 0 : grouped && row->tight ? 1 : 2;
	struct spot at = row->at;
	struct strbuf b = { 0 };

	for (const char *s = value->s; *s; s++)
		if (*s != ' ' || !row->tight)
			strbuf_add(&b, s, 1);
	if (gap + canvas_measure(row->c, name) + 1 + canvas_measure(row->c, b.s) <= at.width) {
		at.column += gap;
		at.tone = TONE_DIM;
		at.column += canvas_put(row->c, at, name) + 1;
		at.tone = row->at.tone;
		at.column += canvas_put(row->c, at, b.s);
		row->at.width -= at.column - row->at.column;
		row->at.column = at.column;
	}
	strbuf_destroy(&b);
	strbuf_destroy(value);
}

static void put_lag(struct figure_row *row, const char *name, nsec lag)
{
	struct strbuf b = { 0 };

	strbuf_duration(&b, lag);
	row->at.tone = tone_of_lag(lag);
	put_figure(row, name, &b, true);
}

static void put_share(struct figure_row *row, const char *name, double share, enum tone tone)
{
	struct strbuf b = { 0 };

	strbuf_printf(&b, share > 0 && share < 0.0995 ? "%.1f %%" : "%.0f %%", share * 100);
	row->at.tone = tone;
	put_figure(row, name, &b, false);
}

static void put_lags(struct figure_row *row, const struct figures *f, bool medium)
{
	if (medium)
		put_lag(row, "lag p50", f->p50);
	put_lag(row, medium ? "p99" : "lag p99", f->p99);
	put_lag(row, "max", f->max);
}

void head_lag(struct tui *t, int row)
{
	enum { NARROW = 46, MEDIUM = 70, WIDE = 100 };
	const struct figures *f = &t->model.figures;
	struct canvas *c = &t->canvas;
	struct figure_row figures = { c, { row, 0, c->columns, TONE_PLAIN }, c->columns < WIDE };
	bool medium = c->columns >= MEDIUM;
	struct strbuf b = { 0 };

	/* Nothing was seen, which is not the same as nothing lagged. */
	if (f->turns == 0 && f->max == 0) {
		strbuf_puts(&b, "unknown: no turn yet");
		put_figure(&figures, "lag", &b, false);
	} else {
		put_lags(&figures, f, medium);
		if (c->columns >= NARROW)
			put_share(&figures, "busy", f->busy, TONE_PLAIN);
		put_share(&figures, "blocked", f->blocked,
			  f->blocked >= 0.02 ? TONE_INCIDENT
			  : f->stalls        ? TONE_NOTICE
					     : TONE_GOOD);
	}
	figures.at.tone = f->lost_samples + f->lost_turns ? TONE_WARNING : TONE_PLAIN;
	strbuf_count(&b, f->lost_samples + f->lost_turns);
	put_figure(&figures, "lost", &b, false);
	put_share(&figures, "overhead", f->own, TONE_PLAIN);
}

/* 0 (nothing known) to 8 * rows; a decade of lag from 1 ms to 10 s is a quarter of it. */
static int bar_height(nsec lag, int rows)
{
	double decades = lag > 1000000 ? log10((double)lag / 1e6) : 0;
	int height = (int)lround(decades / 4 * 8 * rows);

	if (lag == 0)
		return 0;
	return height < 1 ? 1 : height > 8 * rows ? 8 * rows : height;
}

/* The part of a bar of that height that lies in the cell `above` cells over the lowest. */
static uint32_t bar_glyph(int height, int above, bool ascii)
{
	static const char ramp[] = " .:-=+*#@";
	int part = height - above * 8;

	part = part < 0 ? 0 : part > 8 ? 8 : part;
	if (ascii)
		return (uint32_t)ramp[part];
	return part ? 0x2580 + (uint32_t)part : ' ';
}

static void draw_bar(struct canvas *c, struct spot at, nsec lag, int rows)
{
	at.tone = tone_of_lag(lag);
	for (int above = 0; above < rows; above++) {
		uint32_t glyph = bar_glyph(bar_height(lag, rows), above, c->ascii);

		if (glyph != ' ')
			canvas_fill(c,
				    (struct spot){ at.row - above, at.column, at.width, at.tone },
				    glyph);
	}
}

void head_spark(struct tui *t, int row, int rows)
{
	const struct history *h = &t->model.history;
	struct canvas *c = &t->canvas;
	int label = 6, seconds = c->columns >= label + 60 ? 60 : 30;
	int each = (c->columns - label) / 60 > 1 ? (c->columns - label) / 60 : 1;
	struct spot at = { row + rows - 1, 0, label, TONE_DIM };
	struct strbuf b = { 0 };
	nsec worst = 0;

	canvas_printf(c, at, "%d s", seconds);
	at.column = label;
	at.width = each;
	for (int ago = seconds; ago-- > 0; at.column += each) {
		nsec lag = history_get(h, (uint64_t)ago);

		worst = lag > worst ? lag : worst;
		draw_bar(c, at, lag, rows);
	}
	at.column += 2;
	at.width = c->columns - at.column;
	at.tone = tone_of_lag(worst);
	strbuf_puts(&b, "worst ");
	strbuf_duration(&b, worst);
	if (worst && canvas_measure(c, b.s) <= at.width)
		canvas_put(c, at, b.s);
	strbuf_destroy(&b);
}

void head_open(struct tui *t, const struct recording *rec, int row)
{
	const struct open_stall *open = &t->model.open;
	struct canvas *c = &t->canvas;
	struct strbuf b = { 0 };

	strbuf_puts(&b, " BLOCKED for ");
	strbuf_duration(&b, open->duration);
	strbuf_puts(&b, separator(c->ascii));
	if (open->what.frame != NO_FRAME) {
		strbuf_place(&b, rec, recording_get_frame(rec, open->what.frame));
		strbuf_puts(&b, separator(c->ascii));
	}
	if (open->what.title && !title_is_place(rec, &open->what)) {
		strbuf_puts_visible(&b, open->what.title);
		strbuf_puts(&b, separator(c->ascii));
	}
	strbuf_puts(&b, cause_info[open->what.cause].id);
	canvas_put(c, (struct spot){ row, 0, c->columns, TONE_INCIDENT }, b.s);
	canvas_reverse(c, row, 0, c->columns);
	strbuf_destroy(&b);
}

static void put_stalls(struct tui *t, int row, int used)
{
	const struct figures *f = &t->model.figures;
	struct canvas *c = &t->canvas;
	struct spot at = { row, used + 1, c->columns - used - 1, TONE_PLAIN };
	struct strbuf b = { 0 };

	if (t->filter[0] && t->mode != MODE_FILTER) {
		strbuf_puts(&b, "/");
		strbuf_puts_visible(&b, t->filter);
		strbuf_puts(&b, "  ");
	}
	strbuf_count(&b, f->stalls);
	strbuf_puts(&b, f->stalls == 1 ? " stall" : " stalls");
	/* The threshold was raised meanwhile. */
	strbuf_puts(&b, f->shorter ? ", now from " : " of ");
	strbuf_duration(&b, f->threshold);
	strbuf_puts(&b, f->shorter ? " on" : " or more");
	at.tone = f->stalls ? TONE_PLAIN : TONE_GOOD;
	if (canvas_measure(c, b.s) <= at.width)
		canvas_put_right(c, at, b.s);
	strbuf_destroy(&b);
}

void head_tabs(struct tui *t, int row)
{
	struct canvas *c = &t->canvas;
	struct spot at = { row, 0, c->columns, TONE_DIM };

	for (int i = 0; i < VIEWS; i++) {
		bool here = t->view == (enum view_id)i;
		struct strbuf b = { 0 };

		at.tone = here ? TONE_STRONG : TONE_DIM;
		strbuf_printf(&b, here ? "[%s]" : " %s ", views[i]->name);
		at.width = c->columns - at.column;
		at.column += canvas_put(c, at, b.s);
		strbuf_destroy(&b);
	}
	put_stalls(t, row, at.column);
}
