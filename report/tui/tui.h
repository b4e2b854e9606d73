#ifndef LAGPROF_REPORT_TUI_TUI_H
#define LAGPROF_REPORT_TUI_TUI_H

#include "report/renderer.h"
#include "report/tui/canvas.h"

/*
 * The live view: takes in what a session says, answers keys, draws a canvas.
 * Knows no terminal (report/tui/screen.h does), no clock and no process: a
 * recording from a file is shown by the same calls.
 */
struct tui;

/* Keys that are no characters; those are their code points. */
enum tui_key {
	TUI_KEY_NONE = -1,
	TUI_KEY_UP = 0x110000,
	TUI_KEY_DOWN,
	TUI_KEY_PAGE_UP,
	TUI_KEY_PAGE_DOWN,
	TUI_KEY_HOME,
	TUI_KEY_END,
	TUI_KEY_BACK_TAB,
	TUI_KEY_BACKSPACE,
	TUI_KEY_TAB = '\t',
	TUI_KEY_ENTER = '\n',
	TUI_KEY_ESCAPE = 27,
};

/* What a key asks of the caller. */
struct tui_wish {
	enum { TUI_NOTHING, TUI_QUIT, TUI_THRESHOLD, TUI_WRITE } kind;
	nsec threshold;                /* TUI_THRESHOLD */
	const struct renderer *format; /* TUI_WRITE */
};

struct tui_config {
	bool live;             /* a session goes on; else a recording that was loaded */
	bool ascii;            /* the canvas holds ASCII only */
	bool still;            /* it is only looked at: no keys are named */
	const char *recording; /* where it is written to; outlives the tui */
	const char *output;    /* of a launched target, the file it goes to; NULL: none */
};

struct tui *tui_new(const struct tui_config *config);
void tui_free(struct tui *t);

/* A stall ended or goes on; title is copied.  (As sink.stall, with diagnose_stall()'s answer.) */
void tui_stall(struct tui *t, const struct recording *rec, const struct stall *stall,
	       const struct stall_diagnosis *d, const char *title);
/* A second passed. */
void tui_tick(struct tui *t, const struct recording *rec);
/* The last that a launched target wrote; copied. */
void tui_output(struct tui *t, const char *text, size_t len);
/* All stalls diagnosed together; d must live until the next call. */
void tui_diagnosis(struct tui *t, const struct recording *rec, const struct diagnosis *d);
/* A line for the user: what became of a wish. */
void tui_say(struct tui *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Nothing is taken in, for the screen is to stay as it is. */
bool tui_paused(const struct tui *t);
/* Are there stalls that no diagnosis has seen? */
bool tui_behind(const struct tui *t, const struct recording *rec);

/* Answers a key. */
struct tui_wish tui_key(struct tui *t, const struct recording *rec, int key);
/* Draws everything; valid until the next call. */
const struct canvas *tui_draw(struct tui *t, const struct recording *rec, int rows, int columns);

#endif
