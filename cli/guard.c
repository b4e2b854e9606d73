#include "cli/guard.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "cli/exit.h"
#include "report/tui/screen.h"

/* What the parent needs. */
struct terminal_state {
	struct guard *guard;
	struct termios modes;
	char rescue[256];
	pid_t child;
};

static void make_set(sigset_t *set)
{
	static const int signals[] = { SIGINT,  SIGQUIT, SIGTERM, SIGHUP, SIGTSTP,
				       SIGCONT, SIGCHLD, SIGTTOU, SIGPIPE };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(set, signals[i]);
}

/* Modes are set in any case; what it takes to leave the screen is sent only where it was not left.
 */
static void restore(const struct terminal_state *s)
{
	size_t len = strlen(s->rescue);

	/* In the background the terminal is somebody else's. */
	if (tcgetpgrp(STDOUT_FILENO) != getpgrp())
		return;
	if (*s->guard->screen == GUARD_DRAWING) {
		if (write(STDOUT_FILENO, s->rescue, len) < (ssize_t)len)
			return;
		*s->guard->screen = GUARD_THROWN_OFF;
	}
	tcsetattr(STDOUT_FILENO, TCSADRAIN, &s->modes);
}

/* What the child and its libraries said while there was no place for it. */
static void pass_messages(const struct guard *g)
{
	char text[4096];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(g->messages, text, sizeof(text), at)) > 0) {
		at += n;
		fwrite(text, 1, (size_t)n, stderr);
	}
}

static void stop_like_child(const struct terminal_state *s)
{
	sigset_t tstp;

	restore(s);
	sigemptyset(&tstp);
	sigaddset(&tstp, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &tstp, NULL); /* stops here */
	sigprocmask(SIG_BLOCK, &tstp, NULL);
	kill(s->child, SIGCONT);
}

/* True when the child has ended. */
static bool take_child(const struct terminal_state *s, int *status)
{
	while (waitpid(s->child, status, WNOHANG | WUNTRACED) == s->child) {
		if (!WIFSTOPPED(*status))
			return true;
		stop_like_child(s);
	}
	return false;
}

static _Noreturn void stand_guard(const struct terminal_state *s, const sigset_t *set)
{
	siginfo_t info;
	int status = 0;

	for (;;) {
		int sig = sigwaitinfo(set, &info);

		if (sig == SIGCHLD && take_child(s, &status))
			break;
		/* What the terminal sends reaches the child as well. */
		if (sig > 0 && sig != SIGCHLD && sig != SIGTTOU && sig != SIGPIPE &&
		    info.si_code <= 0)
			kill(s->child, sig);
	}
	restore(s);
	pass_messages(s->guard);
	if (WIFSIGNALED(status) && *s->guard->screen)
		fprintf(stderr, "lagprof: ended by signal %d (%s)\n", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	exit(end_like(status));
}

void guard_begin(struct guard *g)
{
	struct terminal_state s = { .guard = g };
	sigset_t set, before;
	pid_t parent = getpid();

	g->messages = memfd_create("lagprof-messages", MFD_CLOEXEC);
	g->screen = mmap(NULL, sizeof(*g->screen), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g->screen == MAP_FAILED)
		g->screen = NULL;
	screen_rescue(STDOUT_FILENO, s.rescue, sizeof(s.rescue));
	if (!g->screen || tcgetattr(STDOUT_FILENO, &s.modes) < 0)
		return;
	make_set(&set);
	sigprocmask(SIG_BLOCK, &set, &before);
	fflush(NULL);
	s.child = fork();
	if (s.child > 0)
		stand_guard(&s, &set);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (s.child < 0)
		return;
	/* Without its guard the child restores the terminal itself. */
	prctl(PR_SET_PDEATHSIG, SIGHUP);
	if (getppid() != parent)
		raise(SIGHUP);
}

void guard_drawing(struct guard *g, bool drawing)
{
	if (g->screen)
		*g->screen = drawing ? GUARD_DRAWING : GUARD_AWAY;
}

bool guard_threw_off(struct guard *g)
{
	if (!g->screen || *g->screen != GUARD_THROWN_OFF)
		return false;
	*g->screen = GUARD_DRAWING;
	return true;
}
