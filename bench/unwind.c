/*
 * The cost of unwinding, beside libunwind's (with its global cache), libdwfl's and
 * perf script's: samples of a node server, of redis and of C without frame
 * pointers, each unwound several times from a copy as warm as the kernel's own.
 * The least time of each sample counts, so that a loaded machine does not.
 */
#include "sampler/unwind.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/peers/peers.h"
#include "core/arena.h"
#include "tests/samples.h"

enum { DUMP = 48 << 10, SAMPLES = 1500, SECONDS = 20, ROUNDS = 7, PERF_SECONDS = 4 };

struct kept_sample {
	struct regs regs;
	uint8_t *stack;
	size_t len;
	uint64_t outermost; /* pc, where the native unwinder completes it */
};

struct samples {
	struct kept_sample v[SAMPLES];
	size_t n;
};

struct cost {
	double ns_per_frame;
	double complete; /* share */
	double frames;   /* a sample */
	double first_ms; /* of the first stack, files and tables and all */
};

static void keep(void *arg, const struct sample_bytes *s)
{
	struct samples *all = arg;
	struct kept_sample *k = &all->v[all->n++];

	*k = (struct kept_sample){ .regs = s->regs, .len = s->len };
	k->stack = memcpy(xcalloc(1, s->len), s->stack, s->len);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* The stack's bytes lie where a ring would have them, just written. */
static uint64_t unwind_once(const struct unwinder *u, void *state, const struct kept_sample *k,
			    struct raw_stack *out)
{
	static uint8_t ring[64 << 10];
	struct memory_dump mem;
	uint64_t from;

	memcpy(ring, k->stack, k->len);
	memory_dump_init(&mem, k->regs.r[DW_RSP], ring, k->len, NULL);
	from = now();
	u->unwind(state, &k->regs, &mem.base, out);
	return now() - from;
}

static struct cost measure(const struct unwinder *u, struct space *space, struct samples *all)
{
	struct raw_stack *out = xcalloc(1, sizeof(*out));
	void *state = u->create(space);
	size_t frames = 0, complete = 0;
	uint64_t first = unwind_once(u, state, &all->v[0], out), total = 0;

	for (size_t i = 1; i < all->n; i++)
		unwind_once(u, state, &all->v[i], out);
	for (size_t i = 0; i < all->n; i++) {
		struct kept_sample *k = &all->v[i];
		uint64_t least = UINT64_MAX;

		for (int round = 0; round < ROUNDS; round++) {
			uint64_t ns = unwind_once(u, state, k, out);

			least = ns < least ? ns : least;
		}
		if (u == &unwinder_native && out->end == STACK_COMPLETE)
			k->outermost = out->frames[out->n - 1].pc;
		total += least;
		frames += out->n;
		complete += out->n && k->outermost && out->frames[out->n - 1].pc == k->outermost;
	}
	u->destroy(state);
	free(out);
	return (struct cost){ (double)total / (double)frames, (double)complete / (double)all->n,
			      (double)frames / (double)all->n, (double)first / 1e6 };
}

static void print_peer(double own, double ns, double complete)
{
	char text[40];

	if (complete < 0)
		snprintf(text, sizeof(text), "%.0f", ns);
	else
		snprintf(text, sizeof(text), "%.0f (%.1f %%)", ns, complete * 100);
	printf("  %14s %5.1fx", text, ns / own);
}

static void compare(const char *name, struct space *space, struct samples *all, pid_t pid)
{
	struct cost own = measure(&unwinder_native, space, all);
	struct cost libunwind = measure(&unwinder_libunwind, space, all);
	struct cost libdwfl = measure(&unwinder_libdwfl, space, all);
	struct perf_script_cost perf;

	printf("%-8s %7zu %6.1f %8.1f  %5.1f (%.1f %%)", name, all->n, own.frames, own.first_ms,
	       own.ns_per_frame, own.complete * 100);
	print_peer(own.ns_per_frame, libunwind.ns_per_frame, libunwind.complete);
	print_peer(own.ns_per_frame, libdwfl.ns_per_frame, libdwfl.complete);
	kill(pid, SIGCONT);
	if (perf_script_measure(pid, PERF_SECONDS, &perf))
		print_peer(own.ns_per_frame, perf.ns_per_frame, -1);
	else
		printf("  %14s", "-");
	printf("\n");
	fflush(stdout);
}

/* Samples a running program, stops it so that it takes no time from the measurement, compares. */
static void bench(const char *name, const char *const *argv, void (*load)(void))
{
	struct samples *all = xcalloc(1, sizeof(*all));
	pid_t pid = samples_start(argv);
	struct space *space = space_new(pid);
	struct samples_wanted wanted = { .tid = pid,
					 .hz = 997,
					 .n = SAMPLES,
					 .seconds = SECONDS,
					 .dump = DUMP,
					 .each = keep,
					 .arg = all };
	struct error err;
	ssize_t n = -1;

	sleep(2);
	if (load)
		load();
	if (kill(pid, 0) == 0)
		n = samples_take(&wanted);
	if (n > 0 && space_refresh(space, &err) == 0) {
		kill(pid, SIGSTOP);
		compare(name, space, all, pid);
	} else {
		printf("%-8s skipped: %s\n", name, n == -1 ? "it does not run" : "no samples");
	}
	samples_stop(pid);
	space_free(space);
	for (size_t i = 0; i < all->n; i++)
		free(all->v[i].stack);
	free(all);
}

static char redis_socket[] = "/tmp/lagprof-bench-redis";
static pid_t redis_load;

static void load_redis(void)
{
	const char *const argv[] = {
		"redis-benchmark",           "-s", redis_socket, "-q", "-n", "100000000", "-t",
		"set,lpush,lrange_300,zadd", NULL
	};

	redis_load = samples_start(argv);
}

int main(void)
{
	const char *const node[] = { "node", LAGPROF_SOURCE_DIR "/bench/unwind.js", NULL };
	const char *const redis[] = { "redis-server", "--port", "0", "--unixsocket",
				      redis_socket,   "--save", "",  NULL };
	const char *const shapes[] = { LAGPROF_BINARY_DIR "/fixtures/unwind/shapes", "forever",
				       NULL };

	printf("ns a frame, warm (stacks complete) and how many times the native unwinder's\n"
	       "%-8s %7s %6s  %-14s %21s %21s %21s\n",
	       "", "samples", "frames", "native", "libunwind", "libdwfl", "perf script");
	bench("node", node, NULL);
	bench("redis", redis, load_redis);
	if (redis_load > 0)
		samples_stop(redis_load);
	unlink(redis_socket);
	bench("c", shapes, NULL);
	return 0;
}
