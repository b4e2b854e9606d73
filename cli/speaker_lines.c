#include "cli/speaker.h"

#include <stdlib.h>

#include "cli/terminal.h"
#include "report/renderer.h"

struct lines_speaker {
	struct speaker speaker; /* first: the callbacks are given its address */
	bool ascii;
};

static void attached(struct speaker *self, const struct recording *rec, const char *path,
		     const char *output)
{
	struct strbuf line = { 0 };

	if (self->quiet)
		return;
	strbuf_printf(&line, "lagprof: attached to %d", rec->target.pid);
	if (rec->target.argc) {
		strbuf_puts(&line, " (");
		strbuf_puts_visible(&line, rec->target.argv[0]);
		strbuf_puts(&line, ")");
	}
	strbuf_printf(&line, ", probe %s, stalls from %.4g ms on\n", rec->session.probe,
		      (double)rec->session.threshold / 1e6);
	fwrite(line.s, 1, line.len, stderr);
	strbuf_destroy(&line);
}

static void stall(struct speaker *self, const struct recording *rec, const struct stall *stall,
		  const struct stall_diagnosis *d, const char *title)
{
	struct strbuf line = { 0 };

	stall_line(&line, rec, stall, d, title, ((struct lines_speaker *)self)->ascii);
	strbuf_puts(&line, "\n");
	/* One write: the target may be writing to the same terminal. */
	fwrite(line.s, 1, line.len, self->out);
	fflush(self->out);
	strbuf_destroy(&line);
}

static void tick(struct speaker *self, const struct recording *rec)
{
}

static struct tui_wish step(struct speaker *self, const struct recording *rec)
{
	return (struct tui_wish){ .kind = TUI_NOTHING };
}

static void say(struct speaker *self, const char *text)
{
}

static void leave(struct speaker *self)
{
}

static void destroy(struct speaker *self)
{
	free(self);
}

struct speaker *speaker_lines(const struct options *o, FILE *out)
{
	struct lines_speaker *s = xcalloc(1, sizeof(*s));

	s->speaker = (struct speaker){
		.out = out,
		.fd = -1,
		.quiet = o->quiet,
		.attached = attached,
		.stall = stall,
		.tick = tick,
		.step = step,
		.say = say,
		.leave = leave,
		.free = destroy,
	};
	s->ascii = terminal_ascii(o);
	return &s->speaker;
}
