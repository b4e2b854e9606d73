#include "sampler/image.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

struct child {
	pid_t pid;
	int procfd;
	int go;    /* closed: it execs */
	int there; /* readable once its new program writes */
};

static void start(struct child *c, const char *const argv[])
{
	int go[2], there[2];
	char path[32], byte;

	CHECK(pipe2(go, O_CLOEXEC) == 0 && pipe(there) == 0);
	c->pid = fork();
	if (c->pid == 0) {
		close(go[1]);
		dup2(there[1], STDOUT_FILENO);
		while (read(go[0], &byte, 1) > 0)
			;
		execv(argv[0], (char *const *)argv);
		_exit(1);
	}
	close(go[0]);
	close(there[1]);
	c->go = go[1];
	c->there = there[0];
	snprintf(path, sizeof(path), "/proc/%d", c->pid);
	c->procfd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void end(struct child *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
}

static void forget(struct child *c)
{
	close(c->procfd);
	close(c->there);
}

TEST(image_of_a_program_is_current_until_it_is_replaced_and_has_an_end)
{
	const char *const argv[] = { "/bin/sh", "-c", "echo x; exec sleep 100", NULL };
	struct image before, after;
	struct child c;
	char byte;

	start(&c, argv);
	image_init(&before);
	image_init(&after);
	CHECK_EQ(image_open(&before, c.procfd), 0);
	CHECK_EQ(image_look(&before, c.procfd), IMAGE_CURRENT);
	close(c.go);
	CHECK_EQ(read(c.there, &byte, 1), 1);
	CHECK_EQ(image_look(&before, c.procfd), IMAGE_REPLACED);
	/* What it can still read is nothing of the program that runs now. */
	CHECK(before.mem >= 0 && pread(before.mem, &byte, 1, (off_t)before.witness) <= 0);
	CHECK_EQ(image_open(&after, c.procfd), 0);
	CHECK(after.since > before.since);
	end(&c);
	CHECK_EQ(image_look(&after, c.procfd), IMAGE_ENDED);
	image_close(&before);
	image_close(&after);
	CHECK_EQ(image_look(&after, c.procfd), IMAGE_UNKNOWN);
	forget(&c);
}

TEST(image_of_the_same_program_run_anew_without_randomisation_is_another)
{
	const char *const argv[] = { "/usr/bin/setarch",
				     "-R",
				     "/bin/sh",
				     "-c",
				     "echo x; sleep 0.1; exec sh -c 'echo x; exec sleep 100'",
				     NULL };
	struct image image;
	struct child c;
	char byte[2];

	if (access(argv[0], X_OK) < 0)
		return;
	start(&c, argv);
	close(c.go);
	image_init(&image);
	CHECK_EQ(read(c.there, byte, 2), 2);
	CHECK_EQ(image_open(&image, c.procfd), 0);
	for (int i = 0; i < 2000 && image_look(&image, c.procfd) == IMAGE_CURRENT; i++)
		usleep(1000);
	CHECK_EQ(image_look(&image, c.procfd), IMAGE_REPLACED);
	end(&c);
	image_close(&image);
	forget(&c);
}
