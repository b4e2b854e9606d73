#ifndef LAGPROF_REPORT_TUI_KEYS_H
#define LAGPROF_REPORT_TUI_KEYS_H

#include "report/tui/view.h"

enum { KEYS_OF_A_ROW = 4 };

/*
 * What keys do: answering, the foot and the help are made from these rows.  To
 * add one: a row in keys.c.
 */
struct key_row {
	int keys[KEYS_OF_A_ROW]; /* code points or enum tui_key; 0 ends */
	const char *shown;       /* "j" */
	const char *foot;        /* a word for the last row; NULL: only in the help */
	const char *help;
	bool live; /* only while a session goes on */
	void (*act)(struct tui *t, const struct recording *rec, struct tui_wish *wish);
};

/* Ends with a row whose act is NULL. */
extern const struct key_row key_rows[];

#endif
