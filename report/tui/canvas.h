#ifndef LAGPROF_REPORT_TUI_CANVAS_H
#define LAGPROF_REPORT_TUI_CANVAS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A screen's worth of characters, drawn without a terminal: what is put into it
 * is clipped to its place by display columns and can hold no control character,
 * whatever the text says.  A character is as wide as wcwidth() has it, which is
 * what ncurses goes by: the caller has set LC_CTYPE, unless `ascii`.
 */
enum tone {
	TONE_PLAIN,
	TONE_DIM,
	TONE_STRONG,
	TONE_TITLE,
	TONE_GOOD,
	TONE_NOTICE,   /* 20 ms */
	TONE_WARNING,  /* 50 ms */
	TONE_INCIDENT, /* 100 ms */
	TONES
};

enum { CELL_MARKS = 2 };

struct cell {
	uint32_t point;             /* ' ' where nothing was put */
	uint32_t marks[CELL_MARKS]; /* combining characters; 0: none */
	uint8_t columns;            /* 1, or 2; 0: the right half of the cell before it */
	uint8_t tone;
	bool reverse;
};

struct canvas {
	int rows, columns;
	bool ascii;         /* other characters are shown as '?' */
	struct cell *cells; /* row by row */
};

/* Where a text goes: at most `width` columns from there, and none beyond the canvas. */
struct spot {
	int row, column, width;
	enum tone tone;
};

/* All cells blank; keeps `ascii`. */
void canvas_reset(struct canvas *c, int rows, int columns);
void canvas_destroy(struct canvas *c);
const struct cell *canvas_cell(const struct canvas *c, int row, int column);

/*
 * Puts UTF-8 text, hostile or not; what does not fit is cut and ends with an
 * ellipsis.  Returns how many columns it took.
 */
int canvas_put(struct canvas *c, struct spot at, const char *text);
/* The same, ending at the spot's right edge. */
int canvas_put_right(struct canvas *c, struct spot at, const char *text);
int canvas_printf(struct canvas *c, struct spot at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Columns that canvas_put() would need for all of it. */
int canvas_measure(const struct canvas *c, const char *text);
/* One character repeated over the spot's width. */
void canvas_fill(struct canvas *c, struct spot at, uint32_t point);
/* Light on dark becomes dark on light. */
void canvas_reverse(struct canvas *c, int row, int column, int width);

/* The rows as text, without the blanks at their ends; with ANSI colors if wanted. */
void canvas_print(const struct canvas *c, FILE *out, bool color);

#endif
