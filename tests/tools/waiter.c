/*
 * waiter SECONDS: a loop that polls, computes and waits on a socket with a
 * time limit, and says at its end how many of its waits were cut short by EINTR,
 * and how many SIGRTMIN it has handled.  Where it got none, each of the former was
 * somebody else's doing.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t signals;

static void count(int number)
{
	signals++;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	const struct timeval limit = { 0, 3000 };
	double end = now() + (argc > 1 ? atof(argv[1]) : 1), until;
	int epoll = epoll_create1(0), event = eventfd(0, 0), pair[2], turns = 0, cut = 0;
	struct epoll_event e = { .events = EPOLLIN };
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ||
	    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, event, &e) < 0)
		return 1;
	signal(SIGRTMIN, count);
	printf("ready %d\n", getpid());
	fflush(stdout);
	while (now() < end) {
		turns++;
		cut += epoll_wait(epoll, &e, 1, 2) < 0 && errno == EINTR;
		until = now() + (rand() % 40 == 0 ? 0.03 : 0.0002 * (rand() % 10));
		while (now() < until)
			if (rand() % 60 == 0)
				cut += recv(pair[0], &byte, 1, 0) < 0 && errno == EINTR;
	}
	printf("%d turns, %d waits cut short, %d signals\n", turns, cut, (int)signals);
	return 0;
}
