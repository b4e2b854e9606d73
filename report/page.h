#ifndef LAGPROF_REPORT_PAGE_H
#define LAGPROF_REPORT_PAGE_H

#include "report/renderer.h"

/* Lines of text, wrapped to the terminal's width where there is one. */
struct page {
	FILE *out;
	int width; /* 0: no limit */
	bool color;
};

enum ink { INK_NONE, INK_DIM, INK_BOLD, INK_GREEN, INK_YELLOW, INK_RED };

/*
 * Prints text (UTF-8 without control characters) as one line or, where it is
 * longer than the width, as several: broken at spaces, the first indented by
 * indent, the others by indent + 4 columns.
 */
void page_print(const struct page *page, enum ink ink, int indent, const char *text);
/* The same for short texts of our own: no more than 511 bytes are printed. */
void page_printf(const struct page *page, enum ink ink, int indent, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void page_gap(const struct page *page);

/* Columns that len bytes of UTF-8 take on a terminal: two for wide characters, none for marks. */
int text_columns(const char *s, size_t len);

#endif
