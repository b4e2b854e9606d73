#ifndef LAGPROF_REPORT_TUI_SCREEN_H
#define LAGPROF_REPORT_TUI_SCREEN_H

#include "core/error.h"
#include "report/tui/tui.h"

/* The terminal, by ncurses: shows canvases, reads keys. */
struct screen;

/*
 * Sets LC_CTYPE for the terminal, or says that ASCII is all there is (false):
 * where the environment's locale is not installed, C.UTF-8 serves.
 */
bool screen_locale(bool ascii);
/* Is something known of the terminal $TERM, and can it place the cursor? */
bool screen_possible(int fd);
/* in and out belong to the screen from now on.  -ENOTSUP: nothing is known of the terminal $TERM.
 */
int screen_open(struct screen **s, int in, int out, bool color, struct error *err);
/* Gives the terminal back. */
void screen_close(struct screen *s);
/* The same for the time being, and takes it again. */
void screen_leave(struct screen *s);
void screen_return(struct screen *s);
/* Somebody else has left the screen for it: before screen_return(). */
void screen_enter(struct screen *s);

/* Takes up the terminal's size if it has changed; redraws all if asked. */
void screen_fit(struct screen *s, bool redraw);
void screen_size(const struct screen *s, int *rows, int *columns);
void screen_show(struct screen *s, const struct canvas *c);
/* The next key, TUI_KEY_NONE if there is none yet. */
int screen_key(struct screen *s);

/* What makes the terminal on fd usable again after its owner was killed; "" if unknown. */
void screen_rescue(int fd, char *out, size_t size);

#endif
