#include "report/tui/view.h"

#include <math.h>

#include "core/units.h"
#include "report/place.h"
#include "report/text.h"

/* The loops, and for the selected one how its lag is spread, where stalled time went, the pool. */

static const struct loop *loop_of(const struct list_line *line)
{
	return line->rec->loops[line->id];
}

static void put(const struct list_line *line, struct spot at, bool right, struct strbuf *b)
{
	if (right)
		canvas_put_right(&line->t->canvas, at, b->s);
	else
		canvas_put(&line->t->canvas, at, b->s);
	strbuf_destroy(b);
}

static void draw_tid(const struct list_line *line, struct spot at)
{
	struct strbuf b = { 0 };

	strbuf_printf(&b, "%d", loop_of(line)->tid);
	put(line, at, true, &b);
}

static void draw_name(const struct list_line *line, struct spot at)
{
	struct strbuf b = { 0 };

	strbuf_puts(&b, loop_of(line)->name ? loop_of(line)->name : "?");
	at.tone = TONE_STRONG;
	put(line, at, false, &b);
}

static void draw_kind(const struct list_line *line, struct spot at)
{
	struct strbuf b = { 0 };

	strbuf_puts(&b, text_loop_kind(loop_of(line)->kind));
	put(line, at, false, &b);
}

static void draw_turns(const struct list_line *line, struct spot at)
{
	struct strbuf b = { 0 };

	strbuf_count(&b, loop_of(line)->turns);
	put(line, at, true, &b);
}

static void draw_busy(const struct list_line *line, struct spot at)
{
	const struct loop *loop = loop_of(line);
	nsec all = loop->busy + loop->polled;
	struct strbuf b = { 0 };

	strbuf_printf(&b, "%.0f %%", all ? 100 * (double)loop->busy / (double)all : 0);
	put(line, at, true, &b);
}

static void put_lag(const struct list_line *line, struct spot at, nsec lag)
{
	struct strbuf b = { 0 };

	put_short(&b, lag);
	at.tone = tone_of_lag(lag);
	put(line, at, true, &b);
}

static void draw_p50(const struct list_line *line, struct spot at)
{
	put_lag(line, at, hist_quantile(&loop_of(line)->lag, 0.5));
}

static void draw_p99(const struct list_line *line, struct spot at)
{
	put_lag(line, at, hist_quantile(&loop_of(line)->lag, 0.99));
}

static void draw_max(const struct list_line *line, struct spot at)
{
	put_lag(line, at, loop_of(line)->lag.max);
}

static void draw_stalls(const struct list_line *line, struct spot at)
{
	struct strbuf b = { 0 };
	uint32_t n = 0;

	for (size_t i = 0; i < line->rec->n_stalls; i++)
		n += line->rec->stalls[i].loop == line->id;
	strbuf_count(&b, n);
	put(line, at, true, &b);
}

static const struct column columns[] = {
	/* clang-format off */
	{ "TID",      7, 60, -1, draw_tid },
	{ "STALLS",   6,  0, -1, draw_stalls },
	{ "P50",      7, 50, -1, draw_p50 },
	{ "P99",      7,  0, -1, draw_p99 },
	{ "MAX",      7,  0, -1, draw_max },
	{ "BUSY",     5, 50, -1, draw_busy },
	{ "TURNS",   11, 70, -1, draw_turns },
	{ "KIND",    -8, 70, -1, draw_kind },
	{ "NAME",     0,  0, -1, draw_name },
	/* clang-format on */
};

static void list(struct tui *t, const struct recording *rec)
{
	uint32_t *ids = tui_ids(t, rec->n_loops);

	for (uint32_t i = 0; i < rec->n_loops; i++)
		ids[t->n_ids++] = i;
}

static void add_heading(struct tui *t, const char *text)
{
	lines_add(&t->details, TONE_STRONG, 1, text);
}

/* A bar for a part of the whole, `room` columns long where it is all. */
static void add_bar(struct tui *t, const char *text, double part, int room, enum tone tone)
{
	enum { BARS = 32 };
	int n = (int)lround(part * (double)room);
	struct strbuf bar = { 0 };

	lines_add(&t->details, TONE_PLAIN, 3, text);
	for (int i = 0; i < n || (i == 0 && part > 0); i++)
		strbuf_puts(&bar, t->canvas.ascii ? "=" : "\u25a0");
	if (bar.len)
		lines_beside(&t->details, BARS, bar.s, tone);
	strbuf_destroy(&bar);
}

/* Turns by their length; bars grow with the digits of the count. */
static void add_spread(struct tui *t, const struct loop *loop, int room)
{
	static const nsec limits[] = { 1000000, 5000000, 20000000, 50000000, 100000000, 500000000 };
	enum { ROWS = sizeof(limits) / sizeof(limits[0]) + 1 };
	uint64_t counts[ROWS] = { 0 };
	size_t row = 0;

	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		while (row < ROWS - 1 && hist_bucket_upper(i) >= limits[row])
			row++;
		counts[row] += loop->lag.count[i];
	}
	add_heading(t, "Turns by lag");
	for (row = 0; row < ROWS; row++) {
		struct strbuf b = { 0 };
		nsec limit = limits[row < ROWS - 1 ? row : ROWS - 2];
		double part =
			loop->lag.n ? log2(1 + (double)counts[row]) / log2(1 + (double)loop->lag.n)
				    : 0;

		strbuf_printf(&b, "%s %3.0f ms %12lu",
			      row < ROWS - 1 ? " <" : ">=", (double)limit / 1e6,
			      (unsigned long)counts[row]);
		add_bar(t, b.s, part, room,
			row == 0 ? TONE_GOOD : tone_of_lag(row < ROWS - 1 ? limit - 1 : limit));
		strbuf_destroy(&b);
	}
}

/* Where the loop's stalled time went. */
static void add_split(struct tui *t, const struct recording *rec, uint32_t loop, int room)
{
	static const char *const names[] = { "running on a CPU", "waiting for a CPU", "blocked",
					     "stopped" };
	nsec parts[4] = { 0 }, all = 0;

	for (size_t i = 0; i < rec->n_stalls; i++) {
		const struct stall *s = &rec->stalls[i];

		if (s->loop != loop)
			continue;
		parts[0] += s->running;
		parts[1] += s->runnable;
		parts[2] += s->blocked;
		parts[3] += s->stopped;
		all += s->duration;
	}
	if (!all)
		return;
	add_heading(t, "Stalled time");
	for (int i = 0; i < 4; i++) {
		double part = (double)parts[i] / (double)all;
		struct strbuf b = { 0 };

		strbuf_printf(&b, "%-17s %6.1f %%", names[i], 100 * part);
		add_bar(t, b.s, part, room, i == 1 ? TONE_WARNING : TONE_NOTICE);
		strbuf_destroy(&b);
	}
}

static void detail(struct tui *t, const struct recording *rec, int width, struct strbuf *title)
{
	enum { ROOM = 40 };
	uint32_t id = t->ids[t->selected[VIEW_THREADS]];
	const struct loop *loop = rec->loops[id];
	int room = width - 34 < ROOM ? width - 34 : ROOM;

	strbuf_printf(title, "%s loop, tid %d", text_loop_kind(loop->kind), loop->tid);
	put_report(t, &t->details, rec, text_threadpool);
	add_split(t, rec, id, room);
	add_spread(t, loop, room);
}

const struct view view_threads = {
	.name = "Threads",
	.columns = columns,
	.n_columns = sizeof(columns) / sizeof(columns[0]),
	.empty = "no thread was seen to poll yet",
	.list = list,
	.detail = detail,
};
