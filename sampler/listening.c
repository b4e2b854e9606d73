#include "sampler/listening.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Is the socket of that inode among the target's descriptors? */
static bool has_socket(const struct target *t, uint64_t inode)
{
	int fd = openat(t->procfd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	char want[48], link[64];
	struct dirent *e;
	bool found = false;

	if (!dir)
		return false;
	snprintf(want, sizeof(want), "socket:[%" PRIu64 "]", inode);
	while (!found && (e = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);

		link[n > 0 ? n : 0] = '\0';
		found = strcmp(link, want) == 0;
	}
	closedir(dir);
	return found;
}

/* The target's own view of its network (net/tcp, net/tcp6), which may be a container's. */
static int lowest_port(const struct target *t, const char *table, int lowest)
{
	enum { TCP_LISTENING = 0x0a };
	int fd = openat(t->procfd, table, O_RDONLY | O_CLOEXEC);
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	char line[512];

	if (!f)
		return lowest;
	while (fgets(line, sizeof(line), f)) {
		unsigned port, state;
		uint64_t inode;

		if (sscanf(line,
			   "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u "
			   "%" SCNu64,
			   &port, &state, &inode) != 3 ||
		    state != TCP_LISTENING)
			continue;
		if ((lowest == 0 || (int)port < lowest) && has_socket(t, inode))
			lowest = (int)port;
	}
	fclose(f);
	return lowest;
}

int target_listening_port(const struct target *t)
{
	return lowest_port(t, "net/tcp6", lowest_port(t, "net/tcp", 0));
}
