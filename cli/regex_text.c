#include "cli/regex_text.h"

#include <stdlib.h>
#include <string.h>

#include "core/units.h"
#include "core/utf8.h"
#include "report/place.h"

enum { WIDTH = 100, LEAST = 16, INDENT = 2 };

/* One character of the pattern as it is shown. */
struct glyph {
	uint32_t byte;   /* of the pattern */
	uint32_t text;   /* of the shown text */
	uint32_t column; /* of the shown text, from 0 */
};

/* The whole pattern as it would be shown, and the part of it that is. */
struct shown {
	struct strbuf text;
	struct glyph *glyphs; /* one more than there are characters */
	size_t n, cap;
	size_t from, to; /* the glyphs shown */
};

static void add_glyph(struct shown *shown, size_t byte, uint32_t column)
{
	ARRAY_GROW(shown->glyphs, shown->n, shown->cap);
	shown->glyphs[shown->n++] =
		(struct glyph){ (uint32_t)byte, (uint32_t)shown->text.len, column };
}

/* One character (len bytes) so that it can be seen. */
static void put_character(struct strbuf *b, const char *s, size_t len, uint32_t c, bool ascii)
{
	char bytes[8] = { 0 };

	memcpy(bytes, s, len);
	if (c == '\n' || c == '\t' || c == '\r')
		strbuf_puts(b, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
	else if (c == 0)
		strbuf_puts(b, "\\x00");
	else if (ascii && c > 0x7f)
		strbuf_printf(b, "\\u{%04x}", c);
	else
		strbuf_puts_visible(b, bytes);
}

static void show_all(struct shown *shown, const struct regex_pattern *pattern, bool ascii)
{
	uint32_t column = 0;
	size_t n;

	for (size_t i = 0; i < pattern->len; i += n) {
		uint32_t c = 1; /* a byte that is no character */
		size_t before = shown->text.len;

		n = utf8_decode(pattern->text + i, pattern->len - i, &c);
		n = n ? n : 1;
		add_glyph(shown, i, column);
		put_character(&shown->text, pattern->text + i, n, c, ascii);
		column += (uint32_t)text_columns(shown->text.s + before, shown->text.len - before);
	}
	add_glyph(shown, pattern->len, column);
}

/* The glyph of that byte of the pattern; the end, if it is none. */
static size_t glyph_at(const struct shown *shown, uint32_t byte)
{
	size_t i = 0;

	while (i + 1 < shown->n && shown->glyphs[i].byte < byte)
		i++;
	return i;
}

static uint32_t columns_between(const struct shown *shown, size_t from, size_t to)
{
	return shown->glyphs[to].column - shown->glyphs[from].column;
}

/* At most that many columns, with the marked glyphs in the middle, or as many as fit of them. */
static void choose_window(struct shown *shown, uint32_t room, size_t mark, size_t mark_end)
{
	size_t last = shown->n - 1;
	uint32_t marked = columns_between(shown, mark, mark_end);
	uint32_t lead = marked < room ? (room - marked) / 2 : 0;

	shown->to = last;
	if (columns_between(shown, 0, last) <= room)
		return;
	if (lead < room / 8)
		lead = room / 8;
	shown->from = mark;
	while (shown->from > 0 && (columns_between(shown, shown->from - 1, mark) <= lead ||
				   columns_between(shown, shown->from - 1, last) <= room))
		shown->from--;
	while (columns_between(shown, shown->from, shown->to) > room)
		shown->to--;
}

static const char *class_words(const struct regex_verdict *v)
{
	if (v->invalid)
		return "not a pattern";
	if (v->verdict != REGEX_POLYNOMIAL)
		return regex_class_names[v->verdict];
	return v->degree == 2 ? "quadratic" : v->degree == 3 ? "cubic" : "polynomial";
}

static enum ink class_ink(const struct regex_verdict *v)
{
	static const enum ink inks[REGEX_CLASSES] = {
		[REGEX_SAFE] = INK_GREEN,      [REGEX_POLYNOMIAL] = INK_RED,
		[REGEX_EXPONENTIAL] = INK_RED, [REGEX_BOUNDED] = INK_YELLOW,
		[REGEX_SUSPECT] = INK_YELLOW,  [REGEX_UNKNOWN] = INK_YELLOW,
	};

	return inks[v->verdict];
}

/* Each of the page's lines is one line here: what is below a pattern stays below it. */
static void print_line(const struct page *page, enum ink ink, const char *text)
{
	struct page wide = *page;

	wide.width = 0;
	page_print(&wide, ink, 0, text);
}

static void print_underline(const struct page *page, const struct shown *shown, int before,
			    size_t mark, size_t mark_end)
{
	struct strbuf line = { 0 };
	int columns;

	mark = mark < shown->from ? shown->from : mark;
	mark_end = mark_end > shown->to ? shown->to : mark_end;
	if (mark > mark_end)
		return;
	columns = (int)columns_between(shown, mark, mark_end);
	strbuf_printf(&line, "%*s", before + (int)columns_between(shown, shown->from, mark), "");
	for (int i = 0; i < columns; i++)
		strbuf_puts(&line, "~");
	if (columns == 0)
		strbuf_puts(&line, "^");
	print_line(page, INK_BOLD, line.s);
	strbuf_destroy(&line);
}

/* "exponential in v8: /(a+)+$/" and the underline. */
static void print_pattern(const struct page *page, bool ascii, const struct regex_pattern *pattern,
			  const struct regex_verdict *v)
{
	uint32_t start = v->placed ? v->at : v->guilty.start;
	uint32_t end = v->placed ? v->at : v->guilty.end;
	const char *dots = ellipsis(ascii);
	struct strbuf line = { 0 };
	struct shown shown = { 0 };
	size_t mark, mark_end;
	int room, before;

	show_all(&shown, pattern, ascii);
	mark = glyph_at(&shown, start);
	mark_end = glyph_at(&shown, end);
	strbuf_printf(&line, "%s in %s: /", class_words(v), regex_engine_names[v->engine]);
	room = (page->width ? page->width : WIDTH) - (int)line.len - (int)strlen(pattern->flags) -
	       2 * text_columns(dots, strlen(dots)) - 1;
	choose_window(&shown, (uint32_t)(room < LEAST ? LEAST : room), mark, mark_end);
	if (shown.from > 0)
		strbuf_puts(&line, dots);
	before = text_columns(line.s, line.len);
	strbuf_add(&line, shown.text.s ? shown.text.s + shown.glyphs[shown.from].text : "",
		   shown.glyphs[shown.to].text - shown.glyphs[shown.from].text);
	if (shown.to + 1 < shown.n)
		strbuf_puts(&line, dots);
	strbuf_puts(&line, "/");
	strbuf_puts_visible(&line, pattern->flags);
	print_line(page, class_ink(v), line.s);
	if (v->placed || start < end)
		print_underline(page, &shown, before, mark, mark_end);
	strbuf_destroy(&line);
	strbuf_destroy(&shown.text);
	free(shown.glyphs);
}

/* "  attack   ..." */
static void print_row(const struct page *page, const char *name, const char *text)
{
	struct strbuf b = { 0 };

	strbuf_printf(&b, "%-8s %s", name, text);
	page_print(page, INK_NONE, INDENT, b.s);
	strbuf_destroy(&b);
}

static void print_kind(const struct page *page, const struct regex_verdict *v)
{
	struct strbuf b = { 0 };

	strbuf_puts(&b, v->kind == REGEX_SEARCH_LOOP ? "search loop: " : "inner: ");
	if (v->verdict == REGEX_POLYNOMIAL)
		strbuf_printf(&b, "about n^%d steps, ", v->degree);
	else
		strbuf_puts(&b, "each pump more multiplies the steps, ");
	strbuf_puts(&b, v->kind == REGEX_SEARCH_LOOP ? "since every position is tried as a start"
						     : "and it is slow from a single start, too");
	print_row(page, "kind", b.s);
	strbuf_destroy(&b);
}

static void print_steps(const struct page *page, const struct regex_verdict *v)
{
	struct strbuf b = { 0 };

	for (int i = 0; i < REGEX_SIZES && v->steps[i].size; i++) {
		const struct regex_steps *at = &v->steps[i];

		if (i && at[-1].capped)
			break;
		strbuf_puts(&b, i ? ", " : "");
		strbuf_puts(&b, at->capped ? "over " : "");
		strbuf_count(&b, at->capped ? at->steps / 1000 * 1000 : at->steps);
		strbuf_printf(&b, " at %s%u", i ? "" : "n = ", at->size);
	}
	if (b.len)
		print_row(page, "steps", b.s);
	strbuf_destroy(&b);
}

/* Text that may hold anything, as a row. */
static void print_shown(const struct page *page, bool ascii, const char *name, const char *text)
{
	struct regex_pattern all = { .text = text, .len = strlen(text) };
	struct shown shown = { 0 };

	show_all(&shown, &all, ascii);
	print_row(page, name, shown.text.s);
	strbuf_destroy(&shown.text);
	free(shown.glyphs);
}

static void print_reason(const struct page *page, const struct regex_verdict *v)
{
	struct strbuf b = { 0 };

	strbuf_puts(&b, v->reason);
	if (v->placed)
		strbuf_printf(&b, " at byte %u", v->at);
	print_row(page, v->verdict == REGEX_UNKNOWN ? "reason" : "note", b.s);
	strbuf_destroy(&b);
}

static void print_rewrite(const struct page *page, bool ascii, const struct regex_pattern *pattern,
			  const struct regex_verdict *v)
{
	struct strbuf b = { 0 };

	strbuf_printf(&b, "/%s/%s", v->rewrite, pattern->flags);
	print_shown(page, ascii, "rewrite", b.s);
	strbuf_destroy(&b);
}

void regex_text(const struct page *page, bool ascii, const struct regex_pattern *pattern,
		const struct regex_verdict *v)
{
	struct arena a = { 0 };
	const struct redos *redos = regex_evidence(v, &a);

	print_pattern(page, ascii, pattern, v);
	if (v->kind)
		print_kind(page, v);
	if (redos->attack)
		print_shown(page, ascii, "attack", redos->attack);
	print_steps(page, v);
	if (v->rewrite)
		print_rewrite(page, ascii, pattern, v);
	if (v->reason)
		print_reason(page, v);
	arena_free(&a);
}
