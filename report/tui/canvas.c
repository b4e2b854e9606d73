#include "report/tui/canvas.h"

#include <stdarg.h>
#include <stdlib.h>
#include <wchar.h>

#include "core/strings.h"
#include "core/utf8.h"

void canvas_reset(struct canvas *c, int rows, int columns)
{
	size_t n = (size_t)rows * (size_t)columns;

	if (rows != c->rows || columns != c->columns) {
		free(c->cells);
		c->cells = xcalloc(n + 1, sizeof(*c->cells));
		c->rows = rows;
		c->columns = columns;
	}
	for (size_t i = 0; i < n; i++)
		c->cells[i] = (struct cell){ .point = ' ', .columns = 1 };
}

void canvas_destroy(struct canvas *c)
{
	free(c->cells);
	c->cells = NULL;
	c->rows = c->columns = 0;
}

static struct cell *cell_at(const struct canvas *c, int row, int column)
{
	return &c->cells[(size_t)row * (size_t)c->columns + (size_t)column];
}

const struct cell *canvas_cell(const struct canvas *c, int row, int column)
{
	return cell_at(c, row, column);
}

/* What is left of a spot inside the canvas; width 0: nothing. */
static struct spot clip(const struct canvas *c, struct spot at)
{
	if (at.row < 0 || at.row >= c->rows || at.column < 0 || at.column >= c->columns)
		at.width = 0;
	else if (at.width > c->columns - at.column)
		at.width = c->columns - at.column;
	if (at.width < 0)
		at.width = 0;
	return at;
}

/*
 * The next character of visible text: how many columns it takes (0: it joins
 * the one before it).  Moves *s on.
 */
static int next_point(const struct canvas *c, const char **s, size_t *left, uint32_t *point)
{
	size_t n = utf8_decode(*s, *left, point);
	int width;

	n = n ? n : 1;
	*s += n;
	*left -= n;
	if (*point < 0x80)
		return 1;
	width = c->ascii ? -1 : wcwidth((wchar_t)*point);
	if (width >= 0)
		return width;
	*point = '?';
	return 1;
}

static int measure(const struct canvas *c, const struct strbuf *text)
{
	const char *s = text->s;
	size_t left = text->len;
	uint32_t point;
	int columns = 0;

	while (left > 0)
		columns += next_point(c, &s, &left, &point);
	return columns;
}

int canvas_measure(const struct canvas *c, const char *text)
{
	struct strbuf visible = { 0 };
	int columns;

	strbuf_puts_visible(&visible, text);
	columns = measure(c, &visible);
	strbuf_destroy(&visible);
	return columns;
}

static void add_mark(struct cell *cell, uint32_t point)
{
	for (int i = 0; i < CELL_MARKS; i++) {
		if (cell->marks[i])
			continue;
		cell->marks[i] = point;
		return;
	}
}

/* A wide character that is half overwritten leaves a blank. */
static void blank_halves(struct canvas *c, int row, int column, int width)
{
	struct cell *first = cell_at(c, row, column);

	if (first->columns == 0 && column > 0) {
		first[-1].point = ' ';
		first[-1].columns = 1;
	}
	if (column + width < c->columns && first[width].columns == 0) {
		first[width].point = ' ';
		first[width].columns = 1;
	}
}

static void set_cell(struct canvas *c, const struct spot *at, uint32_t point, int width)
{
	struct cell *cell = cell_at(c, at->row, at->column);

	blank_halves(c, at->row, at->column, width);
	*cell = (struct cell){ .point = point, .columns = (uint8_t)width, .tone = at->tone };
	if (width == 2)
		cell[1] = (struct cell){ .point = ' ', .columns = 0, .tone = at->tone };
}

/* Puts text that is visible; `all` are its columns. */
static int put_visible(struct canvas *c, struct spot at, const struct strbuf *text, int all)
{
	int room = all > at.width ? at.width - 1 : at.width, used = 0;
	const char *s = text->s;
	size_t left = text->len;
	uint32_t point;

	while (left > 0) {
		int width = next_point(c, &s, &left, &point);
		struct spot here = { at.row, at.column + used, width, at.tone };

		if (width == 0) {
			if (used > 0)
				add_mark(cell_at(c, at.row, at.column + used - 1), point);
			continue;
		}
		if (used + width > room)
			break;
		set_cell(c, &here, point, width);
		used += width;
	}
	if (all <= at.width)
		return used;
	at.column += used;
	set_cell(c, &at, c->ascii ? '~' : 0x2026, 1);
	return used + 1;
}

int canvas_put(struct canvas *c, struct spot at, const char *text)
{
	struct strbuf visible = { 0 };
	int used = 0;

	at = clip(c, at);
	strbuf_puts_visible(&visible, text);
	if (at.width > 0)
		used = put_visible(c, at, &visible, measure(c, &visible));
	strbuf_destroy(&visible);
	return used;
}

int canvas_put_right(struct canvas *c, struct spot at, const char *text)
{
	int columns = canvas_measure(c, text);

	if (columns < at.width) {
		at.column += at.width - columns;
		at.width = columns;
	}
	return canvas_put(c, at, text);
}

int canvas_printf(struct canvas *c, struct spot at, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return canvas_put(c, at, text);
}

void canvas_fill(struct canvas *c, struct spot at, uint32_t point)
{
	at = clip(c, at);
	for (; at.width > 0; at.width--, at.column++)
		set_cell(c, &at, point, 1);
}

void canvas_reverse(struct canvas *c, int row, int column, int width)
{
	struct spot at = clip(c, (struct spot){ row, column, width, TONE_PLAIN });

	for (int i = 0; i < at.width; i++)
		cell_at(c, row, column + i)->reverse = true;
}

static void put_utf8(FILE *out, uint32_t point)
{
	char bytes[4];

	fwrite(bytes, 1, utf8_encode(point, bytes), out);
}

static const char *const tone_codes[TONES] = {
	[TONE_PLAIN] = "0",      [TONE_DIM] = "0;2",       [TONE_STRONG] = "0;1",
	[TONE_TITLE] = "0;1;36", [TONE_GOOD] = "0;32",     [TONE_NOTICE] = "0;33",
	[TONE_WARNING] = "0;35", [TONE_INCIDENT] = "0;31",
};

static void print_row(const struct canvas *c, int row, FILE *out, bool color)
{
	const struct cell *cells = cell_at(c, row, 0);
	int end = c->columns, tone = TONE_PLAIN;

	while (end > 0 && cells[end - 1].point == ' ' && cells[end - 1].columns == 1)
		end--;
	for (int i = 0; i < end; i++) {
		if (color && cells[i].tone != tone) {
			tone = cells[i].tone;
			fprintf(out, "\033[%sm", tone_codes[tone]);
		}
		if (cells[i].columns == 0)
			continue;
		put_utf8(out, cells[i].point);
		for (int m = 0; m < CELL_MARKS && cells[i].marks[m]; m++)
			put_utf8(out, cells[i].marks[m]);
	}
	fputs(tone != TONE_PLAIN ? "\033[0m\n" : "\n", out);
}

void canvas_print(const struct canvas *c, FILE *out, bool color)
{
	for (int row = 0; row < c->rows; row++)
		print_row(c, row, out, color);
}
