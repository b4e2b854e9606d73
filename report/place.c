#include "report/place.h"

#include <string.h>

#include "core/names.h"

const char *separator(bool ascii)
{
	return ascii ? " | " : " \u00b7 ";
}

const char *ellipsis(bool ascii)
{
	return ascii ? "..." : "\u2026";
}

void strbuf_function(struct strbuf *b, const struct frame *f)
{
	struct strbuf name = { 0 };

	if (!f->function || !f->function[0])
		strbuf_puts(&name, f->kind == FRAME_NATIVE ? "(unnamed)" : "(anonymous)");
	else if (f->kind == FRAME_NATIVE)
		strbuf_puts_function(&name, f->function);
	else
		strbuf_puts(&name, f->function);
	strbuf_puts_visible(b, name.s);
	strbuf_destroy(&name);
}

static void put_line(struct strbuf *b, const struct frame *f)
{
	uint32_t line = f->line ? f->line : f->define_line;

	if (line)
		strbuf_printf(b, ":%u", line);
}

void strbuf_place(struct strbuf *b, const struct frame *f)
{
	bool core = f->file && strncmp(f->file, "node:", 5) == 0;

	if (f->file) {
		strbuf_puts_visible(b, core ? f->file : path_base(f->file));
		put_line(b, f);
		strbuf_puts(b, " ");
	}
	strbuf_function(b, f);
	if (!f->file && f->module) {
		strbuf_puts(b, " in ");
		strbuf_puts_visible(b, path_base(f->module));
	}
}

void strbuf_frame(struct strbuf *b, const struct frame *f)
{
	strbuf_function(b, f);
	if (f->file) {
		strbuf_puts(b, " ");
		strbuf_puts_visible(b, f->file);
		put_line(b, f);
	} else if (f->module) {
		strbuf_puts(b, " in ");
		strbuf_puts_visible(b, path_base(f->module));
	}
}
