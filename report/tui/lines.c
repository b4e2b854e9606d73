#include "report/tui/lines.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "report/place.h"

void lines_add(struct lines *l, enum tone tone, int indent, const char *text)
{
	ARRAY_GROW(l->v, l->n, l->cap);
	l->v[l->n++] = (struct text_line){ .text = xstrdup(text), .indent = indent, .tone = tone };
}

void lines_beside(struct lines *l, int at, const char *text, enum tone tone)
{
	struct text_line *last = &l->v[l->n - 1];

	free(last->beside);
	last->beside = xstrdup(text);
	last->at = at;
	last->beside_tone = tone;
	last->place = false;
}

void lines_place(struct lines *l, int at, const char *text, enum tone tone)
{
	lines_beside(l, at, text, tone);
	l->v[l->n - 1].place = true;
}

/* Bytes of the longest beginning of text that fits, cut at a space where there is one. */
static size_t fit(const struct canvas *c, const char *text, int width)
{
	size_t best = 0, n = 0;

	for (;;) {
		size_t word = n + strcspn(text + n, " ");
		char *start = strndup(text, word);
		int columns = start ? canvas_measure(c, start) : 0;

		free(start);
		if (columns > width)
			return best ? best : word;
		best = word;
		n = word + strspn(text + word, " ");
		if (!text[n])
			return best;
	}
}

void lines_wrap(struct lines *l, const struct canvas *c, struct spot at, const char *text)
{
	text += strspn(text, " ");
	while (*text) {
		size_t n = fit(c, text, at.width - at.column);
		char *line = strndup(text, n);

		if (!line)
			abort();
		lines_add(l, at.tone, at.column, line);
		free(line);
		text += n;
		text += strspn(text, " ");
	}
}

void lines_clear(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].text);
		free(l->v[i].beside);
	}
	l->n = 0;
}

void lines_destroy(struct lines *l)
{
	lines_clear(l);
	free(l->v);
	*l = (struct lines){ 0 };
}

static void put_begin(struct canvas *c, struct spot at, const char *text)
{
	canvas_put(c, at, text);
}

/* What tells places apart is their end: one that is too long loses folders at its begin. */
static void put_end(struct canvas *c, struct spot at, const char *text)
{
	const char *dots = ellipsis(c->ascii), *end = text;

	if (canvas_measure(c, text) <= at.width) {
		canvas_put(c, at, text);
		return;
	}
	do
		end = strchr(end + 1, '/');
	while (end && canvas_measure(c, dots) + canvas_measure(c, end) > at.width);
	if (end) {
		int used = canvas_put(c, at, dots);

		at.column += used;
		at.width -= used;
	}
	canvas_put(c, at, end ? end : text);
}

void lines_draw(const struct lines *l, struct canvas *c, size_t first, int row, int rows)
{
	for (size_t i = first; i < l->n && rows > 0; i++, row++, rows--) {
		const struct text_line *line = &l->v[i];
		struct spot at = { row, line->indent, c->columns - line->indent, line->tone };
		int used = canvas_put(c, at, line->text);

		if (!line->beside)
			continue;
		at.column += used + 2;
		if (at.column < line->at)
			at.column = line->at;
		at.width = c->columns - at.column;
		at.tone = line->beside_tone;
		(line->place ? put_end : put_begin)(c, at, line->beside);
	}
}
