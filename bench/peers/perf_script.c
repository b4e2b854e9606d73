#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/peers/peers.h"

/* Runs a command with its output in `out` (-1: thrown away); its CPU time in ns, or -1. */
static double run(const char *const *argv, int out)
{
	struct rusage use;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(out < 0 ? null : out, 1);
		dup2(null, 2);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) != pid || status != 0)
		return -1;
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e9 +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e3;
}

/* A sample is a block of lines, one a frame, between empty ones. */
static void count_frames(int fd, struct perf_script_cost *cost)
{
	FILE *f = fdopen(fd, "r");
	char line[4096];
	bool inside = false;

	rewind(f);
	while (fgets(line, sizeof(line), f)) {
		bool empty = line[strspn(line, " \t\n")] == '\0';

		cost->frames += !empty;
		cost->samples += !empty && !inside;
		inside = !empty;
	}
	fclose(f);
}

static double measure(const char *data, struct perf_script_cost *cost)
{
	const char *const chains[] = { "perf", "script",      "-i",          data,   "-F",
				       "ip",   "--no-inline", "--max-stack", "1023", NULL };
	const char *const plain[] = { "perf", "script", "-i", data, "-F", "tid", NULL };
	FILE *out = tmpfile();
	double with, without;

	if (!out)
		return -1;
	with = run(chains, fileno(out));
	without = run(plain, -1);
	count_frames(dup(fileno(out)), cost);
	fclose(out);
	return with < 0 || without < 0 ? -1 : with - without;
}

bool perf_script_measure(pid_t pid, unsigned seconds, struct perf_script_cost *cost)
{
	char data[] = "/tmp/lagprof-bench-XXXXXX", target[16], duration[16];
	const char *const record[] = { "perf",        "record", "-q",    "-e",
				       "cpu-clock:u", "-F",     "997",   "--call-graph",
				       "dwarf,49152", "-o",     data,    "-p",
				       target,        "--",     "sleep", duration,
				       NULL };
	int fd = mkstemp(data);
	double ns = -1;

	*cost = (struct perf_script_cost){ 0 };
	if (fd < 0)
		return false;
	close(fd);
	snprintf(target, sizeof(target), "%d", pid);
	snprintf(duration, sizeof(duration), "%u", seconds);
	if (run(record, -1) >= 0)
		ns = measure(data, cost);
	unlink(data);
	if (ns < 0 || !cost->frames)
		return false;
	cost->ns_per_frame = ns / (double)cost->frames;
	return true;
}
