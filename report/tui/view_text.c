#include "report/tui/view.h"

#include <stdlib.h>
#include <string.h>

#include "core/units.h"
#include "report/place.h"
#include "report/text.h"

/* The views that are text: of the loops and the pool, and of the target and the session. */

static void add(struct tui *t, int width, enum tone tone, struct strbuf *b)
{
	if (b->len)
		lines_wrap(&t->lines, &t->canvas, (struct spot){ 0, 0, width, tone }, b->s);
	strbuf_destroy(b);
}

static void heading(struct tui *t, const char *text)
{
	if (t->lines.n)
		lines_add(&t->lines, TONE_PLAIN, 0, "");
	lines_add(&t->lines, TONE_STRONG, 0, text);
}

/* What a printing function of the text report writes, line by line. */
static void add_page(struct tui *t, const struct report *r, int width,
		     void (*print)(const struct report *r, const struct page *page))
{
	char *text = NULL, *rest, *line;
	size_t len = 0;
	struct page page = { .out = open_memstream(&text, &len), .width = width };

	if (!page.out)
		abort();
	print(r, &page);
	fclose(page.out);
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (line[0])
			lines_add(&t->lines, TONE_PLAIN, 0, line);
	free(text);
}

static struct tally {
	uint32_t stalls;
	nsec stalled, max;
} tally_loop(const struct recording *rec, size_t loop)
{
	struct tally tally = { 0 };

	for (size_t i = 0; i < rec->n_stalls; i++) {
		const struct stall *s = &rec->stalls[i];

		if (s->loop != loop)
			continue;
		tally.stalls++;
		tally.stalled += s->duration;
		if (s->duration > tally.max)
			tally.max = s->duration;
	}
	return tally;
}

static void write_loop(struct tui *t, const struct recording *rec, size_t i, int width)
{
	struct tally tally = tally_loop(rec, i);
	struct strbuf b = { 0 };

	text_loop(&b, rec->loops[i]);
	add(t, width, TONE_PLAIN, &b);
	strbuf_puts(&b, "    ");
	strbuf_count(&b, tally.stalls);
	strbuf_puts(&b, tally.stalls == 1 ? " stall" : " stalls");
	if (tally.stalls) {
		strbuf_puts(&b, ", ");
		strbuf_duration(&b, tally.stalled);
		strbuf_puts(&b, ", worst ");
		strbuf_duration(&b, tally.max);
	}
	lines_add(&t->lines, tally.stalls ? tone_of_lag(tally.max) : TONE_GOOD, 0, b.s);
	strbuf_destroy(&b);
}

static void write_pool(struct tui *t, const struct report *r, int width)
{
	const struct threadpool *pool = &r->rec->threadpool;
	size_t before = t->lines.n;

	heading(t, "Thread pool");
	add_page(t, r, width, text_threadpool);
	if (t->lines.n == before + 1 + (before > 0))
		lines_add(&t->lines, TONE_DIM, 0,
			  pool->known ? "nothing seen of it" : "none seen in this target");
}

/* Where the stalled time went, over all loops. */
static void write_split(struct tui *t, const struct recording *rec, int width)
{
	static const char *const names[] = { "running on a CPU", "waiting for a CPU", "blocked",
					     "stopped" };
	nsec parts[4] = { 0 }, all = 0;

	for (size_t i = 0; i < rec->n_stalls; i++) {
		const struct stall *s = &rec->stalls[i];

		parts[0] += s->running;
		parts[1] += s->runnable;
		parts[2] += s->blocked;
		parts[3] += s->stopped;
		all += s->duration;
	}
	if (!all)
		return;
	heading(t, "Stalled time");
	for (int i = 0; i < 4; i++) {
		struct strbuf b = { 0 };
		int bar = (int)((double)(width - 40) * (double)parts[i] / (double)all + 0.5);

		strbuf_printf(&b, "%-18s %5.1f %%", names[i], 100 * (double)parts[i] / (double)all);
		lines_add(&t->lines, TONE_PLAIN, 0, b.s);
		strbuf_destroy(&b);
		for (; bar > 0; bar--)
			strbuf_puts(&b, t->canvas.ascii ? "=" : "\u2587");
		if (b.len)
			lines_right(&t->lines, 28, b.s);
		strbuf_destroy(&b);
	}
}

static void write_threads(struct tui *t, const struct recording *rec, int width)
{
	struct report report = { .rec = rec, .ascii = t->canvas.ascii };

	heading(t, rec->n_loops == 1 ? "Loop" : "Loops");
	if (rec->n_loops == 0)
		lines_add(&t->lines, TONE_DIM, 0, "no thread was seen to poll yet");
	for (size_t i = 0; i < rec->n_loops; i++)
		write_loop(t, rec, i, width);
	write_pool(t, &report, width);
	write_split(t, rec, width);
}

static void put_pair(struct tui *t, const char *name, const char *value, int width)
{
	struct strbuf b = { 0 };

	if (!value || !value[0])
		return;
	strbuf_printf(&b, "%-9s ", name);
	strbuf_puts_visible(&b, value);
	add(t, width, TONE_PLAIN, &b);
}

static void write_session(struct tui *t, const struct recording *rec, int width)
{
	struct report report = { .rec = rec, .ascii = t->canvas.ascii };
	struct strbuf b = { 0 };

	heading(t, "Session");
	add_page(t, &report, width, text_probe);
	if (rec->session.lost_samples || rec->session.lost_turns) {
		strbuf_count(&b, rec->session.lost_samples);
		strbuf_puts(&b, " samples lost, ");
		strbuf_count(&b, rec->session.lost_turns);
		strbuf_puts(&b, " turns lost");
		add(t, width, TONE_WARNING, &b);
	}
	put_pair(t, "recording", t->config.recording, width);
	put_pair(t, "output", t->config.output, width);
	for (size_t i = 0; i < rec->n_notes; i++) {
		strbuf_puts(&b, "note: ");
		strbuf_puts_visible(&b, rec->notes[i]);
		add(t, width, TONE_WARNING, &b);
	}
}

static void write_target(struct tui *t, const struct recording *rec, int width)
{
	const struct target_info *target = &rec->target;
	struct strbuf b = { 0 };

	heading(t, "Target");
	text_command(&b, target);
	put_pair(t, "command", b.s, width);
	strbuf_destroy(&b);
	put_pair(t, "program", target->exe, width);
	put_pair(t, "directory", target->cwd, width);
	if (target->runtime)
		strbuf_printf(&b, "%s %s",
			      strcmp(target->runtime, "v8") == 0 ? "node" : target->runtime,
			      target->runtime_version ? target->runtime_version : "");
	put_pair(t, "runtime", b.s, width);
	strbuf_destroy(&b);
	strbuf_printf(&b, "%d", target->pid);
	if (target->threads)
		strbuf_printf(&b, ", %u threads when first looked at", target->threads);
	put_pair(t, "pid", b.s, width);
	strbuf_destroy(&b);
	write_session(t, rec, width);
}

const struct view view_threads = { .name = "Threads", .write = write_threads };
const struct view view_target = { .name = "Target", .write = write_target };
