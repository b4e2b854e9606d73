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

/*
 * The base name of a module.  Debian's redis-server is a link to redis-check-rdb:
 * people know the program by the name that they started it with.
 */
static void put_module(struct strbuf *b, const struct recording *rec, const char *module)
{
	const struct target_info *t = rec ? &rec->target : NULL;
	struct strbuf name = { 0 };

	/*
	 * A process may have put a title in there: "redis-server 127.0.0.1:6379".  That of a script
	 * is not the name of its interpreter: "PM2 v7.0.4: God Daemon".
	 */
	if (t && t->exe && t->argc && !t->runtime && strcmp(t->exe, module) == 0)
		strbuf_add(&name, t->argv[0], strcspn(t->argv[0], " :"));
	if (name.len)
		module = name.s;
	strbuf_puts_visible(b, path_base(module));
	strbuf_destroy(&name);
}
/* A package's files have names that are known only within it: "index.js". */
static void put_file(struct strbuf *b, const struct frame *f)
{
	bool core = strncmp(f->file, "node:", 5) == 0;
	const char *in_package = path_in_package(f->file);

	strbuf_puts_visible(b, core ? f->file : in_package ? in_package : path_base(f->file));
	put_line(b, f);
}

static bool is_function(const struct frame *f, const char *title)
{
	struct strbuf name = { 0 };
	bool is;

	strbuf_function(&name, f);
	is = title && strcmp(name.s, title) == 0;
	strbuf_destroy(&name);
	return is;
}

static void put_in_module(struct strbuf *b, const struct recording *rec, const struct frame *f)
{
	if (!f->module)
		return;
	strbuf_puts(b, " in ");
	put_module(b, rec, f->module);
}

void strbuf_place(struct strbuf *b, const struct recording *rec, const struct frame *f)
{
	if (f->file) {
		put_file(b, f);
		strbuf_puts(b, " ");
	}
	strbuf_function(b, f);
	if (!f->file)
		put_in_module(b, rec, f);
}

void strbuf_titled_place(struct strbuf *b, const struct recording *rec, const struct frame *f,
			 const char *title, const char *between)
{
	bool said = is_function(f, title);

	if (said && !f->file) {
		put_in_module(b, rec, f);
		return;
	}
	strbuf_puts(b, between);
	if (said)
		put_file(b, f);
	else
		strbuf_place(b, rec, f);
}

void strbuf_frame(struct strbuf *b, const struct recording *rec, const struct frame *f)
{
	strbuf_function(b, f);
	if (f->file) {
		strbuf_puts(b, " ");
		strbuf_puts_visible(b, f->file);
		put_line(b, f);
	} else {
		put_in_module(b, rec, f);
	}
}
