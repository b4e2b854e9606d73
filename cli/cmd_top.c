#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/complain.h"
#include "cli/launch.h"
#include "cli/loaded.h"
#include "cli/observe.h"
#include "cli/output.h"
#include "cli/pid.h"
#include "cli/top_once.h"

#define PIDS "pgrep -af NAME shows the ids of running programs"

/* Of the live view or the lines in its place. */
static int top_session(const struct options *o, pid_t pid, char **command)
{
	struct budgets none = { 0 };
	struct speaker *speaker;
	int status;

	if (speaker_screen_possible())
		speaker = speaker_screen(o, true);
	else /* Standard output belongs to a command that is run. */
		speaker = speaker_lines(o, command ? stderr : stdout);
	status = command ? launch(o, command, &none, speaker) : attach(o, pid, &none, speaker);
	speaker->free(speaker);
	return status;
}

/* Writes what a recording says in another format. */
static void write_file(struct speaker *speaker, const struct loaded *l, const char *file,
		       const struct renderer *renderer)
{
	struct report report = { .rec = l->rec, .diagnosis = l->d };
	char path[4200], said[4300];
	struct error err = { 0 };

	output_beside(path, sizeof(path), file, renderer->suffix);
	if (output_render(renderer, &report, path, &err) < 0)
		snprintf(said, sizeof(said), "%s", err.msg);
	else
		snprintf(said, sizeof(said), "Wrote %s", path);
	speaker->say(speaker, said);
}

/* The same screen for a recording: nothing comes in but keys and signals. */
static void watch_file(struct speaker *speaker, const struct loaded *l, const char *file,
		       int signals)
{
	struct pollfd fds[] = { { .fd = signals, .events = POLLIN },
				{ .fd = speaker->fd, .events = POLLIN } };
	struct tui_wish wish = { .kind = TUI_NOTHING };

	speaker->attached(speaker, l->rec, file, NULL);
	while (wish.kind != TUI_QUIT) {
		poll(fds, 2, 1000);
		if (fds[0].revents)
			break;
		wish = speaker->step(speaker, l->rec);
		if (wish.kind == TUI_WRITE)
			write_file(speaker, l, file, wish.format);
	}
	speaker->leave(speaker);
}

static int top_file(const struct options *o, const char *file)
{
	struct speaker *speaker;
	struct loaded loaded;
	struct error err = { 0 };
	int signals;

	if (loaded_read(&loaded, file, !o->no_source_maps, &err) < 0)
		return complain(STATUS_FAILED, &err);
	if (!speaker_screen_possible()) {
		top_print(o, loaded.rec, loaded.d);
		loaded_free(&loaded);
		return STATUS_OK;
	}
	speaker = speaker_screen(o, false);
	signals = observe_signals(NULL, &err);
	if (signals < 0)
		return complain(STATUS_FAILED, &err);
	watch_file(speaker, &loaded, file, signals);
	speaker->free(speaker);
	loaded_free(&loaded);
	return STATUS_OK;
}

static bool is_recording(const char *operand)
{
	size_t len = strlen(operand), suffix = strlen(".lagprof");

	return len > suffix && strcmp(operand + len - suffix, ".lagprof") == 0 &&
	       access(operand, F_OK) == 0;
}

static bool is_no_command(const char *operand)
{
	pid_t pid;

	return pid_parse(operand, &pid) == 0 || is_recording(operand);
}

static int run_top(const struct options *o, int argc, char **argv)
{
	struct error err = { 0 };
	pid_t pid = 0;
	bool is_pid = argc == 1 && pid_parse(argv[0], &pid) == 0;

	if (argc < 1)
		return complain_usage(PIDS, "top needs a process id or a command");
	if (argc == 1 && is_recording(argv[0])) {
		if (!o->once)
			return top_file(o, argv[0]);
		return top_once_file(o, argv[0], &err) < 0 ? complain(STATUS_FAILED, &err)
							   : STATUS_OK;
	}
	if (o->once && !is_pid)
		return complain_usage("lagprof top --once PID",
				      "--once takes a process id or a recording");
	if (o->once)
		return top_once(o, pid, &err) < 0 ? complain(STATUS_FAILED, &err) : STATUS_OK;
	return top_session(o, pid, is_pid ? NULL : argv);
}

const struct command command_top = {
	.name = "top",
	.operands = "PID | FILE.lagprof | [--] COMMAND [ARGUMENT...]",
	.help = "watch a process live, on a screen",
	.examples = "lagprof top 4242                       # q ends it, ? shows the keys\n"
		    "lagprof top -- node server.js          # run a command and watch it\n"
		    "lagprof top lagprof-4242.lagprof       # look at a recording\n"
		    "lagprof top --once 4242 >frame.txt     # one screen as text\n",
	.details = "Recording goes on underneath: q keeps the recording and the HTML report and "
		   "says their names.  A command that top runs gets SIGTERM at q, reads nothing "
		   "from the terminal, and what it would write there goes to a .out file beside "
		   "the recording.  Where standard output is no terminal, or TERM=dumb, each stall "
		   "is a line.",
	.wraps = true,
	.stands_alone = is_no_command,
	.run = run_top,
};
