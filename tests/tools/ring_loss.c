/*
 * Watches a child that stalls while nobody reads, then reads all: samples read
 * + samples lost must be the samples made, and every turn must be there or be
 * counted as lost.  `ring_loss RING_BYTES` prints the figures; status 1 if they
 * do not add up.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sampler/probe.h"

enum { STALLS = 40, SPIN_MS = 20 };

static void spin(int ms)
{
	struct timespec from, now;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < ms);
}

/* Stalls by computing and by many short sleeps in turn, then waits to be ended. */
static void run_loop(int ready)
{
	int ep = epoll_create1(0);
	struct epoll_event ev;
	char go;

	if (read(ready, &go, 1) != 1)
		_exit(1);
	for (int i = 0; i < STALLS; i++) {
		epoll_wait(ep, &ev, 1, 1);
		if (i % 2)
			spin(SPIN_MS);
		else
			for (int k = 0; k < 100; k++)
				usleep(100);
	}
	epoll_wait(ep, &ev, 1, -1);
	_exit(0);
}

struct counts {
	uint64_t samples, turns;
};

static void count(void *arg, const struct event *e)
{
	struct counts *c = arg;

	c->samples += e->kind == EVENT_SAMPLE;
	c->turns += e->kind == EVENT_TURN;
}

int main(int argc, char **argv)
{
	struct probe_config config = { .threshold = 5000000,
				       .gate = 2000000,
				       .freq = 997,
				       .stack_bytes = 16384,
				       .stack_ring = argc > 1 ? strtoul(argv[1], NULL, 0) : 65536,
				       .boundary_ring = argc > 2 ? strtoul(argv[2], NULL, 0) : 0 };
	struct probe_losses losses = { 0 };
	struct counts counts = { 0 };
	struct error err = { 0 };
	void *state;
	int gate[2];
	pid_t child;

	if (pipe(gate) < 0 || (child = fork()) < 0)
		return 2;
	if (child == 0)
		run_loop(gate[0]);
	config.pid = child;
	if (probe_exact.open(&state, &config, &err) < 0 ||
	    probe_exact.follow(state, child, &err) < 0) {
		fprintf(stderr, "ring_loss: %s\n", err.msg);
		kill(child, SIGKILL);
		return 77;
	}
	if (write(gate[1], "g", 1) != 1)
		return 2;
	sleep(3); /* nobody reads */
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	probe_exact.losses(state, &losses);
	probe_exact.drain(state, count, &counts);
	printf("ring %zu: %lu samples made, %lu read + %lu lost; %lu long turns read, %lu "
	       "boundaries "
	       "lost\n",
	       config.stack_ring, losses.made, counts.samples, losses.lost, counts.turns,
	       losses.turns);
	probe_exact.close(state);
	if (losses.made == 0 || counts.samples + losses.lost != losses.made)
		return 1;
	return counts.turns < STALLS && losses.turns == 0;
}
