#include "report/tui/keys.h"

#include <string.h>

/* Puts "key word" if both fit with `reserve` columns left; moves the spot on. */
static bool put_key(struct canvas *c, struct spot *at, const char *key, const char *word)
{
	int need = canvas_measure(c, key) + 1 + canvas_measure(c, word);
	struct spot here = *at;

	if (need > at->width)
		return false;
	here.tone = TONE_STRONG;
	here.column += canvas_put(c, here, key) + 1;
	here.tone = TONE_DIM;
	canvas_put(c, here, word);
	at->column += need + 2;
	at->width -= need + 2;
	return true;
}

static void draw_keys(struct tui *t, int row)
{
	struct spot at = { row, 0, t->canvas.columns, TONE_PLAIN };

	for (const struct key_row *key = key_rows; key->act; key++) {
		if (!key->foot || (key->live && !t->config.live))
			continue;
		/* + is the row before -. */
		if (!put_key(&t->canvas, &at, key->keys[0] == '-' ? "+ -" : key->shown, key->foot))
			break;
	}
}

static void draw_formats(struct tui *t, int row)
{
	struct spot at = { row, 0, t->canvas.columns, TONE_PLAIN };
	char letter[2] = "";

	at.column += canvas_put(&t->canvas, at, "export:") + 1;
	at.width -= at.column;
	for (size_t i = 0; renderers[i]; i++) {
		bool taken = false;

		for (size_t j = 0; j < i; j++)
			taken = taken || renderers[j]->name[0] == renderers[i]->name[0];
		letter[0] = renderers[i]->name[0];
		if (!taken && !put_key(&t->canvas, &at, letter, renderers[i]->name))
			break;
	}
}

void foot_draw(struct tui *t, int row)
{
	struct spot at = { row, 0, t->canvas.columns, TONE_STRONG };
	struct strbuf b = { 0 };

	if (t->mode == MODE_FILTER) {
		strbuf_printf(&b, "/%s%s", t->filter, t->canvas.ascii ? "_" : "\u2581");
		canvas_put(&t->canvas, at, b.s);
		strbuf_destroy(&b);
	} else if (t->mode == MODE_EXPORT) {
		draw_formats(t, row);
	} else if (t->message[0]) {
		canvas_put(&t->canvas, at, t->message);
	} else if (!t->config.still) {
		draw_keys(t, row);
	}
}

void help_draw(struct tui *t, int row, int rows)
{
	enum { KEYS = 8 };

	for (const struct key_row *key = key_rows; key->act && rows > 0; key++) {
		struct spot at = { row, 1, KEYS, TONE_STRONG };

		if (key->live && !t->config.live)
			continue;
		canvas_put(&t->canvas, at, key->shown);
		at = (struct spot){ row, KEYS + 2, t->canvas.columns - KEYS - 2, TONE_PLAIN };
		canvas_put(&t->canvas, at, key->help);
		row++;
		rows--;
	}
}
