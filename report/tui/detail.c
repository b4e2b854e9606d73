#include "report/tui/view.h"

#include <stdlib.h>
#include <string.h>

#include "report/place.h"

bool title_is_place(const struct recording *rec, const struct verdict_line *what)
{
	const struct frame *f;

	if (!what->title || what->frame == NO_FRAME)
		return false;
	f = recording_get_frame(rec, what->frame);
	return f->function && strcmp(f->function, what->title) == 0;
}

void put_what(const struct list_line *line, struct spot at, const struct verdict_line *what)
{
	struct canvas *c = &line->t->canvas;
	const struct frame *f = NULL;
	struct strbuf place = { 0 };
	int used = 0;

	if (what->frame != NO_FRAME)
		f = recording_get_frame(line->rec, what->frame);
	if (f) {
		strbuf_place(&place, line->rec, f);
		at.tone = line->dim ? TONE_DIM : TONE_STRONG;
		used = canvas_put(c, at, place.s) + 2;
	}
	if (what->title && !title_is_place(line->rec, what)) {
		at.column += used;
		at.width -= used;
		at.tone = f || line->dim ? TONE_DIM : TONE_PLAIN;
		canvas_put(c, at, what->title);
	}
	strbuf_destroy(&place);
}

static void add_frame(struct tui *t, const struct frame *f, bool culprit)
{
	enum { PLACES = 32 };
	struct strbuf name = { 0 }, place = { 0 };

	strbuf_puts(&name, culprit ? "> " : "  ");
	strbuf_function(&name, f);
	lines_add(&t->details, culprit ? TONE_STRONG : TONE_PLAIN, 1, name.s);
	if (f->file) {
		strbuf_puts_visible(&place, f->file);
		if (f->line || f->define_line)
			strbuf_printf(&place, ":%u", f->line ? f->line : f->define_line);
	} else if (f->module) {
		strbuf_puts(&place, "in ");
		strbuf_puts_visible(&place, f->module);
	}
	if (place.len)
		lines_place(&t->details, PLACES, place.s, TONE_DIM);
	strbuf_destroy(&name);
	strbuf_destroy(&place);
}

/*
 * In a pane: what the kernel did says little once the cause is known, nor does
 * what lies between the leaf and the call.
 */
static bool in_pane(const struct recording *rec, const struct stack *s, uint32_t i,
		    uint32_t culprit)
{
	enum { LEAF = 2, CALL = 3 };
	uint32_t leaf = 0;

	while (leaf < s->n && recording_get_frame(rec, s->frames[leaf])->kind == FRAME_KERNEL)
		leaf++;
	if (leaf == s->n)
		leaf = 0;
	return i >= leaf && (culprit == UINT32_MAX || i < leaf + LEAF || i + CALL >= culprit);
}

static void add_skipped(struct tui *t, uint32_t n)
{
	struct strbuf b = { 0 };

	if (!n)
		return;
	strbuf_printf(&b, "  %s%u frame%s", ellipsis(t->canvas.ascii), n, n == 1 ? "" : "s");
	lines_add(&t->details, TONE_DIM, 1, b.s);
	strbuf_destroy(&b);
}

void detail_stack(struct tui *t, const struct recording *rec, uint32_t stack, uint32_t culprit)
{
	uint32_t at = UINT32_MAX, skipped = 0;
	const struct stack *s;

	if (stack == NO_STACK)
		return;
	s = recording_get_stack(rec, stack);
	for (uint32_t i = s->n; i-- > 0;)
		if (s->frames[i] == culprit)
			at = i;
	for (uint32_t i = 0; i < s->n; i++) {
		if (t->mode != MODE_DETAIL && !in_pane(rec, s, i, at)) {
			skipped++;
			continue;
		}
		add_skipped(t, skipped);
		skipped = 0;
		add_frame(t, recording_get_frame(rec, s->frames[i]), i == at);
	}
}

void put_report(const struct tui *t, struct lines *lines, const struct recording *rec,
		void (*print)(const struct report *r, const struct page *page))
{
	struct report report = { .rec = rec,
				 .diagnosis = t->model.diagnosis,
				 .ascii = t->canvas.ascii };
	char *text = NULL, *rest, *line;
	size_t len = 0;
	struct page page = { 0 };

	if (!report.diagnosis)
		return;
	page.out = open_memstream(&text, &len);
	if (!page.out)
		abort();
	print(&report, &page);
	fclose(page.out);
	rest = text;
	while ((line = strsep(&rest, "\n")))
		lines_wrap(lines, &t->canvas, (struct spot){ 0, 1, t->canvas.columns, TONE_PLAIN },
			   line);
	free(text);
}
