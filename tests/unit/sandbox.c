#include "sampler/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/test.h"

static const struct sandbox_limits limits = {
	.cpu_seconds = 1, .wall_seconds = 60, .memory = 64 << 20, .max_answer = 1 << 20
};

static int run(void (*work)(void *arg, int answer), void *arg, struct strbuf *out)
{
	*out = (struct strbuf){ 0 };
	return sandbox_run(work, arg, &limits, out);
}

static void say(int fd, const char *s)
{
	if (write(fd, s, strlen(s)) < 0)
		_exit(2);
}

static void read_file(void *arg, int answer)
{
	char text[4] = "";

	if (pread(*(int *)arg, text, 3, 1) == 3)
		say(answer, text);
}

TEST(sandbox_reads_files_that_are_open_and_answers)
{
	int fd = open(test_source("LICENSE"), O_RDONLY | O_CLOEXEC);
	struct strbuf out;
	char text[4] = "";

	CHECK_EQ(run(read_file, &fd, &out), 0);
	CHECK_EQ(pread(fd, text, 3, 1), 3);
	CHECK_STR(out.s, text);
	strbuf_destroy(&out);
	close(fd);
}

static void try_everything(void *arg, int answer)
{
	int other = *(int *)arg;

	say(answer, open("/etc/passwd", O_RDONLY) < 0 && errno == EPERM ? "y" : "n");
	say(answer, socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM ? "y" : "n");
	say(answer, kill(getppid(), 0) < 0 && errno == EPERM ? "y" : "n");
	say(answer, fork() < 0 && errno == EPERM ? "y" : "n");
	say(answer, write(other, "x", 1) < 0 && errno == EPERM ? "y" : "n");
	say(answer, unlink("/nonexistent") < 0 && errno == EPERM ? "y" : "n");
}

TEST(sandbox_can_open_send_signal_and_write_nothing_else)
{
	struct strbuf out;
	int pipe_fds[2];

	CHECK_EQ(pipe(pipe_fds), 0);
	CHECK_EQ(run(try_everything, &pipe_fds[1], &out), 0);
	CHECK_STR(out.s, "yyyyyy");
	strbuf_destroy(&out);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void crash(void *arg, int answer)
{
	say(answer, "before");
	raise(SIGSEGV);
	__builtin_trap();
}

TEST(sandbox_that_crashes_leaves_its_answer_so_far)
{
	struct strbuf out;

	CHECK_EQ(run(crash, NULL, &out), -ECHILD);
	CHECK_STR(out.s, "before");
	strbuf_destroy(&out);
}

static void spin(void *arg, int answer)
{
	say(answer, "spinning");
	for (volatile unsigned i = 0;; i++)
		;
}

TEST(sandbox_that_never_ends_is_ended)
{
	struct strbuf out;

	alarm(30); /* of wall time, which a second of CPU time may take on a busy machine */
	CHECK_EQ(run(spin, NULL, &out), -ECHILD);
	alarm(0);
	CHECK_STR(out.s, "spinning");
	strbuf_destroy(&out);
}

static void talk(void *arg, int answer)
{
	for (;;)
		say(answer, "and so on ");
}

TEST(sandbox_answer_is_cut_at_its_limit)
{
	struct strbuf out;

	CHECK_EQ(run(talk, NULL, &out), -ECHILD);
	CHECK(out.len >= limits.max_answer && out.len < limits.max_answer + 65536);
	strbuf_destroy(&out);
}

static void eat(void *arg, int answer)
{
	void *p = mmap(NULL, 256 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	say(answer, p == MAP_FAILED ? "no" : "yes");
}

TEST(sandbox_memory_is_limited)
{
	struct strbuf out;

	CHECK_EQ(run(eat, NULL, &out), 0);
#ifndef __SANITIZE_ADDRESS__ /* which needs all there is */
	CHECK_STR(out.s, "no");
#endif
	strbuf_destroy(&out);
}

static void sleep_on(void *arg, int answer)
{
	char byte;

	/* from the other end of a pipe that nobody writes to */
	say(answer, read(*(int *)arg, &byte, 1) < 0 ? "failed" : "read");
}

TEST(sandbox_that_waits_for_ever_is_ended)
{
	struct sandbox_limits hasty = limits;
	struct strbuf out = { 0 };
	int pipe_fds[2];

	CHECK_EQ(pipe(pipe_fds), 0);
	hasty.wall_seconds = 1;
	alarm(30);
	CHECK_EQ(sandbox_run(sleep_on, &pipe_fds[0], &hasty, &out), -ECHILD);
	alarm(0);
	CHECK(out.s == NULL);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}
