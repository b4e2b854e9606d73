#ifndef LAGPROF_REPORT_TUI_VIEW_H
#define LAGPROF_REPORT_TUI_VIEW_H

#include "report/page.h"
#include "report/tui/lines.h"
#include "report/tui/model.h"
#include "report/tui/tui.h"

/* The inside of struct tui, for the files of this folder. */

enum view_id { VIEW_CULPRITS, VIEW_STALLS, VIEW_THREADS, VIEW_TARGET, VIEWS };

/* What the keyboard is for at the moment. */
enum mode { MODE_LIST, MODE_DETAIL, MODE_FILTER, MODE_EXPORT, MODE_HELP };

enum { FILTER_MAX = 64, MESSAGE_MAX = 256 };

struct tui {
	struct tui_config config;
	struct model model;
	struct canvas canvas;
	enum view_id view;
	enum mode mode;
	enum sort sort;
	bool upside_down, paused, behind;
	char filter[FILTER_MAX];
	char message[MESSAGE_MAX];
	struct strbuf output;               /* the last that the target wrote */
	int message_ticks;                  /* it goes away when they have passed */
	size_t selected[VIEWS], top[VIEWS]; /* lines: the one that keys act on, the first shown */
	size_t detail_top;
	int page;      /* lines of the list that were visible when last drawn */
	uint32_t *ids; /* what the view lists: culprits or stalls */
	size_t n_ids, cap_ids;
	struct lines lines;   /* of a view that is text */
	struct lines details; /* of the selected line */
	uint32_t followed;    /* the culprit or stall that stays selected; UINT32_MAX: none */
};

/* A line of a list that is being drawn. */
struct list_line {
	struct tui *t;
	const struct recording *rec;
	uint32_t id; /* of the culprit or stall */
	bool dim;
};

/*
 * A column of a list.  It is left out where the screen has fewer columns than
 * `since`; the last one takes what is left.
 */
struct column {
	const char *heading;
	int width, since;
	int sort; /* enum sort that it shows, or -1 */
	void (*draw)(const struct list_line *line, struct spot at);
};

/* A view.  To add one: its file, its row in views[], its enum view_id. */
struct view {
	const char *name;
	const struct column *columns; /* NULL: text, made by `write` */
	size_t n_columns;
	const char *empty; /* what an empty list says; NULL: that there is no stall */
	/* Does the line matter less than others?  NULL: none does. */
	bool (*dim)(const struct tui *t, const struct recording *rec, uint32_t id);
	/* Fills t->ids. */
	void (*list)(struct tui *t, const struct recording *rec);
	/* Fills t->details about t->ids[selected]; at most `width` columns.  The title comes back.
	 */
	void (*detail)(struct tui *t, const struct recording *rec, int width, struct strbuf *title);
	/* Fills t->lines. */
	void (*write)(struct tui *t, const struct recording *rec, int width);
};
extern const struct view *const views[VIEWS];
extern const struct view view_culprits, view_stalls, view_threads, view_target;

/* Makes room in t->ids. */
uint32_t *tui_ids(struct tui *t, size_t n);

/* The rows above the list. */
void head_title(struct tui *t, const struct recording *rec, int row);
void head_lag(struct tui *t, int row);
void head_spark(struct tui *t, int row, int rows);
void head_open(struct tui *t, const struct recording *rec, int row);
void head_tabs(struct tui *t, int row);
/* The last row: keys, or what is being typed, or a message. */
void foot_draw(struct tui *t, int row);
void help_draw(struct tui *t, int row, int rows);

enum tone tone_of(enum severity s);
/* NOTICE from 20 ms on, GOOD below. */
enum tone tone_of_lag(nsec lag);
/* A length in at most 7 columns: "812 ms", "1.7 s", "3 min". */
void put_short(struct strbuf *b, nsec ns);
/* Does the title only say the function (that of user code does), which the place says already? */
bool title_is_place(const struct recording *rec, const struct verdict_line *what);
/* "server.js:33 login  pbkdf2Sync 60000 iterations": the place, then what is called there. */
void put_what(const struct list_line *line, struct spot at, const struct verdict_line *what);
/* Adds what a part of the text report says; nothing before the first diagnosis. */
void put_report(const struct tui *t, struct lines *lines, const struct recording *rec,
		void (*print)(const struct report *r, const struct page *page));
/* Adds the frames of a stack to the details, that of the culprit marked. */
void detail_stack(struct tui *t, const struct recording *rec, uint32_t stack, uint32_t culprit);

#endif
