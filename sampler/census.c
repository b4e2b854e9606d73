#include "sampler/census.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/names.h"
#include "sampler/launcher.h"
#include "sampler/target.h"

static const nsec YOUNG = 10000000000, ALL = 30000000000;

/* Programs that are called by the script they run, whatever their version. */
static const char *const interpreters[] = { "node", "nodejs", "python" };

/* Their options after which the next argument is no script; code: there is none at all. */
static const struct {
	const char *option;
	bool code;
} valued[] = {
	/* clang-format off */
	{ "-e", true }, { "-p", true }, { "-pe", true }, { "--eval", true }, { "--print", true },
	{ "-c", true }, { "-r" }, { "--require" }, { "--import" }, { "--loader" },
	{ "--experimental-loader" }, { "-C" }, { "--conditions" }, { "-W" }, { "-X" },
	/* clang-format on */
};

static bool is_interpreter(const char *program)
{
	size_t len = strlen(program);

	while (len > 0 && strchr("0123456789.", program[len - 1]))
		len--;
	for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++)
		if (strlen(interpreters[i]) == len && strncmp(program, interpreters[i], len) == 0)
			return true;
	return false;
}

const char *process_app(const struct process_names *names)
{
	return names->script[0] ? names->script : names->comm;
}

static void put_name(char *out, size_t size, const char *path)
{
	snprintf(out, size, "%s", path_base(path));
}

/* The script among an interpreter's arguments, or NULL. */
static const char *find_script(const struct target_info *info)
{
	for (uint32_t i = 1; i < info->argc; i++) {
		if (info->argv[i][0] != '-')
			return info->argv[i];
		for (size_t k = 0; k < sizeof(valued) / sizeof(valued[0]); k++) {
			if (strcmp(info->argv[i], valued[k].option) != 0)
				continue;
			if (valued[k].code)
				return NULL;
			i++;
			break;
		}
	}
	return NULL;
}

bool process_names_take(struct process_names *names, const char *text, size_t n)
{
	enum { SOME = 32 };
	const char *argv[SOME];
	struct target_info info = { .argv = argv };
	const char *script;

	for (size_t at = 0; at < n && info.argc < SOME; at += strlen(text + at) + 1)
		argv[info.argc++] = text + at;
	if (info.argc == 0 || launcher_is(&info))
		return false;
	put_name(names->program, sizeof(names->program), argv[0]);
	if (!is_interpreter(names->program))
		return true;
	/* Its comm is that of a thread. */
	script = find_script(&info);
	put_name(names->script, sizeof(names->script), script ? script : names->program);
	return true;
}

bool process_names_read(pid_t pid, struct process_names *names)
{
	char path[32], text[4096];
	ssize_t n;

	*names = (struct process_names){ 0 };
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	n = proc_read(AT_FDCWD, path, text, sizeof(names->comm) + 1);
	if (n <= 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	snprintf(names->comm, sizeof(names->comm), "%.15s", text);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	n = proc_read(AT_FDCWD, path, text, sizeof(text));
	return n > 0 && process_names_take(names, text, (size_t)n);
}

nsec process_age(pid_t pid, nsec now)
{
	char path[32], text[512], *at;
	uint64_t ticks, rate = (uint64_t)sysconf(_SC_CLK_TCK);
	nsec start;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (proc_read(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return 0;
	at = proc_stat_state(text);
	/* Field 22; the state is the third. */
	if (!at || sscanf(at,
			  "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			  "%*d %*d %" SCNu64,
			  &ticks) != 1)
		return 0;
	start = ticks * (1000000000 / rate);
	return now > start ? now - start : 0;
}

uint64_t process_memory(pid_t pid)
{
	char path[32], text[128];
	uint64_t pages = 0;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	if (proc_read(AT_FDCWD, path, text, sizeof(text)) <= 0 ||
	    sscanf(text, "%*u %" SCNu64, &pages) != 1)
		return 0;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int by_pid(const void *a, const void *b)
{
	const struct acquaintance *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* All processes there are, by pid. */
static struct acquaintance *list(size_t *n)
{
	struct acquaintance *v = NULL;
	size_t cap = 0;
	DIR *dir = opendir("/proc");
	struct dirent *e;

	*n = 0;
	while (dir && (e = readdir(dir))) {
		pid_t pid = atoi(e->d_name);

		if (pid <= 0)
			continue;
		ARRAY_GROW(v, *n, cap);
		v[(*n)++] = (struct acquaintance){ .pid = pid };
	}
	if (dir)
		closedir(dir);
	if (v)
		qsort(v, *n, sizeof(*v), by_pid);
	return v;
}

void census_take(struct census *c, nsec now, void (*meet)(void *arg, pid_t pid), void *arg)
{
	bool all = now - c->last_all >= ALL;
	size_t n, old = 0;
	struct acquaintance *v = list(&n);

	if (all)
		c->last_all = now;
	for (size_t i = 0; i < n; i++) {
		while (old < c->n && c->v[old].pid < v[i].pid)
			old++;
		v[i].since = old < c->n && c->v[old].pid == v[i].pid ? c->v[old].since : now;
		if (all || now - v[i].since < YOUNG)
			meet(arg, v[i].pid);
	}
	free(c->v);
	c->v = v;
	c->n = n;
}

void census_destroy(struct census *c)
{
	free(c->v);
}
