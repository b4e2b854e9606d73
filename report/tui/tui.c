#include "report/tui/view.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report/tui/keys.h"

const struct view *const views[VIEWS] = {
	[VIEW_CULPRITS] = &view_culprits,
	[VIEW_STALLS] = &view_stalls,
	[VIEW_THREADS] = &view_threads,
	[VIEW_TARGET] = &view_target,
};

struct tui *tui_new(const struct tui_config *config)
{
	struct tui *t = xcalloc(1, sizeof(*t));

	t->config = *config;
	t->canvas.ascii = config->ascii;
	t->followed = UINT32_MAX;
	t->behind = true;
	return t;
}

void tui_free(struct tui *t)
{
	if (!t)
		return;
	model_destroy(&t->model);
	canvas_destroy(&t->canvas);
	lines_destroy(&t->lines);
	lines_destroy(&t->details);
	strbuf_destroy(&t->output);
	free(t->ids);
	free(t);
}

uint32_t *tui_ids(struct tui *t, size_t n)
{
	if (n > t->cap_ids || !t->ids) {
		t->cap_ids = n + 64;
		t->ids = xrealloc(t->ids, t->cap_ids, sizeof(*t->ids));
	}
	t->n_ids = 0;
	return t->ids;
}

void tui_stall(struct tui *t, const struct recording *rec, const struct stall *stall,
	       const struct stall_diagnosis *d, const char *title)
{
	if (!stall->open)
		t->behind = true;
	if (!t->paused)
		model_stall(&t->model, rec, stall, d, title);
}

void tui_tick(struct tui *t, const struct recording *rec)
{
	if (t->message_ticks > 0 && --t->message_ticks == 0)
		t->message[0] = '\0';
	if (t->paused)
		return;
	model_tick(&t->model, rec);
	if (t->config.live)
		history_turns(&t->model.history, rec, rec->session.duration);
	else
		model_past(&t->model, rec);
}

void tui_output(struct tui *t, const char *text, size_t len)
{
	strbuf_destroy(&t->output);
	strbuf_add(&t->output, text, len);
}

void tui_diagnosis(struct tui *t, const struct recording *rec, const struct diagnosis *d)
{
	struct culprit followed = { .frame = NO_FRAME };
	bool follows = t->view == VIEW_CULPRITS && t->followed < t->model.n_culprits;

	if (follows)
		followed = t->model.culprits[t->followed];
	t->behind = false;
	model_diagnosis(&t->model, rec, d);
	if (follows)
		t->followed = model_find(&t->model, rec, followed.cause, followed.frame);
}

void tui_say(struct tui *t, const char *fmt, ...)
{
	enum { TICKS = 6 };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->message, sizeof(t->message), fmt, ap);
	va_end(ap);
	t->message_ticks = TICKS;
}

bool tui_paused(const struct tui *t)
{
	return t->paused;
}

bool tui_behind(const struct tui *t, const struct recording *rec)
{
	return t->behind;
}

/* Rows of the screen; -1 where there is none. */
struct layout {
	int title, lag, spark, spark_rows, open, tabs, heading, list, list_rows, rule, detail,
		detail_rows, foot;
};

/* A list and the pane below it share what is left: the list gets what it needs, up to a half. */
static void share_rows(struct layout *l, size_t lines, int left)
{
	enum { LEAST = 4, BOTH = 10 };
	int most = left * 4 / 9;

	l->list_rows = left;
	if (left < BOTH)
		return;
	l->list_rows = lines < (size_t)most ? (int)lines : most;
	if (l->list_rows < LEAST)
		l->list_rows = LEAST;
	l->rule = l->list + l->list_rows;
	l->detail_rows = left - l->list_rows - 1;
}

static struct layout lay_out(const struct tui *t, int rows)
{
	bool table = views[t->view]->columns != NULL, full = table && t->mode == MODE_DETAIL;
	struct layout l = { .open = -1, .spark = -1, .heading = -1, .rule = -1, .foot = rows - 1 };
	int row = 0;

	l.title = row++;
	l.lag = row++;
	l.spark_rows = rows >= 36 ? 4 : rows >= 30 ? 2 : rows >= 9 ? 1 : 0;
	if (l.spark_rows) {
		l.spark = row;
		row += l.spark_rows;
	}
	if (t->model.open.is)
		l.open = row++;
	l.tabs = row++;
	if (table && !full)
		l.heading = row++;
	l.list = row;
	if (full) {
		l.rule = row;
		l.detail_rows = l.foot - row - 1;
	} else if (table) {
		share_rows(&l, t->n_ids, l.foot - row);
	} else {
		l.list_rows = l.foot - row;
	}
	l.detail = l.rule + 1;
	return l;
}

/* Keeps the selected line on the list and on the screen. */
static void settle_selection(struct tui *t, int rows)
{
	size_t *selected = &t->selected[t->view], *top = &t->top[t->view];
	size_t n = views[t->view]->columns ? t->n_ids : t->lines.n,
	       page = rows > 0 ? (size_t)rows : 1;

	t->page = (int)page;
	if (!views[t->view]->columns) {
		/* Text scrolls by its first line. */
		if (*selected + page > n)
			*selected = n > page ? n - page : 0;
		*top = *selected;
		return;
	}
	for (size_t i = 0; t->followed != UINT32_MAX && i < n; i++)
		if (t->ids[i] == t->followed)
			*selected = i;
	if (*selected >= n)
		*selected = n ? n - 1 : 0;
	if (*selected < *top)
		*top = *selected;
	if (*selected >= *top + page)
		*top = *selected - page + 1;
	if (*top + page > n)
		*top = n > page ? n - page : 0;
}

/* The spot of a column, or one of width 0; moves *at to the next. */
static struct spot place_column(const struct canvas *c, const struct column *column,
				struct spot *at)
{
	struct spot here = *at;

	if (c->columns < column->since)
		here.width = 0;
	else if (column->width)
		here.width = abs(column->width);
	else
		here.width = c->columns - at->column;
	if (here.width)
		at->column += here.width + 1;
	return here;
}

static void draw_heading(struct tui *t, int row)
{
	const struct view *view = views[t->view];
	struct spot at = { row, 0, 0, TONE_DIM };

	for (size_t i = 0; i < view->n_columns; i++) {
		const struct column *column = &view->columns[i];
		struct spot here = place_column(&t->canvas, column, &at);
		struct strbuf b = { 0 };

		if (!here.width)
			continue;
		strbuf_puts(&b, column->heading);
		if (column->sort == (int)t->sort) {
			here.tone = TONE_STRONG;
			strbuf_puts(&b, t->canvas.ascii  ? ""
					: t->upside_down ? "\u25b4"
							 : "\u25be");
		}
		if (column->width > 0)
			canvas_put_right(&t->canvas, here, b.s);
		else
			canvas_put(&t->canvas, here, b.s);
		strbuf_destroy(&b);
	}
}

static void draw_line(struct tui *t, const struct recording *rec, size_t index, int row)
{
	const struct view *view = views[t->view];
	struct list_line line = { .t = t, .rec = rec, .id = t->ids[index] };
	struct spot at = { row, 0, 0, TONE_PLAIN };

	line.dim = view->dim && view->dim(t, rec, line.id);
	for (size_t i = 0; i < view->n_columns; i++) {
		struct spot here = place_column(&t->canvas, &view->columns[i], &at);

		if (here.width)
			view->columns[i].draw(&line, here);
	}
	if (index == t->selected[t->view])
		canvas_reverse(&t->canvas, row, 0, t->canvas.columns);
}

static const char *why_empty(const struct tui *t)
{
	if (t->filter[0])
		return "nothing matches the filter; Esc shows all";
	if (views[t->view]->empty)
		return views[t->view]->empty;
	if (!t->config.live)
		return "no stall in this recording";
	return t->model.figures.turns ? "no stall yet: the loop turns freely"
				      : "waiting for the loop's first turn";
}

static void draw_empty(struct tui *t, int row)
{
	canvas_put(&t->canvas, (struct spot){ row, 2, t->canvas.columns - 2, TONE_DIM },
		   why_empty(t));
}

/* What the view lists, or its text. */
static void fill(struct tui *t, const struct recording *rec, int columns)
{
	const struct view *view = views[t->view];

	if (view->columns) {
		view->list(t, rec);
	} else {
		lines_clear(&t->lines);
		view->write(t, rec, columns);
	}
}

static void draw_list(struct tui *t, const struct recording *rec, const struct layout *l)
{
	settle_selection(t, l->list_rows);
	if (!views[t->view]->columns) {
		lines_draw(&t->lines, &t->canvas, t->top[t->view], l->list, l->list_rows);
		return;
	}
	if (l->heading >= 0)
		draw_heading(t, l->heading);
	if (t->n_ids == 0 && l->list_rows > 0)
		draw_empty(t, l->list);
	for (int i = 0; i < l->list_rows && t->top[t->view] + (size_t)i < t->n_ids; i++)
		draw_line(t, rec, t->top[t->view] + (size_t)i, l->list + i);
}

/* "-- title ------". */
static void draw_rule(struct tui *t, int row, const char *title)
{
	struct canvas *c = &t->canvas;
	struct spot at = { row, 0, c->columns, TONE_DIM };

	canvas_fill(c, at, c->ascii ? '-' : 0x2500);
	if (!title)
		return;
	at = (struct spot){ row, 3, c->columns - 6, TONE_TITLE };
	canvas_put(c, (struct spot){ row, 2, 1, TONE_PLAIN }, " ");
	at.column += canvas_put(c, at, title);
	canvas_put(c, (struct spot){ row, at.column, 1, TONE_PLAIN }, " ");
}

static void draw_detail(struct tui *t, const struct recording *rec, const struct layout *l)
{
	const struct view *view = views[t->view];
	struct strbuf title = { 0 };
	size_t rows = l->detail_rows > 0 ? (size_t)l->detail_rows : 0;

	lines_clear(&t->details);
	if (t->n_ids > 0)
		view->detail(t, rec, t->canvas.columns, &title);
	if (t->detail_top + rows > t->details.n)
		t->detail_top = t->details.n > rows ? t->details.n - rows : 0;
	draw_rule(t, l->rule, title.s);
	lines_draw(&t->details, &t->canvas, t->mode == MODE_DETAIL ? t->detail_top : 0, l->detail,
		   l->detail_rows);
	if (t->mode == MODE_DETAIL)
		t->page = l->detail_rows;
	strbuf_destroy(&title);
}

/* Too small for anything but a word. */
static void draw_tiny(struct tui *t, int rows, int columns)
{
	const struct figures *f = &t->model.figures;
	struct strbuf b = { 0 };

	canvas_reset(&t->canvas, rows, columns);
	strbuf_printf(&b, "%u stalls", f->stalls);
	canvas_put(&t->canvas, (struct spot){ 0, 0, columns, TONE_STRONG }, b.s);
	canvas_put(&t->canvas, (struct spot){ 1, 0, columns, TONE_DIM }, "38x8 shows more");
	strbuf_destroy(&b);
}

const struct canvas *tui_draw(struct tui *t, const struct recording *rec, int rows, int columns)
{
	enum { ROWS = 7, COLUMNS = 30, MOST = 1000 };
	struct layout l;

	rows = rows < 1 ? 1 : rows > MOST ? MOST : rows;
	columns = columns < 1 ? 1 : columns > MOST ? MOST : columns;
	if (rows < ROWS || columns < COLUMNS) {
		draw_tiny(t, rows, columns);
		return &t->canvas;
	}
	canvas_reset(&t->canvas, rows, columns);
	fill(t, rec, columns);
	l = lay_out(t, rows);
	head_title(t, rec, l.title);
	head_lag(t, l.lag);
	if (l.spark >= 0)
		head_spark(t, l.spark, l.spark_rows);
	if (l.open >= 0)
		head_open(t, rec, l.open);
	head_tabs(t, l.tabs);
	if (t->mode == MODE_HELP) {
		help_draw(t, l.tabs + 1, l.foot - l.tabs - 1);
	} else {
		draw_list(t, rec, &l);
		if (l.rule >= 0)
			draw_detail(t, rec, &l);
	}
	foot_draw(t, l.foot);
	return &t->canvas;
}
