#include "report/tui/keys.h"

#include <string.h>

/* From the threshold in hand to the next one up or down. */
static const nsec thresholds[] = {
	1000000,   2000000,   5000000,   10000000,   20000000,   50000000,
	100000000, 200000000, 500000000, 1000000000, 2000000000, 5000000000,
};

static void ask_threshold(struct tui *t, const struct recording *rec, struct tui_wish *wish,
			  int way)
{
	size_t n = sizeof(thresholds) / sizeof(thresholds[0]);
	nsec now = rec->session.threshold, next = now;

	for (size_t i = 0; way > 0 && i < n && next == now; i++)
		if (thresholds[i] > now)
			next = thresholds[i];
	for (size_t i = n; way < 0 && i-- > 0 && next == now;)
		if (thresholds[i] < now)
			next = thresholds[i];
	if (next != now)
		*wish = (struct tui_wish){ .kind = TUI_THRESHOLD, .threshold = next };
}

static void raise_threshold(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	ask_threshold(t, rec, wish, 1);
}

static void lower_threshold(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	ask_threshold(t, rec, wish, -1);
}

static void quit(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	wish->kind = TUI_QUIT;
}

static void move(struct tui *t, long by)
{
	size_t *at = t->mode == MODE_DETAIL ? &t->detail_top : &t->selected[t->view];

	if (by < 0 && (size_t)-by > *at)
		*at = 0;
	else if (by > 0 && *at > SIZE_MAX - (size_t)by)
		*at = SIZE_MAX;
	else
		*at += (size_t)by;
	/* The drawing keeps it on the list. */
	if (t->mode != MODE_DETAIL && views[t->view]->columns) {
		if (t->n_ids && *at >= t->n_ids)
			*at = t->n_ids - 1;
		t->followed = t->n_ids ? t->ids[*at] : UINT32_MAX;
	}
}

static void move_up(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	move(t, -1);
}

static void move_down(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	move(t, 1);
}

static void page_up(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	move(t, -t->page);
}

static void page_down(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	move(t, t->page);
}

static void move_home(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	move(t, -1000000000);
}

static void move_end(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	move(t, 1000000000);
}

static void open_detail(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	if (!views[t->view]->columns || t->n_ids == 0)
		return;
	t->mode = t->mode == MODE_DETAIL ? MODE_LIST : MODE_DETAIL;
	t->detail_top = 0;
}

static void go_back(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	if (t->mode == MODE_LIST)
		t->filter[0] = '\0';
	t->mode = MODE_LIST;
}

static void show_view(struct tui *t, int view)
{
	t->view = (enum view_id)((view + VIEWS) % VIEWS);
	t->mode = MODE_LIST;
	t->followed = UINT32_MAX;
}

static void next_view(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	show_view(t, (int)t->view + 1);
}

static void previous_view(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	show_view(t, (int)t->view - 1);
}

static void sort(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	t->sort = (enum sort)((t->sort + 1) % SORTS);
	t->upside_down = false;
}

static void turn_round(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	t->upside_down = !t->upside_down;
}

static void start_filter(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	t->mode = MODE_FILTER;
	t->filter[0] = '\0';
	t->followed = UINT32_MAX;
}

static void pause_or_go(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	t->paused = !t->paused;
	t->behind = true;
}

static void write_html(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	*wish = (struct tui_wish){ .kind = TUI_WRITE, .format = &renderer_html };
}

static void start_export(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	t->mode = MODE_EXPORT;
}

static void show_help(struct tui *t, const struct recording *rec, struct tui_wish *wish)
{
	t->mode = t->mode == MODE_HELP ? MODE_LIST : MODE_HELP;
}

const struct key_row key_rows[] = {
	/* clang-format off */
	{ { '?', 'h' }, "?", "help", "this help", false, show_help },
	{ { 'q', 'Q' }, "q", "quit", "quit; the recording and the report are kept", false, quit },
	{ { TUI_KEY_ENTER, '\r' }, "Enter", "stack", "the whole stack of the selected line, and back",
	  false, open_detail },
	{ { TUI_KEY_TAB }, "Tab", "view", "the next view", false, next_view },
	{ { '/' }, "/", "filter", "show only lines that contain what you type", false, start_filter },
	{ { 's' }, "s", "sort", "sort culprits by the next column", false, sort },
	{ { 'p', ' ' }, "p", "pause", "hold the screen still; recording goes on", true, pause_or_go },
	{ { '+', '=' }, "+", NULL, "raise the threshold from which on a turn is a stall", true,
	  raise_threshold },
	{ { '-', '_' }, "-", "threshold", "lower it", true, lower_threshold },
	{ { 'w' }, "w", "report", "write the HTML report now", false, write_html },
	{ { 'e' }, "e", "export", "write another format now", false, start_export },
	{ { TUI_KEY_UP, 'k' }, "up k", NULL, "the line before", false, move_up },
	{ { TUI_KEY_DOWN, 'j' }, "down j", NULL, "the next line", false, move_down },
	{ { TUI_KEY_PAGE_UP, 'b' }, "PgUp b", NULL, "a page up", false, page_up },
	{ { TUI_KEY_PAGE_DOWN, 'f' }, "PgDn f", NULL, "a page down", false, page_down },
	{ { TUI_KEY_HOME, 'g' }, "Home g", NULL, "the first line", false, move_home },
	{ { TUI_KEY_END, 'G' }, "End G", NULL, "the last line", false, move_end },
	{ { TUI_KEY_BACK_TAB }, "S-Tab", NULL, "the view before", false, previous_view },
	{ { 'r' }, "r", NULL, "turn the order round", false, turn_round },
	{ { TUI_KEY_ESCAPE }, "Esc", NULL, "back; on a list: no filter any more", false, go_back },
	{ { 0 } },
	/* clang-format on */
};

/* The filter is being typed. */
static void type_filter(struct tui *t, int key)
{
	size_t len = strlen(t->filter);

	if (key == TUI_KEY_ENTER || key == '\r' || key == TUI_KEY_ESCAPE) {
		if (key == TUI_KEY_ESCAPE)
			t->filter[0] = '\0';
		t->mode = MODE_LIST;
	} else if (key == TUI_KEY_BACKSPACE || key == 127 || key == 8) {
		/* A whole character: its continuation bytes, too. */
		while (len > 0 && ((unsigned char)t->filter[len - 1] & 0xc0) == 0x80)
			len--;
		t->filter[len ? len - 1 : 0] = '\0';
	} else if (key >= ' ' && key < 256 && key != 127 && len + 1 < sizeof(t->filter)) {
		t->filter[len] = (char)key;
		t->filter[len + 1] = '\0';
	}
}

/* The format of an export is being chosen: the first letter of its name. */
static void choose_export(struct tui *t, int key, struct tui_wish *wish)
{
	t->mode = MODE_LIST;
	for (size_t i = 0; renderers[i]; i++)
		if (renderers[i]->name[0] == key) {
			*wish = (struct tui_wish){ .kind = TUI_WRITE, .format = renderers[i] };
			return;
		}
}

static const struct key_row *find_key(const struct tui *t, int key)
{
	for (const struct key_row *row = key_rows; row->act; row++)
		for (int i = 0; i < KEYS_OF_A_ROW && row->keys[i]; i++)
			if (row->keys[i] == key && (t->config.live || !row->live))
				return row;
	return NULL;
}

struct tui_wish tui_key(struct tui *t, const struct recording *rec, int key)
{
	struct tui_wish wish = { .kind = TUI_NOTHING };
	const struct key_row *row;

	t->message[0] = '\0';
	if (t->mode == MODE_FILTER) {
		type_filter(t, key);
		return wish;
	}
	if (t->mode == MODE_EXPORT) {
		choose_export(t, key, &wish);
		return wish;
	}
	row = find_key(t, key);
	if (row)
		row->act(t, rec, &wish);
	else if (t->mode == MODE_HELP)
		t->mode = MODE_LIST;
	return wish;
}
