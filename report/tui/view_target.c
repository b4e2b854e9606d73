#include "report/tui/view.h"

#include <stdlib.h>
#include <string.h>

#include "core/units.h"
#include "report/text.h"

/* The target, the session and what the target wrote last. */

static void add(struct tui *t, int width, enum tone tone, struct strbuf *b)
{
	if (b->len)
		lines_wrap(&t->lines, &t->canvas, (struct spot){ 0, 1, width, tone }, b->s);
	strbuf_destroy(b);
}

static void add_heading(struct tui *t, const char *text)
{
	if (t->lines.n)
		lines_add(&t->lines, TONE_PLAIN, 0, "");
	lines_add(&t->lines, TONE_STRONG, 0, text);
}

static void add_pair(struct tui *t, const char *name, const char *value)
{
	enum { VALUES = 12 };

	if (!value || !value[0])
		return;
	lines_add(&t->lines, TONE_DIM, 1, name);
	lines_beside(&t->lines, VALUES, value, TONE_PLAIN);
}

static void add_target(struct tui *t, const struct target_info *target)
{
	struct strbuf b = { 0 };

	add_heading(t, "Target");
	text_command(&b, target);
	add_pair(t, "command", b.s);
	strbuf_destroy(&b);
	add_pair(t, "program", target->exe);
	add_pair(t, "directory", target->cwd);
	if (target->runtime)
		strbuf_printf(&b, "%s %s", text_runtime(target),
			      target->runtime_version ? target->runtime_version : "");
	add_pair(t, "runtime", b.s);
	strbuf_destroy(&b);
	strbuf_printf(&b, "%d", target->pid);
	if (target->threads)
		strbuf_printf(&b, ", %u threads when it was first looked at", target->threads);
	add_pair(t, "pid", b.s);
	strbuf_destroy(&b);
}

static void add_session(struct tui *t, const struct recording *rec, int width)
{
	const struct session *session = &rec->session;
	struct strbuf b = { 0 };

	add_heading(t, "Session");
	add_pair(t, "recording", t->config.recording);
	add_pair(t, "output", t->config.output);
	put_report(t, &t->lines, rec, text_probe);
	put_report(t, &t->lines, rec, text_host);
	if (session->lost_samples || session->lost_turns) {
		strbuf_count(&b, session->lost_samples);
		strbuf_puts(&b, " samples lost, ");
		strbuf_count(&b, session->lost_turns);
		strbuf_puts(&b, " turns lost");
		add(t, width, TONE_WARNING, &b);
	}
	for (size_t i = 0; i < rec->n_notes; i++) {
		strbuf_puts(&b, "note: ");
		strbuf_puts_visible(&b, rec->notes[i]);
		add(t, width, TONE_WARNING, &b);
	}
}

/* Tabs become blanks, the rest that is not visible is escaped as it is drawn. */
static void add_output(struct tui *t)
{
	char *text, *rest, *line;

	if (!t->output.len)
		return;
	add_heading(t, "Output, the last lines");
	text = rest = xstrdup(t->output.s);
	while ((line = strsep(&rest, "\n"))) {
		for (char *s = line; *s; s++)
			if (*s == '\t')
				*s = ' ';
		if (rest || line[0])
			lines_add(&t->lines, TONE_PLAIN, 1, line);
	}
	free(text);
}

static void write_target(struct tui *t, const struct recording *rec, int width)
{
	add_target(t, &rec->target);
	add_session(t, rec, width);
	add_output(t);
}

const struct view view_target = { .name = "Target", .write = write_target };
