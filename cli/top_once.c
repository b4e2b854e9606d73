#include "cli/top_once.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "analyzers/analyze.h"
#include "cli/loaded.h"
#include "cli/terminal.h"
#include "report/tui/screen.h"
#include "sampler/session.h"

enum { STACK_BYTES = 16384, ROWS = 24, COLUMNS = 80, LEAST = 4 };
static const nsec MOMENT = 2000000000;

/* $LINES and $COLUMNS say how large text is to be where there is no terminal. */
static int size_of(const char *variable, int terminal, int otherwise)
{
	const char *text = getenv(variable);
	int n = text ? atoi(text) : 0;

	if (terminal > 0)
		return terminal;
	return n >= LEAST && n <= 1000 ? n : otherwise;
}

void top_print(const struct options *o, const struct recording *rec, const struct diagnosis *d)
{
	struct tui_config config = { .ascii = !screen_locale(terminal_ascii(o)), .still = true };
	struct winsize size = { 0 };
	struct tui *tui;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		size = (struct winsize){ 0 };
	tui = tui_new(&config);
	tui_diagnosis(tui, rec, d);
	tui_tick(tui, rec);
	canvas_print(tui_draw(tui, rec, size_of("LINES", size.ws_row, ROWS),
			      size_of("COLUMNS", size.ws_col, COLUMNS)),
		     stdout, terminal_color(o, STDOUT_FILENO));
	tui_free(tui);
}

int top_once_file(const struct options *o, const char *file, struct error *err)
{
	struct loaded loaded;
	int ret = loaded_read(&loaded, file, !o->no_source_maps, err);

	if (ret == 0)
		top_print(o, loaded.rec, loaded.d);
	loaded_free(&loaded);
	return ret;
}

static void no_stall(struct sink *self, struct recording *rec, const struct stall *stall)
{
}

static void no_tick(struct sink *self, struct recording *rec)
{
}

static nsec monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

static int observe(const struct options *o, const struct target *target, struct recording *rec,
		   struct error *err)
{
	struct sink sink = { .stall = no_stall, .tick = no_tick };
	struct session_config config = { .threshold = o->threshold,
					 .startup = o->startup,
					 .freq = o->freq,
					 .stack_bytes = STACK_BYTES,
					 .probe = probes[0],
					 .unwinder = unwinder_find(o->unwinder),
					 .all_loops = o->loops == LOOPS_ALL,
					 .sink = &sink };
	enum session_news news = SESSION_QUIET;
	nsec start, moment = o->duration ? o->duration : MOMENT;
	struct session_run *s;
	int ret;

	if (!config.unwinder)
		return error_set(err, -EINVAL, "no unwinder is called \"%s\"", o->unwinder);
	ret = session_open(&s, target, &config, rec, err);
	if (ret < 0)
		return ret;
	start = monotonic();
	while (news != SESSION_ENDED && monotonic() - start < moment)
		news = session_step(s, -1, -1);
	session_finish(s, news == SESSION_ENDED ? END_TARGET_EXITED : END_DURATION);
	session_close(s);
	return 0;
}

int top_once(const struct options *o, pid_t pid, struct error *err)
{
	struct recording *rec = recording_new();
	struct target target;
	struct diagnosis *d;
	int ret = target_attach(&target, pid, err);

	if (ret == 0) {
		ret = observe(o, &target, rec, err);
		target_close(&target);
	}
	if (ret == 0) {
		d = diagnose(rec);
		top_print(o, rec, d);
		diagnosis_free(d);
	}
	recording_free(rec);
	return ret;
}
