#include "cli/speaker.h"

#include <stdlib.h>

#include "cli/terminal.h"
#include "report/renderer.h"
#include "report/repeats.h"

struct lines_speaker {
	struct speaker speaker; /* first: the callbacks are given its address */
	struct repeats repeats;
	uint32_t open;   /* id of the open stall that was told of last */
	nsec open_next;  /* how long it has to last to be told of again */
	bool ascii, all; /* all: every stall has its line */
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

/* One write: the target may be writing to the same terminal. */
static void put(struct speaker *self, struct strbuf *text)
{
	if (text->len)
		fwrite(text->s, 1, text->len, self->out);
	fflush(self->out);
	strbuf_destroy(text);
}

/* An open stall is told of when it has lasted 1, 2, 4, 8... s. */
static bool shows_open(struct lines_speaker *s, const struct stall *stall)
{
	if (stall->id == s->open && stall->duration < s->open_next)
		return false;
	s->open = stall->id;
	for (s->open_next = 2000000000; s->open_next <= stall->duration;)
		s->open_next *= 2;
	return true;
}

static bool shows(struct lines_speaker *s, const struct recording *rec, const struct stall *stall,
		  const struct stall_diagnosis *d)
{
	if (s->all)
		return true;
	return stall->open ? shows_open(s, stall) : repeats_show(&s->repeats, rec, stall, d);
}

static void stall(struct speaker *self, const struct recording *rec, const struct stall *stall,
		  const struct stall_diagnosis *d, const char *title)
{
	struct lines_speaker *s = (struct lines_speaker *)self;
	struct strbuf line = { 0 };

	if (!shows(s, rec, stall, d))
		return;
	stall_line(&line, rec, stall, d, title, s->ascii);
	strbuf_puts(&line, "\n");
	put(self, &line);
}

static void tell_repeats(struct speaker *self, nsec now)
{
	struct lines_speaker *s = (struct lines_speaker *)self;
	struct strbuf lines = { 0 };

	repeats_tell(&s->repeats, now, s->ascii, &lines);
	put(self, &lines);
}

static void tick(struct speaker *self, const struct recording *rec)
{
	tell_repeats(self, rec->session.duration);
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
	tell_repeats(self, UINT64_MAX);
}

static void destroy(struct speaker *self)
{
	repeats_destroy(&((struct lines_speaker *)self)->repeats);
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
	s->all = o->verbose;
	s->open = UINT32_MAX;
	return &s->speaker;
}
