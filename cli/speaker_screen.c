#include "cli/speaker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analyzers/analyze.h"
#include "cli/complain.h"
#include "cli/guard.h"
#include "cli/terminal.h"
#include "report/tui/screen.h"

static const nsec FRAME = 250000000;     /* at least from one unasked frame to the next */
static const nsec DIAGNOSE = 1000000000; /* at least from one diagnosis to the next */
enum { REST = 400, OPEN_REST = 100 };    /* and that many times as long as it took */

struct screen_speaker {
	struct speaker speaker; /* first: the callbacks are given its address */
	struct guard guard;
	struct tui *tui;
	struct screen *screen; /* NULL before and after */
	struct diagnosis *diagnosis;
	bool live, ascii, color;
	bool dirty, urgent; /* to be drawn, and at once */
	int tty, out, signals;
	int output; /* of the target: a file, -1: none */
	off_t output_size;
	int saved_stderr; /* -1: it is as it was */
	nsec drawn, diagnosed, diagnosis_cost, opened, open_cost;
};

static nsec read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

static nsec now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* What something costs is its CPU time: on a crowded machine time passes by itself. */
static nsec cpu_ns(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

/* Messages must not land on the screen: the guard passes them on at the end. */
static void hide_stderr(struct screen_speaker *s)
{
	if (s->guard.messages < 0 || !isatty(STDERR_FILENO))
		return;
	fflush(stderr);
	s->saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (s->saved_stderr >= 0)
		dup2(s->guard.messages, STDERR_FILENO);
}

static void show_stderr(struct screen_speaker *s)
{
	if (s->saved_stderr < 0)
		return;
	fflush(stderr);
	dup2(s->saved_stderr, STDERR_FILENO);
	close(s->saved_stderr);
	s->saved_stderr = -1;
}

/* Resizes and stops are told through a descriptor, as everything is. */
static void watch_signals(struct screen_speaker *s)
{
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals >= 0)
		epoll_ctl(s->speaker.fd, EPOLL_CTL_ADD, s->signals, &event);
}

static void draw(struct screen_speaker *s, const struct recording *rec)
{
	int rows, columns;

	screen_size(s->screen, &rows, &columns);
	screen_show(s->screen, tui_draw(s->tui, rec, rows, columns));
	s->drawn = now_ns();
	s->dirty = s->urgent = false;
}

static void look_again(struct screen_speaker *s, const struct recording *rec, nsec now)
{
	struct diagnosis *before = s->diagnosis;
	nsec cpu;

	if (tui_paused(s->tui) || !tui_behind(s->tui, rec) ||
	    now - s->diagnosed < DIAGNOSE + REST * s->diagnosis_cost)
		return;
	cpu = cpu_ns();
	s->diagnosis = diagnose(rec);
	tui_diagnosis(s->tui, rec, s->diagnosis);
	diagnosis_free(before);
	s->diagnosis_cost = cpu_ns() - cpu;
	s->diagnosed = now_ns();
	s->dirty = true;
}

static void attached(struct speaker *self, const struct recording *rec, const char *path,
		     const char *output)
{
	struct screen_speaker *s = (struct screen_speaker *)self;
	struct tui_config config = {
		.live = s->live, .ascii = s->ascii, .recording = path, .output = output
	};
	struct error err = { 0 };

	s->tui = tui_new(&config);
	if (output)
		s->output = open(output, O_RDONLY | O_CLOEXEC);
	watch_signals(s);
	guard_drawing(&s->guard, true);
	if (screen_open(&s->screen, s->tty, s->out, s->color, &err) < 0) {
		guard_drawing(&s->guard, false);
		complain(STATUS_FAILED, &err);
		return;
	}
	hide_stderr(s);
	tui_tick(s->tui, rec);
	look_again(s, rec, now_ns());
	draw(s, rec);
}

static void stall(struct speaker *self, const struct recording *rec, const struct stall *stall,
		  const struct stall_diagnosis *d, const char *title)
{
	struct screen_speaker *s = (struct screen_speaker *)self;

	if (!s->screen)
		return;
	tui_stall(s->tui, rec, stall, d, title);
	s->dirty = true;
}

/* What the target wrote last, for the view of the target. */
static void read_output(struct screen_speaker *s)
{
	enum { TAIL = 4096 };
	struct stat st;
	char text[TAIL];
	ssize_t n;

	if (s->output < 0 || fstat(s->output, &st) < 0 || st.st_size == s->output_size)
		return;
	s->output_size = st.st_size;
	n = pread(s->output, text, TAIL, st.st_size > TAIL ? st.st_size - TAIL : 0);
	if (n > 0)
		tui_output(s->tui, text, (size_t)n);
}

static void tick(struct speaker *self, const struct recording *rec)
{
	struct screen_speaker *s = (struct screen_speaker *)self;

	if (!s->screen)
		return;
	if (!tui_paused(s->tui))
		read_output(s);
	tui_tick(s->tui, rec);
	s->dirty = true;
}

/* A stall that goes on is shown from its first quarter of a second on. */
static void look_at_open(struct screen_speaker *s, const struct recording *rec, nsec now)
{
	const struct stall *open = NULL;
	struct arena arena = { 0 };
	struct stall_diagnosis d;
	const char *title;
	nsec cpu;

	if (!s->live || tui_paused(s->tui) || now - s->opened < FRAME + OPEN_REST * s->open_cost)
		return;
	for (size_t i = rec->n_stalls; i-- > 0 && i + 8 > rec->n_stalls && !open;)
		if (rec->stalls[i].open)
			open = &rec->stalls[i];
	s->opened = now;
	if (!open)
		return;
	cpu = cpu_ns();
	d = diagnose_stall(rec, open, &title, &arena);
	tui_stall(s->tui, rec, open, &d, title);
	arena_free(&arena);
	s->open_cost = cpu_ns() - cpu;
	s->dirty = true;
}

/* Stops as Ctrl-Z asks, the terminal being the shell's meanwhile. */
static void stop(struct screen_speaker *s)
{
	sigset_t set;

	screen_leave(s->screen);
	guard_drawing(&s->guard, false);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, NULL); /* stops here */
	sigprocmask(SIG_BLOCK, &set, NULL);
	guard_drawing(&s->guard, true);
	screen_return(s->screen);
}

/* After SIGCONT, whatever stopped it. */
static void come_back(struct screen_speaker *s)
{
	if (guard_threw_off(&s->guard))
		screen_enter(s->screen);
	screen_return(s->screen);
}

static void take_signals(struct screen_speaker *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTSTP)
			stop(s);
		else if (info.ssi_signo == SIGCONT)
			come_back(s);
		else
			screen_fit(s->screen, false);
		s->urgent = true;
	}
}

static struct tui_wish take_keys(struct screen_speaker *s, const struct recording *rec)
{
	struct pollfd tty = { .fd = s->tty, .events = POLLIN };
	struct tui_wish wish = { .kind = TUI_NOTHING };
	int key;

	if (poll(&tty, 1, 0) <= 0)
		return wish;
	while (wish.kind == TUI_NOTHING && (key = screen_key(s->screen)) != TUI_KEY_NONE) {
		wish = tui_key(s->tui, rec, key);
		s->urgent = true;
	}
	/* The terminal is gone. */
	if (tty.revents & (POLLHUP | POLLERR | POLLNVAL))
		wish.kind = TUI_QUIT;
	return wish;
}

static struct tui_wish step(struct speaker *self, const struct recording *rec)
{
	struct screen_speaker *s = (struct screen_speaker *)self;
	struct tui_wish wish;
	nsec now;

	if (!s->screen)
		return (struct tui_wish){ .kind = TUI_QUIT };
	take_signals(s);
	wish = take_keys(s, rec);
	now = now_ns();
	look_at_open(s, rec, now);
	look_again(s, rec, now);
	if (s->urgent || (s->dirty && now - s->drawn >= FRAME))
		draw(s, rec);
	return wish;
}

static void say(struct speaker *self, const char *text)
{
	struct screen_speaker *s = (struct screen_speaker *)self;

	if (!s->screen)
		return;
	tui_say(s->tui, "%s", text);
	s->urgent = true;
}

static void leave(struct speaker *self)
{
	struct screen_speaker *s = (struct screen_speaker *)self;

	if (!s->screen)
		return;
	screen_close(s->screen);
	s->screen = NULL;
	guard_drawing(&s->guard, false);
	show_stderr(s);
	diagnosis_free(s->diagnosis);
	s->diagnosis = NULL;
}

static void destroy(struct speaker *self)
{
	struct screen_speaker *s = (struct screen_speaker *)self;

	leave(self);
	tui_free(s->tui);
	if (s->signals >= 0)
		close(s->signals);
	if (s->output >= 0)
		close(s->output);
	if (self->fd >= 0)
		close(self->fd);
	free(s);
}

struct speaker *speaker_screen(const struct options *o, bool live)
{
	struct screen_speaker *s = xcalloc(1, sizeof(*s));
	struct epoll_event event = { .events = EPOLLIN };

	guard_begin(&s->guard);
	s->speaker = (struct speaker){
		.out = stderr,
		.fd = -1,
		.screen = true,
		.attached = attached,
		.stall = stall,
		.tick = tick,
		.step = step,
		.say = say,
		.leave = leave,
		.free = destroy,
	};
	s->live = live;
	s->ascii = !screen_locale(terminal_ascii(o));
	s->color = terminal_color(o, STDOUT_FILENO);
	s->saved_stderr = s->signals = s->output = -1;
	s->tty = isatty(STDIN_FILENO) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
				      : open("/dev/tty", O_RDWR | O_CLOEXEC);
	s->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	s->speaker.fd = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(s->speaker.fd, EPOLL_CTL_ADD, s->tty, &event);
	return &s->speaker;
}
