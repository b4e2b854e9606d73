#include "cli/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"

/* Descriptor fd becomes `with`. */
static void replace(struct capture *c, int fd, int with)
{
	c->saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (c->saved[fd] >= 0)
		dup2(with, fd);
}

/* A new file in the folder of `output`. */
static int make_file(struct capture *c, const char *output, struct error *err)
{
	const char *slash = output ? strrchr(output, '/') : NULL;
	int fd;

	snprintf(c->path, sizeof(c->path), "%.*s.lagprof-out.XXXXXX",
		 slash ? (int)(slash + 1 - output) : 0, output ? output : "");
	fd = mkostemp(c->path, O_CLOEXEC | O_APPEND);
	if (fd < 0) {
		error_set(err, -errno, "cannot create a file for the target's output: %s",
			  strerror(errno));
		c->path[0] = '\0';
	}
	return fd;
}

int capture_begin(struct capture *c, const char *output, struct error *err)
{
	int file = -1, null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	*c = (struct capture){ .saved = { -1, -1, -1 } };
	if (isatty(STDOUT_FILENO) || isatty(STDERR_FILENO)) {
		file = make_file(c, output, err);
		if (file < 0) {
			close(null);
			return err->code;
		}
	}
	fflush(NULL);
	if (isatty(STDIN_FILENO))
		replace(c, STDIN_FILENO, null);
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (isatty(fd))
			replace(c, fd, file);
	if (file >= 0)
		close(file);
	close(null);
	return 0;
}

void capture_end(struct capture *c)
{
	for (int fd = 0; fd < 3; fd++) {
		if (c->saved[fd] < 0)
			continue;
		dup2(c->saved[fd], fd);
		close(c->saved[fd]);
		c->saved[fd] = -1;
	}
}

void capture_name(struct capture *c, const char *recording)
{
	char path[4200];

	if (!c->path[0])
		return;
	output_beside(path, sizeof(path), recording, ".out");
	if (rename(c->path, path) == 0)
		snprintf(c->path, sizeof(c->path), "%s", path);
}

void capture_drop(struct capture *c)
{
	if (c->path[0])
		unlink(c->path);
	c->path[0] = '\0';
}
