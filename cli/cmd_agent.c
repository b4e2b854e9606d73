#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cli/agent/listen.h"
#include "cli/agent/pages.h"
#include "cli/command.h"
#include "cli/complain.h"
#include "cli/observe.h"
#include "cli/pid.h"
#include "sampler/probe.h"
#include "sampler/unwind.h"

#define LISTEN "127.0.0.1:9095"
#define PIDS   "pgrep -af NAME shows the ids of running programs"

enum { TICK_MS = 1000 };

struct agent {
	struct fleet fleet;
	struct pages pages;
	struct listening listening;
	int signals; /* a signalfd */
};

static nsec monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

/* True when the agent is to end. */
static bool take_signals(struct agent *a)
{
	struct signalfd_siginfo info;

	while (read(a->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			return true;
	return false;
}

/* Until there is something to do. */
static void wait_for(struct agent *a, nsec next)
{
	enum { MORE = 2 };
	struct pollfd fds[MORE + FLEET_OBSERVED_MAX] = {
		{ .fd = a->signals, .events = POLLIN },
		{ .fd = server_fd(a->pages.server), .events = POLLIN },
	};
	nfds_t n = MORE + fleet_fds(&a->fleet, fds + MORE);
	nsec now = monotonic();
	int timeout = next > now ? (int)((next - now) / 1000000) + 1 : 0;
	int server = server_timeout(a->pages.server);

	poll(fds, n, server >= 0 && server < timeout ? server : timeout);
}

static void serve(struct agent *a)
{
	nsec next = 0;

	while (!take_signals(a) && !fleet_is_over(&a->fleet)) {
		nsec now = monotonic();

		if (now >= next) {
			fleet_tick(&a->fleet, now);
			next = now + TICK_MS * 1000000ull;
		}
		fleet_hear(&a->fleet);
		pages_complete(&a->pages, now);
		server_work(a->pages.server);
		wait_for(a, next);
	}
}

static void greet(const struct agent *a, const struct options *o)
{
	struct strbuf line = { 0 };

	if (!a->listening.local)
		fprintf(stderr, "lagprof: other machines can reach this agent, and whoever asks is "
				"answered\n");
	if (o->quiet)
		return;
	strbuf_printf(&line, "lagprof: agent at %s", a->listening.url);
	for (size_t i = 0; i < o->names.n; i++) {
		strbuf_puts(&line, i ? ", " : ", watches processes called ");
		strbuf_puts_visible(&line, o->names.items[i]);
	}
	strbuf_puts(&line, "\n");
	fwrite(line.s, 1, line.len, stderr);
	strbuf_destroy(&line);
}

static int run(struct agent *a, const struct options *o, struct error *err)
{
	int ret = listen_on(&a->listening, o->listen ? o->listen : LISTEN, o->expose, err);

	if (ret < 0)
		return ret;
	a->signals = observe_signals(NULL, err);
	if (a->signals < 0)
		return a->signals;
	a->pages.fleet = &a->fleet;
	ret = server_start(&a->pages.server, a->listening.fd, pages_answer, &a->pages, err);
	if (ret < 0)
		return ret;
	greet(a, o);
	serve(a);
	if (!o->quiet)
		fprintf(stderr, "lagprof: agent ends%s\n",
			fleet_is_over(&a->fleet) ? ": all processes that it was to watch have ended"
						 : "");
	server_stop(a->pages.server);
	return 0;
}

static int check(const struct options *o, int argc, char **argv, pid_t *pids)
{
	if (argc == 0 && o->names.n == 0)
		return complain_usage(
			"lagprof agent --name 'node*'",
			"agent takes process ids, or --name for what is to be watched");
	for (int i = 0; i < argc; i++)
		if (pid_parse(argv[i], &pids[i]) < 0)
			return complain_usage(PIDS, "\"%s\" is not a process id", argv[i]);
	return STATUS_OK;
}

static int run_agent(const struct options *o, int argc, char **argv)
{
	static struct agent a; /* some 10 KB a program */
	pid_t *pids = xcalloc((size_t)argc + 1, sizeof(*pids));
	struct error err = { 0 };
	int status = check(o, argc, argv, pids);

	a = (struct agent){ .listening.fd = -1, .signals = -1 };
	if (status == STATUS_OK &&
	    (fleet_init(&a.fleet, o, pids, (size_t)argc, &err) < 0 || run(&a, o, &err) < 0))
		status = complain(err.code == -EINVAL || err.code == -EPERM ? STATUS_USAGE
									    : STATUS_FAILED,
				  &err);
	fleet_destroy(&a.fleet);
	listen_end(&a.listening);
	if (a.signals >= 0)
		close(a.signals);
	free(pids);
	return status;
}

const struct command command_agent = {
	.name = "agent",
	.operands = "[PID...]",
	.help = "watch services for good and serve metrics to Prometheus",
	.examples = "lagprof agent --name node                  # all that node runs, as it comes "
		    "and goes\n"
		    "lagprof agent --name 'shop*.js' --name redis-server\n"
		    "lagprof agent --listen unix:/run/lagprof.sock 4242\n"
		    "curl -o stalls.pb.gz 'http://" LISTEN "/debug/pprof/stalls?seconds=60'\n",
	.details =
		"Serves /metrics, and /debug/pprof/stalls with the stacks of the last stalls, to "
		"this machine only unless --expose is given.  Numbers are kept by name: the "
		"script's that node or Python runs, else the command's.  What starts later, or "
		"again, is found within a second or two; what cannot be observed is in the "
		"metrics, and why in the list at /.  At most 32 processes are observed at a time. "
		"Ends with status 0 at Ctrl-C and SIGTERM, and when only process ids were given "
		"and all of them have ended.",
	.run = run_agent,
};
