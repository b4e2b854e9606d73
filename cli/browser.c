#include "cli/browser.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/complain.h"

static bool read_id(const char *name, unsigned long *id)
{
	const char *text = getenv(name);
	char *end;

	if (!text || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*id = strtoul(text, &end, 10);
	return *end == '\0' && errno == 0 && *id > 0 && *id < UINT_MAX;
}

bool invoking_user(uid_t *uid, gid_t *gid)
{
	unsigned long user, group;

	if (geteuid() != 0 || !read_id("SUDO_UID", &user) || !read_id("SUDO_GID", &group))
		return false;
	*uid = (uid_t)user;
	*gid = (gid_t)group;
	return true;
}

/* Browsers refuse to be root, and are to know the user's settings. */
static bool become_invoking_user(void)
{
	const struct passwd *user;
	char runtime[64];
	uid_t uid;
	gid_t gid;

	if (!invoking_user(&uid, &gid))
		return true;
	user = getpwuid(uid);
	if (!user || initgroups(user->pw_name, gid) < 0 || setgid(gid) < 0 || setuid(uid) < 0)
		return false;
	setenv("HOME", user->pw_dir, 1);
	snprintf(runtime, sizeof(runtime), "/run/user/%u", (unsigned)uid);
	return setenv("XDG_RUNTIME_DIR", runtime, 0) == 0;
}

/* $BROWSER may also be a list with places for the path, which xdg-open understands. */
static void exec_browser(const char *path)
{
	const char *browser = getenv("BROWSER");

	if (browser && browser[0] && !strpbrk(browser, " :%"))
		execlp(browser, browser, path, (char *)NULL);
	execlp("xdg-open", "xdg-open", path, (char *)NULL);
	execlp("sensible-browser", "sensible-browser", path, (char *)NULL);
}

/* Never returns; a byte on `failed` says that nothing could be started. */
static void run_browser(const char *path, int failed)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;
	ssize_t n = -1;

	setsid(); /* a terminal's Ctrl-C is not for it, nor may it read there */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (become_invoking_user())
		exec_browser(path);
	n = write(failed, "", 1);
	_exit(n == 1 ? 0 : 1);
}

/* In two steps, so that nobody has to wait for it. */
static bool start_browser(const char *path)
{
	int failed[2];
	char byte;
	pid_t pid;
	bool ok;

	if (pipe2(failed, O_CLOEXEC) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		if (fork() == 0)
			run_browser(path, failed[1]);
		_exit(0);
	}
	close(failed[1]);
	ok = pid > 0 && read(failed[0], &byte, 1) == 0;
	close(failed[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return ok;
}

void browser_open(const char *path)
{
	char whole[PATH_MAX];
	struct error err = { 0 };

	if (realpath(path, whole) && start_browser(whole))
		return;
	error_set(&err, -ENOENT, "no browser could be started to show %s", path);
	error_fix(&err, "BROWSER=firefox, or apt install xdg-utils");
	complain(STATUS_OK, &err);
}
