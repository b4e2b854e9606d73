#include "report/tui/screen.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/arena.h"
#include "report/tui/capability.h"

struct screen {
	SCREEN *curses;
	FILE *in, *out;
	bool color;
	attr_t attributes[TONES];
	short pairs[TONES];
};

bool screen_locale(bool ascii)
{
	if (ascii)
		return false;
	if (setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return true;
	return setlocale(LC_CTYPE, "C.UTF-8") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* Foregrounds: with 256 colors, with 8, and what tells it apart without any. */
static const struct {
	short rich, plain;
	attr_t attribute;
} tones[TONES] = {
	/* clang-format off */
	[TONE_PLAIN]    = {  -1, -1,           A_NORMAL },
	[TONE_DIM]      = {  -1, -1,           A_DIM },
	[TONE_STRONG]   = {  -1, -1,           A_BOLD },
	[TONE_TITLE]    = {  37, COLOR_CYAN,   A_BOLD },
	[TONE_GOOD]     = {  71, COLOR_GREEN,  A_NORMAL },
	[TONE_NOTICE]   = { 178, COLOR_YELLOW, A_NORMAL },
	[TONE_WARNING]  = { 208, COLOR_YELLOW, A_BOLD },
	[TONE_INCIDENT] = { 196, COLOR_RED,    A_BOLD },
	/* clang-format on */
};

static void prepare_colors(struct screen *s)
{
	bool rich;

	s->color = s->color && has_colors() && start_color() == OK;
	if (s->color && use_default_colors() != OK)
		s->color = false;
	rich = s->color && COLORS >= 256;
	for (short i = 0; i < TONES; i++) {
		short foreground = rich ? tones[i].rich : tones[i].plain;

		s->attributes[i] = tones[i].attribute;
		s->pairs[i] = 0;
		if (!s->color || foreground < 0)
			continue;
		s->pairs[i] = (short)(i + 1);
		init_pair(s->pairs[i], foreground, -1);
	}
}

int screen_open(struct screen **out, int in_fd, int out_fd, bool color, struct error *err)
{
	struct screen *s = xcalloc(1, sizeof(*s));

	s->in = fdopen(in_fd, "r");
	s->out = fdopen(out_fd, "w");
	s->color = color;
	if (s->in && s->out)
		s->curses = newterm(NULL, s->out, s->in);
	if (!s->curses) {
		const char *term = getenv("TERM");

		free(s);
		return error_set(err, -ENOTSUP, "nothing is known of a terminal called \"%s\"",
				 term ? term : "");
	}
	set_term(s->curses);
	set_escdelay(25);
	prepare_colors(s);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	leaveok(stdscr, TRUE);
	curs_set(0);
	*out = s;
	screen_fit(s, false);
	return 0;
}

void screen_leave(struct screen *s)
{
	curs_set(1);
	endwin();
	fflush(s->out);
}

void screen_return(struct screen *s)
{
	reset_prog_mode();
	curs_set(0);
	screen_fit(s, true);
}

void screen_enter(struct screen *s)
{
	char enter[128];

	screen_capability("smcup", enter, sizeof(enter));
	fputs(enter, s->out);
	fflush(s->out);
}

void screen_close(struct screen *s)
{
	screen_leave(s);
	delscreen(s->curses);
	fclose(s->in);
	fclose(s->out);
	free(s);
}

void screen_fit(struct screen *s, bool redraw)
{
	struct winsize size;

	if (ioctl(fileno(s->out), TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col &&
	    (size.ws_row != LINES || size.ws_col != COLS)) {
		resizeterm(size.ws_row, size.ws_col);
		redraw = true;
	}
	if (redraw)
		clearok(curscr, TRUE);
}

void screen_size(const struct screen *s, int *rows, int *columns)
{
	*rows = LINES;
	*columns = COLS;
}

static void make_cell(const struct screen *s, const struct cell *cell, cchar_t *out)
{
	wchar_t text[2 + CELL_MARKS] = { (wchar_t)cell->point };
	attr_t attribute = s->attributes[cell->tone];

	for (int i = 0; i < CELL_MARKS; i++)
		text[1 + i] = (wchar_t)cell->marks[i];
	if (cell->reverse)
		attribute = (attribute & ~A_DIM) | A_REVERSE;
	setcchar(out, text, attribute, s->pairs[cell->tone], NULL);
}

static void show_row(const struct screen *s, const struct canvas *c, int row)
{
	cchar_t *cells = xcalloc((size_t)c->columns + 1, sizeof(*cells));
	int n = 0;

	for (int i = 0; i < c->columns; i++) {
		const struct cell *cell = canvas_cell(c, row, i);

		if (cell->columns)
			make_cell(s, cell, &cells[n++]);
	}
	mvadd_wchnstr(row, 0, cells, n);
	free(cells);
}

void screen_show(struct screen *s, const struct canvas *c)
{
	erase();
	for (int row = 0; row < c->rows && row < LINES; row++)
		show_row(s, c, row);
	refresh();
}

static const struct {
	int curses, key;
} special_keys[] = {
	{ KEY_UP, TUI_KEY_UP },         { KEY_DOWN, TUI_KEY_DOWN },
	{ KEY_PPAGE, TUI_KEY_PAGE_UP }, { KEY_NPAGE, TUI_KEY_PAGE_DOWN },
	{ KEY_HOME, TUI_KEY_HOME },     { KEY_END, TUI_KEY_END },
	{ KEY_BTAB, TUI_KEY_BACK_TAB }, { KEY_BACKSPACE, TUI_KEY_BACKSPACE },
	{ KEY_ENTER, TUI_KEY_ENTER },
};

int screen_key(struct screen *s)
{
	int key = getch();

	if (key == ERR)
		return TUI_KEY_NONE;
	if (key == '\r')
		return TUI_KEY_ENTER;
	for (size_t i = 0; i < sizeof(special_keys) / sizeof(special_keys[0]); i++)
		if (special_keys[i].curses == key)
			return special_keys[i].key;
	/* Others have no meaning here, but must not pass for characters. */
	return key < KEY_MIN ? key : 0x11ffff;
}
