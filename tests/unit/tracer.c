#include "sampler/proc/tracer.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/test.h"

static nsec now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

/* Says its id into a pipe, then runs. */
static void *work(void *pipe)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);

	if (write((int)(intptr_t)pipe, &tid, sizeof(tid)) != sizeof(tid))
		_exit(1);
	for (;;)
		;
}

/* A process of two threads; the id of the second. */
static pid_t start(pid_t *worker)
{
	int fds[2];
	pid_t child;

	if (pipe(fds) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		pthread_t thread;

		pthread_create(&thread, NULL, work, (void *)(intptr_t)fds[1]);
		for (;;)
			pause();
	}
	close(fds[1]);
	if (read(fds[0], worker, sizeof(*worker)) != sizeof(*worker))
		*worker = -1;
	close(fds[0]);
	return child;
}

/* Has the child ended within ten seconds?  Its end is collected then. */
static bool ends(pid_t child)
{
	for (int i = 0; i < 1000; i++) {
		tracer_collect();
		if (waitpid(child, NULL, WNOHANG) == child)
			return true;
		usleep(10000);
	}
	return false;
}

/* Kills a process while a thread of it is stopped, and then goes on with that in some way. */
static bool ends_after(void (*go_on)(struct tracer *t))
{
	struct tracer t = { .reaps = true };
	pid_t child = start(&t.tid);
	struct error err;
	bool ended;

	if (tracer_prepare(&err) < 0 || tracer_stop(&t, now() + 10000000000) < 0)
		return false;
	kill(child, SIGKILL);
	usleep(20000);
	go_on(&t);
	ended = ends(child);
	tracer_unprepare();
	return ended && !t.seized;
}

static void run(struct tracer *t)
{
	struct traced_call call;
	unsigned calls = 4;

	tracer_run_to_poll(t, now() + 1000000, &calls, &call);
}

static void let_go(struct tracer *t)
{
	tracer_let_go(t, now() + 1000000);
}

TEST(tracer_collects_a_thread_that_was_killed_while_it_was_stopped)
{
	CHECK(ends_after(run));
	CHECK(ends_after(let_go));
}
