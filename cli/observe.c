#include "cli/observe.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "analyzers/analyze.h"
#include "cli/browser.h"
#include "cli/capture.h"
#include "cli/complain.h"
#include "cli/hooks.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/recording_file.h"
#include "core/redact.h"
#include "sampler/listening.h"
#include "sampler/places.h"
#include "sampler/session.h"

enum { STACK_BYTES = 16384, HOOK_MS = 2000 };

/* An observation under way: what the sink and the loop need. */
struct watching {
	struct sink sink; /* first: the sink's callbacks are given its address */
	struct observe *ob;
	struct recording *rec;
	struct recording_writer *writer; /* NULL after it failed */
	char path[4096];                 /* of the recording */
	struct error write_error;        /* its first failure */
	int interrupts;                  /* Ctrl-C's so far */
	int quits;                       /* the same by a key */
	struct hook on_stall, on_port;
	bool port_known;
	struct session_run *session;
	int wake; /* an epoll descriptor: signals, and what the speaker waits for */
};

int observe_signals(void *before, struct error *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	/* A closed pipe on standard error must not end the observation. */
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, before);
	sigdelset(&set, SIGPIPE);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd >= 0 ? fd
		       : error_set(err, -errno, "cannot watch for signals: %s", strerror(errno));
}

/* A failure that does not end the observation. */
static void complain_aloud(struct watching *w, const struct error *err)
{
	w->ob->speaker->say(w->ob->speaker, err->msg);
	complain(STATUS_FAILED, err);
}

/* A full disk is said once; the session goes on, and reports from memory. */
static void write_down(struct watching *w, struct recording *rec, bool force)
{
	if (w->writer && !w->write_error.code &&
	    recording_write(w->writer, rec, force, &w->write_error) < 0)
		complain_aloud(w, &w->write_error);
}

static void sink_stall(struct sink *self, struct recording *rec, const struct stall *stall)
{
	struct watching *w = (struct watching *)self;
	struct speaker *speaker = w->ob->speaker;
	struct arena arena = { 0 };
	struct stall_diagnosis d;
	const char *title;

	if (!speaker->quiet || w->on_stall.command) {
		d = diagnose_stall(rec, stall, &title, &arena);
		if (!stall->open)
			hook_stall(&w->on_stall, w->ob->target->pid, stall, &d, title);
		if (!speaker->quiet)
			speaker->stall(speaker, rec, stall, &d, title);
	}
	arena_free(&arena);
	write_down(w, rec, !stall->open);
}

static void sink_tick(struct sink *self, struct recording *rec)
{
	struct watching *w = (struct watching *)self;

	write_down(w, rec, false);
	w->ob->speaker->tick(w->ob->speaker, rec);
}

/* lagprof-PID.lagprof, or with -2, -3… where that exists. */
static int create_recording(struct watching *w, struct error *err)
{
	const char *given = w->ob->o->output;
	int ret = -EEXIST;

	if (given) {
		snprintf(w->path, sizeof(w->path), "%s", given);
		return recording_replace(&w->writer, w->path, 0, err);
	}
	for (int i = 1; i < 1000 && ret == -EEXIST; i++) {
		snprintf(w->path, sizeof(w->path),
			 i == 1 ? "lagprof-%d.lagprof" : "lagprof-%d-%d.lagprof",
			 w->ob->target->pid, i);
		ret = recording_create(&w->writer, w->path, 0, err);
	}
	return ret;
}

static int open_session(struct watching *w, struct session_run **s, struct error *err)
{
	const struct options *o = w->ob->o;
	struct session_config config = {
		.threshold = o->threshold,
		.startup = o->startup,
		.freq = o->freq,
		.stack_bytes = STACK_BYTES,
		.all_loops = o->loops == LOOPS_ALL,
		.children = o->follow,
		.strict = o->strict,
		.show_queries = o->show_queries,
		.probe = probe_find(o->probe), /* none of that name: auto */
		.max_overhead = o->max_overhead,
		.unwinder = unwinder_find(o->unwinder),
		.sink = &w->sink,
	};

	if (!config.unwinder)
		return error_set(err, -EINVAL, "no unwinder is called \"%s\"", o->unwinder);
	return session_open(s, w->ob->target, &config, w->rec, err);
}

/* True when the observation is to end now. */
static bool take_signals(struct watching *w)
{
	struct signalfd_siginfo info;
	bool stop = false;

	while (read(w->ob->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		int sig = (int)info.ssi_signo;

		if (sig == SIGCHLD)
			continue;
		w->interrupts++;
		if (!w->ob->target->child) {
			stop = true;
			continue;
		}
		/*
		 * A launched target decides what becomes of it.  Ctrl-C and Ctrl-\ reach it from
		 * the terminal; what was sent to lagprof alone is passed on.
		 */
		if (sig == SIGTERM || sig == SIGHUP || info.ssi_pid != 0)
			kill(w->ob->target->pid, sig);
		stop = stop || w->interrupts >= 2;
	}
	return stop;
}

static nsec monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

/* Runs --on-port as soon as the target listens. */
static void check_port(struct watching *w)
{
	int port;

	if (!w->on_port.command || w->port_known)
		return;
	port = target_listening_port(w->ob->target);
	if (!port)
		return;
	w->port_known = true;
	hook_port(&w->on_port, port);
}

/* Asks a launched target to end, then makes it; an attached one is left alone: true. */
static bool quit(struct watching *w)
{
	struct target *target = w->ob->target;

	w->ob->quit = true;
	if (!target->child)
		return true;
	kill(target->pid, w->quits++ ? SIGKILL : SIGTERM);
	w->ob->speaker->say(w->ob->speaker,
			    "The target was asked to end (SIGTERM); q again kills it.");
	return false;
}

/* The report as it would be now; native code has no lines before the end. */
static void write_now(struct watching *w, const struct renderer *renderer)
{
	struct diagnosis *d = diagnose(w->rec);
	struct report report = { .rec = w->rec, .diagnosis = d };
	struct error err = { 0 };
	char path[4200], said[4300];

	output_beside(path, sizeof(path), w->path, renderer->suffix);
	if (w->ob->o->redact)
		snprintf(said, sizeof(said), "With --redact reports are written at the end.");
	else if (output_render(renderer, &report, path, &err) < 0)
		snprintf(said, sizeof(said), "%s", err.msg);
	else
		snprintf(said, sizeof(said), "Wrote %s", path);
	w->ob->speaker->say(w->ob->speaker, said);
	diagnosis_free(d);
}

/* Does what the user wants; true when the observation is to end now. */
static bool grant(struct watching *w, struct tui_wish wish)
{
	char said[80];

	switch (wish.kind) {
	case TUI_QUIT:
		return quit(w);
	case TUI_THRESHOLD:
		session_set_threshold(w->session, wish.threshold);
		snprintf(said, sizeof(said), "Turns of %.4g ms or more are stalls from now on.",
			 (double)wish.threshold / 1e6);
		w->ob->speaker->say(w->ob->speaker, said);
		return false;
	case TUI_WRITE:
		write_now(w, wish.format);
		return false;
	case TUI_NOTHING:
		break;
	}
	return false;
}

static enum session_end watch_until_end(struct watching *w)
{
	nsec duration = w->ob->o->duration, start = monotonic();
	struct speaker *speaker = w->ob->speaker;

	for (;;) {
		enum session_news news = session_step(w->session, w->wake, -1);

		check_port(w);
		hook_reap(&w->on_stall);
		hook_reap(&w->on_port);
		if (news == SESSION_ENDED) {
			target_reap(w->ob->target);
			return END_TARGET_EXITED;
		}
		if (news == SESSION_WOKEN && take_signals(w))
			return END_INTERRUPTED;
		if (grant(w, speaker->step(speaker, w->rec)))
			return END_INTERRUPTED;
		if (duration && monotonic() - start >= duration)
			return END_DURATION;
	}
}

/* What ends the session's wait. */
static int make_wake(struct watching *w, struct error *err)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fds[] = { w->ob->signals, w->ob->speaker->fd };

	w->wake = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; w->wake >= 0 && i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0 && epoll_ctl(w->wake, EPOLL_CTL_ADD, fds[i], &event) < 0)
			return error_set(err, -errno, "cannot wait for signals: %s",
					 strerror(errno));
	return w->wake < 0 ? error_set(err, -errno, "epoll: %s", strerror(errno)) : 0;
}

static int render_to(const char *format, const struct report *report, const char *path,
		     struct error *err)
{
	return output_render(renderer_find(format), report, path, err);
}

/* After the live view a few lines are enough. */
static int render_text(struct watching *w, const struct report *report, struct error *err)
{
	FILE *out = w->ob->speaker->out;

	if (!w->ob->speaker->screen || w->ob->o->verbose)
		return renderer_text.render(report, out, err);
	report_summary(report, out);
	return 0;
}

static int write_reports(struct watching *w, const struct report *report, struct error *err)
{
	const struct options *o = w->ob->o;
	const char *html = o->html;
	FILE *out = w->ob->speaker->out;
	char name[4200];
	int ret = 0;

	if (!o->quiet) {
		ret = render_text(w, report, err);
		if (w->writer || w->write_error.code == 0)
			fprintf(out, "recording: %s\n", w->path);
		if (w->ob->capture && w->ob->capture->path[0])
			fprintf(out, "output: %s\n", w->ob->capture->path);
	}
	if (ret == 0 && o->json)
		ret = render_to("json", report, o->json, err);
	if (ret == 0 && !o->no_html && renderer_find("html")) {
		if (!html)
			html = output_beside(name, sizeof(name), w->path, ".html");
		ret = render_to("html", report, html, err);
		if (ret == 0 && !o->quiet)
			fprintf(out, "report: %s\n", html);
		if (ret == 0 && o->open)
			browser_open(html);
	}
	return ret;
}

static int conclude(struct watching *w, struct error *err)
{
	int out = fileno(w->ob->speaker->out);
	struct report report = { .rec = w->rec,
				 .color = terminal_color(w->ob->o, out),
				 .ascii = terminal_ascii(w->ob->o),
				 .verbose = w->ob->o->verbose,
				 .width = terminal_width(out) };
	struct diagnosis *d;
	pid_t pid = target_alive(w->ob->target) ? w->ob->target->pid : 0;
	int ret = 0, said = w->write_error.code;

	places_resolve(w->rec, pid, !w->ob->o->no_source_maps);
	if (w->writer) {
		recording_finish(w->writer, w->rec, &w->write_error);
		w->writer = NULL;
		if (w->write_error.code && !said)
			complain(STATUS_FAILED, &w->write_error);
	}
	d = diagnose(w->rec);
	report.diagnosis = d;
	report.budget = budgets_check(w->ob->budgets, w->rec, d);
	w->ob->verdict = report.budget ? report.budget->verdict : VERDICT_NONE;
	if (w->ob->o->redact) {
		diagnosis_free(d);
		recording_redact(w->rec);
		d = diagnose(w->rec);
		report.diagnosis = d;
	}
	ret = write_reports(w, &report, err);
	diagnosis_free(d);
	if (ret == 0 && w->write_error.code) {
		*err = w->write_error;
		err->msg[0] = '\0'; /* it was said when it happened */
		ret = err->code;
	}
	return ret;
}

/* Until its exec is seen, a launched target still looks like lagprof. */
static void describe_command(struct recording *rec, char **command)
{
	uint32_t n = 0;

	while (command[n])
		n++;
	rec->target.argv = arena_alloc(&rec->arena, n * sizeof(*rec->target.argv));
	for (uint32_t i = 0; i < n; i++)
		rec->target.argv[i] = recording_intern(rec, command[i]);
	rec->target.argc = n;
	rec->target.exe = NULL;
}

/* From the moment on at which events are live. */
static void observe_live(struct watching *w)
{
	struct speaker *speaker = w->ob->speaker;
	enum session_end end;

	speaker->attached(speaker, w->rec, w->path, w->ob->capture ? w->ob->capture->path : NULL);
	end = watch_until_end(w);
	speaker->leave(speaker);
	session_finish(w->session, end);
	hook_finish(&w->on_stall, HOOK_MS);
	hook_finish(&w->on_port, HOOK_MS);
}

static int observe_session(struct watching *w, bool *exec_failed, struct error *err)
{
	int ret = open_session(w, &w->session, err);

	if (ret < 0)
		return ret;
	if (w->ob->command)
		describe_command(w->rec, w->ob->command);
	ret = create_recording(w, err);
	if (ret < 0)
		goto out;
	ret = make_wake(w, err);
	if (ret < 0)
		goto drop;
	if (w->ob->capture)
		capture_name(w->ob->capture, w->path);
	if (w->ob->command) {
		ret = target_release(w->ob->target, w->ob->command, err);
		*exec_failed = ret < 0;
		if (ret < 0)
			goto drop;
	}
	observe_live(w);
	ret = conclude(w, err);
	goto out;
drop:
	recording_abandon(w->writer);
	unlink(w->path);
out:
	if (w->wake >= 0)
		close(w->wake);
	session_close(w->session);
	return ret;
}

int observe_run(struct observe *ob, bool *exec_failed, struct error *err)
{
	struct watching w = { .sink = { .stall = sink_stall, .tick = sink_tick },
			      .ob = ob,
			      .wake = -1,
			      .on_stall.command = ob->o->on_stall,
			      .on_port.command = ob->o->on_port };
	int ret;

	*exec_failed = false;
	w.rec = recording_new();
	ret = observe_session(&w, exec_failed, err);
	recording_free(w.rec);
	return ret;
}
