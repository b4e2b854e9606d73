#ifndef LAGPROF_REPORT_TUI_LINES_H
#define LAGPROF_REPORT_TUI_LINES_H

#include <stddef.h>

#include "report/tui/canvas.h"

/* Lines of text for a pane. */
struct text_line {
	char *text;   /* owned */
	char *beside; /* owned; from column `at` on, or after the text; NULL: none */
	int indent, at;
	bool place; /* beside is a place: where it is too long its end is shown */
	enum tone tone, beside_tone;
};

struct lines {
	struct text_line *v;
	size_t n, cap;
};

/* Texts are copied. */
void lines_add(struct lines *l, enum tone tone, int indent, const char *text);
/* The last line gets a second part. */
void lines_beside(struct lines *l, int at, const char *text, enum tone tone);
/* The same with a place. */
void lines_place(struct lines *l, int at, const char *text, enum tone tone);
/* As many lines as it takes, broken at spaces. */
void lines_wrap(struct lines *l, const struct canvas *c, struct spot at, const char *text);
void lines_clear(struct lines *l);
void lines_destroy(struct lines *l);
/* Draws the lines from `first` on into `rows` rows. */
void lines_draw(const struct lines *l, struct canvas *c, size_t first, int row, int rows);

#endif
