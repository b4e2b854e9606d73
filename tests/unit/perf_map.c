#include "sampler/runtimes/native/perf_map.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/test.h"

enum { START = 0x10000, END = 0x20000 }; /* a JIT mapping */

static struct perf_map *parsed(const char *text)
{
	struct perf_map *map = perf_map_new(-1);

	perf_map_parse(map, text, strlen(text));
	return map;
}

/* "" if nothing covers pc. */
static const char *name_in(struct perf_map *map, uint64_t pc)
{
	const char *name = perf_map_lookup(map, START, END, pc);

	return name ? name : "";
}

TEST(perf_map_names_what_its_lines_cover)
{
	struct perf_map *map = parsed("10000 10 JS:~a /x.js:1:1\n0x10010 0x20 b c d\n");

	CHECK_STR(name_in(map, 0x10000), "JS:~a /x.js:1:1");
	CHECK_STR(name_in(map, 0x1000f), "JS:~a /x.js:1:1");
	CHECK_STR(name_in(map, 0x10010), "b c d");
	CHECK_STR(name_in(map, 0x1002f), "b c d");
	CHECK_STR(name_in(map, 0x10030), "");
	CHECK_STR(name_in(map, 0xffff), "");
	perf_map_free(map);
}

TEST(perf_map_newest_entry_wins_where_code_was_replaced)
{
	struct perf_map *map = parsed("10000 100 old\n10040 10 new\n");

	CHECK_STR(name_in(map, 0x10000), "old");
	CHECK_STR(name_in(map, 0x10045), "new");
	perf_map_parse(map, "10000 80 newest\n", 16);
	CHECK_STR(name_in(map, 0x10045), "newest");
	CHECK_STR(name_in(map, 0x10080), "old");
	perf_map_free(map);
}

TEST(perf_map_entries_that_leave_the_mapping_are_ignored)
{
	/* What a script whose file name holds a line break wrote into node's map. */
	struct perf_map *map = parsed("1000 fffffffffffff000 forged\n"
				      "0 ffffffffffffffff forged\n"
				      "10000 10001 forged\n"
				      "ffff 10 forged\n"
				      "10ff0 10 real\n");

	CHECK_STR(name_in(map, 0x10000), "");
	CHECK_STR(name_in(map, 0x10ff4), "real");
	perf_map_free(map);
}

TEST(perf_map_lines_that_are_none_are_skipped)
{
	struct perf_map *map =
		parsed("\n \nx\n10000\n10000 10\n10000 10 \n10000 0 empty\n"
		       "10000 -10 negative\nfffffffffffffffff 10 long\n"
		       "ffffffffffffff00 200 wraps\n10000 10 good\n10000 10 unfinished");

	CHECK_STR(name_in(map, 0x10008), "good");
	CHECK_EQ(perf_map_parse(map, "10000 10 a\n10000", 16), 11);
	perf_map_free(map);
}

TEST(perf_map_names_are_cut_at_512_bytes)
{
	char text[1024];
	struct perf_map *map;

	memset(text, 'x', sizeof(text));
	memcpy(text, "10000 10 ", 9);
	strcpy(text + sizeof(text) - 2, "\n");
	map = parsed(text);
	CHECK_EQ(strlen(name_in(map, 0x10000)), 512);
	perf_map_free(map);
}

static struct frame framed(struct recording *rec, const char *name)
{
	struct frame f = { 0 };

	perf_map_frame(rec, name, &f);
	return f;
}

TEST(perf_map_names_of_v8_and_cpython_are_taken_apart)
{
	struct recording *rec = recording_new();
	struct frame f = framed(rec, "JS:*get size /a b/server.js:33:20");

	CHECK_EQ(f.kind, FRAME_JS);
	CHECK_STR(f.function, "get size");
	CHECK_STR(f.file, "/a b/server.js");
	CHECK_EQ(f.define_line, 33);
	CHECK_EQ(f.line, 0);
	f = framed(rec, "LazyCompile:~nextTick node:internal/process/task_queues:104");
	CHECK_EQ(f.kind, FRAME_JS);
	CHECK_STR(f.function, "nextTick");
	CHECK_STR(f.file, "node:internal/process/task_queues");
	CHECK_EQ(f.define_line, 104);
	f = framed(rec, "JS:~ /app/x.js:1:1");
	CHECK(f.function == NULL);
	CHECK_STR(f.file, "/app/x.js");
	f = framed(rec, "py::login:/app/server.py");
	CHECK_EQ(f.kind, FRAME_PYTHON);
	CHECK_STR(f.function, "login");
	CHECK_STR(f.file, "/app/server.py");
	f = framed(rec, "RegExp:(a+)+b");
	CHECK_EQ(f.kind, FRAME_JIT);
	CHECK_STR(f.function, "RegExp:(a+)+b");
	f = framed(rec, "JS:");
	CHECK_EQ(f.kind, FRAME_JIT);
	recording_free(rec);
}

/* The real file of this process, as a JIT in it would write it. */
static char *own_map_path(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	unlink(path);
	return path;
}

static void write_file(const char *path, const char *text, const char *mode)
{
	FILE *f = fopen(path, mode);

	fputs(text, f);
	fclose(f);
}

/* What a new map of this process says of START. */
static void check_own_map(const char *expected)
{
	int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct perf_map *map = perf_map_new(proc);

	alarm(2); /* perf itself hangs on some of these */
	CHECK_STR(name_in(map, START), expected);
	alarm(0);
	perf_map_free(map);
	close(proc);
}

#define LINE "10000 10 named\n"

TEST(perf_map_file_of_the_target_is_read)
{
	char *path = own_map_path();

	write_file(path, LINE, "w");
	check_own_map("named");
	unlink(path);
	check_own_map("");
}

TEST(perf_map_file_that_is_a_fifo_is_refused_at_once)
{
	char *path = own_map_path();

	CHECK_EQ(mkfifo(path, 0600), 0);
	check_own_map("");
	unlink(path);
}

TEST(perf_map_file_that_is_a_link_is_refused)
{
	char *path = own_map_path(), target[128];

	CHECK_EQ(symlink("/dev/zero", path), 0);
	check_own_map("");
	unlink(path);
	snprintf(target, sizeof(target), "%s/forged", test_tmpdir());
	write_file(target, LINE, "w");
	CHECK_EQ(symlink(target, path), 0);
	check_own_map("");
	unlink(path);
}

TEST(perf_map_file_that_is_a_folder_is_refused)
{
	char *path = own_map_path();

	CHECK_EQ(mkdir(path, 0700), 0);
	check_own_map("");
	rmdir(path);
}

TEST(perf_map_file_of_another_user_is_refused)
{
	char *path = own_map_path();

	if (geteuid() != 0)
		return;
	write_file(path, LINE, "w");
	CHECK_EQ(chown(path, 65534, 65534), 0);
	check_own_map("");
	unlink(path);
}

/* No test of a gigabyte that is there, but one of a file that says so: 64 MiB of zeros are read. */
TEST(perf_map_file_of_a_terabyte_is_read_to_its_limit)
{
	char *path = own_map_path();

	write_file(path, LINE, "w");
	CHECK_EQ(truncate(path, (off_t)1 << 40), 0);
	check_own_map("named");
	unlink(path);
}

static time_t second(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

TEST(perf_map_new_lines_are_found_but_looked_for_once_a_second)
{
	char *path = own_map_path();
	int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct perf_map *map = perf_map_new(proc);
	struct timespec pause = { 1, 10 * 1000 * 1000 };
	time_t from = second();
	const char *early;

	write_file(path, "10000 10 first\n10010 10 unfini", "w");
	CHECK_STR(name_in(map, 0x10000), "first");
	write_file(path, "shed\n10020 10 third\n", "a");
	early = name_in(map, 0x10020);
	if (second() == from)
		CHECK_STR(early, "");
	nanosleep(&pause, NULL);
	CHECK_STR(name_in(map, 0x10010), "unfinished");
	CHECK_STR(name_in(map, 0x10020), "third");
	unlink(path);
	perf_map_free(map);
	close(proc);
}

TEST(perf_map_file_that_is_replaced_leaves_nothing_of_the_old_one)
{
	char *path = own_map_path();
	int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct perf_map *map = perf_map_new(proc);
	struct timespec pause = { 1, 10 * 1000 * 1000 };

	write_file(path, "10000 10 old\n", "w");
	CHECK_STR(name_in(map, 0x10000), "old");
	/* longer than the old one: its length must not tell */
	rename(path, strcat(strcpy((char[64]){ 0 }, path), ".old"));
	write_file(path, "10020 10 a much longer name\n", "w");
	nanosleep(&pause, NULL);
	CHECK_STR(name_in(map, 0x10020), "a much longer name");
	CHECK_STR(name_in(map, 0x10000), "");
	unlink(path);
	unlink(strcat(strcpy((char[64]){ 0 }, path), ".old"));
	perf_map_free(map);
	close(proc);
}

/* In a container: pid 1 there, its own /tmp.  Tells when it is ready. */
static void contained(int ready)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/tmp", "tmpfs", 0, NULL) < 0)
		_exit(1);
	write_file("/tmp/perf-1.map", LINE, "w");
	if (write(ready, "x", 1) == 1)
		pause();
	_exit(1);
}

/* By a child, because a new PID namespace is for children only.  Ends with the contained one. */
static void container(int ready)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
		_exit(1);
	pid = fork();
	if (pid == 0)
		contained(ready);
	close(ready);
	waitpid(pid, NULL, 0);
	_exit(0);
}

/* The pid of the only child of a process, 0 if there is none. */
static pid_t child_of(pid_t pid)
{
	char path[64];
	int child = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%d", &child) != 1)
		child = 0;
	if (f)
		fclose(f);
	return child;
}

TEST(perf_map_of_a_container_is_found_inside_it_by_its_pid_there)
{
	int ready[2], proc;
	char path[64], byte;
	struct perf_map *map;
	pid_t outer;

	if (pipe(ready) < 0)
		return;
	outer = fork();
	if (outer == 0)
		container(ready[1]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1) { /* else we may not make containers */
		pid_t pid = child_of(outer);

		snprintf(path, sizeof(path), "/proc/%d", pid);
		proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		map = perf_map_new(proc);
		CHECK_STR(name_in(map, START), "named");
		perf_map_free(map);
		close(proc);
		if (pid)
			kill(pid, SIGKILL);
	}
	close(ready[0]);
	waitpid(outer, NULL, 0);
}
