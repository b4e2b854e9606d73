#include "sampler/cgroup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Is `word` one of those between commas? */
static bool lists(const char *list, size_t len, const char *word)
{
	size_t want = strlen(word);

	for (size_t i = 0, from = 0; i <= len; i++) {
		if (i < len && list[i] != ',')
			continue;
		if (i - from == want && memcmp(list + from, word, want) == 0)
			return true;
		from = i + 1;
	}
	return false;
}

/* The path in the line "ID:CONTROLLERS:PATH" of the hierarchy; NULL: none. */
static const char *membership_path(const char *line, bool v2)
{
	while (line && *line) {
		const char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;
		size_t len = path ? (size_t)(path - list - 1) : 0;

		if (path && (v2 ? len == 0 : lists(list + 1, len, "cpu")))
			return path + 1;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

/* Does a line of mountinfo tell of the hierarchy, and where (root and mount point)? */
static bool is_mount(const char *line, bool v2, char *root, char *point)
{
	const char *dash = strstr(line, " - "), *end = strchr(line, '\n');
	char type[32], options[512];

	if (!dash || (end && dash > end))
		return false;
	if (sscanf(line, "%*u %*u %*s %4095s %4095s", root, point) != 2 ||
	    sscanf(dash, " - %31s %*s %511s", type, options) != 2)
		return false;
	if (v2)
		return strcmp(type, "cgroup2") == 0;
	return strcmp(type, "cgroup") == 0 && lists(options, strlen(options), "cpu");
}

bool cgroup_folder(struct cgroup_texts texts, bool v2, char *out, size_t size, size_t *mount)
{
	const char *path = membership_path(texts.membership, v2), *mountinfo = texts.mountinfo;
	char root[PATH_MAX], point[PATH_MAX];
	size_t len;
	int n;

	/* "/..": outside of what our own namespace shows. */
	if (!path || strncmp(path, "/..", 3) == 0)
		return false;
	while (mountinfo && *mountinfo && !is_mount(mountinfo, v2, root, point)) {
		mountinfo = strchr(mountinfo, '\n');
		mountinfo = mountinfo ? mountinfo + 1 : NULL;
	}
	if (!mountinfo || !*mountinfo)
		return false;
	/* A container may show a part of the hierarchy only, with the host's names. */
	len = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (len && strncmp(path, root, len) == 0)
		path += len;
	*mount = strlen(point);
	len = strcspn(path, "\n");
	if (len == 1) /* "/" */
		len = 0;
	n = snprintf(out, size, "%s%.*s", point, (int)len, path);
	return n > 0 && (size_t)n < size;
}

static ssize_t read_text(int fd, char *text, size_t size)
{
	ssize_t n = fd >= 0 ? pread(fd, text, size - 1, 0) : -1;

	text[n > 0 ? n : 0] = '\0';
	return n;
}

static bool read_at(const char *folder, const char *name, char *text, size_t size)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return proc_read(AT_FDCWD, path, text, size) > 0;
}

/* The quota of one group in thousandths of a CPU; 0 none. */
static uint32_t quota_of(const char *folder)
{
	char text[64], period_text[64];
	long long quota, period, milli;

	if (read_at(folder, "cpu.max", text, sizeof(text))) {
		if (sscanf(text, "%lld %lld", &quota, &period) != 2)
			return 0;
	} else if (read_at(folder, "cpu.cfs_quota_us", text, sizeof(text)) &&
		   read_at(folder, "cpu.cfs_period_us", period_text, sizeof(period_text))) {
		quota = atoll(text);
		period = atoll(period_text);
	} else {
		return 0;
	}
	if (quota <= 0 || period <= 0 || quota > INT64_MAX / 1000)
		return 0;
	milli = quota * 1000 / period;
	return milli < 1 ? 1 : milli > UINT32_MAX ? UINT32_MAX : (uint32_t)milli;
}

/* The counter of a cpu.stat in ns: v2 counts in us. */
static nsec read_throttled(int fd)
{
	char text[1024], *at;

	if (read_text(fd, text, sizeof(text)) <= 0)
		return 0;
	at = strstr(text, "throttled_usec ");
	if (at)
		return strtoull(at + strlen("throttled_usec "), NULL, 10) * 1000;
	at = strstr(text, "throttled_time ");
	return at ? strtoull(at + strlen("throttled_time "), NULL, 10) : 0;
}

static void add_level(struct cgroup *g, const char *folder)
{
	uint32_t quota = quota_of(folder);
	char path[PATH_MAX + 32];
	int fd;

	if (!quota || g->n_levels == CGROUP_LEVELS)
		return;
	snprintf(path, sizeof(path), "%s/cpu.stat", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	g->levels[g->n_levels++] = (struct cgroup_level){ fd, read_throttled(fd) };
	if (!g->quota || quota < g->quota)
		g->quota = quota;
}

/* The group in `folder` and all above it, as far as they are mounted. */
static void add_levels(struct cgroup *g, char *folder, size_t mount)
{
	char *slash;

	for (;;) {
		add_level(g, folder);
		slash = strrchr(folder, '/');
		if (!slash || (size_t)(slash - folder) < mount)
			return;
		*slash = '\0';
	}
}

static char *read_whole(int dir, const char *path)
{
	enum { MAX = 256 * 1024 };
	char *text = xcalloc(1, MAX);

	proc_read(dir, path, text, MAX);
	return text;
}

void cgroup_close(struct cgroup *g)
{
	for (size_t i = 0; i < g->n_levels; i++)
		close(g->levels[i].stat);
	g->n_levels = 0;
	g->quota = 0;
}

void cgroup_refresh(struct cgroup *g, const struct target *target)
{
	char *membership = read_whole(target->procfd, "cgroup");
	char *mountinfo = read_whole(AT_FDCWD, "/proc/self/mountinfo");
	char folder[PATH_MAX];
	size_t mount;

	cgroup_read(g);
	if (!membership[0]) /* the target has just ended */
		goto out;
	cgroup_close(g);
	for (int v2 = 0; v2 < 2; v2++)
		if (cgroup_folder((struct cgroup_texts){ membership, mountinfo }, v2, folder,
				  sizeof(folder), &mount))
			add_levels(g, folder, mount);
out:
	free(membership);
	free(mountinfo);
}

void cgroup_read(struct cgroup *g)
{
	for (size_t i = 0; i < g->n_levels; i++) {
		nsec now = read_throttled(g->levels[i].stat);

		if (now > g->levels[i].last)
			g->throttled += now - g->levels[i].last;
		g->levels[i].last = now;
	}
}
