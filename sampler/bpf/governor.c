#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sampler/bpf/engine.h"
#include "sampler/bpf/hooks.h"

/*
 * What watching costs the target, and what to do about it.  The price of a
 * hooked poll, of any other system call while polls are hooked, and of a breakpoint are measured at
 * start on lagprof's own thread; how often they are paid is read once a second.  When
 * that is more of the target's time than allowed, the exact rung becomes the light
 * one, and back when it has been little for long.
 */
enum { MEASURE_BATCHES = 12, MEASURE_CALLS = 100, HOOK_BATCHES = 4, HOOK_CALLS = 8 };
static const nsec PERIOD = 1000000000;
static const nsec FIRST = 250000000; /* until the first decision: what is too dear is soon over */
static const nsec CALM = 5000000000; /* so long must it be cheap before a step up */
static const nsec TRY_AGAIN = 30000000000; /* after a step */
/* ns, of a breakpoint that fires, where it cannot be tried: that of a virtual machine, where it is
 * dear. */
static const double HOOK_COST = 7000;

static nsec clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

/* ns of CPU time of one poll, or of getppid() if there is none: of the batch least disturbed. */
static double time_calls(int epoll)
{
	struct epoll_event event;
	nsec best = UINT64_MAX;

	for (int i = 0; i < MEASURE_BATCHES; i++) {
		nsec start = clock_ns(CLOCK_THREAD_CPUTIME_ID), took;

		for (int j = 0; j < MEASURE_CALLS; j++) {
			if (epoll >= 0)
				epoll_wait(epoll, &event, 1, 0);
			else
				syscall(SYS_getppid);
		}
		took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
		best = took < best ? took : best;
	}
	return (double)best / MEASURE_CALLS;
}

void engine_measure_plain(struct engine *x)
{
	x->costs.poll = time_calls(x->epoll);
	x->costs.call = time_calls(-1);
}

static __attribute__((noinline)) void be_called(void)
{
	__asm__ volatile("");
}

/* ns of CPU time of a breakpoint that fires, with its program. */
static double time_hook(const struct engine *x)
{
	int fd = engine_open_hook(x, gettid(), (uint64_t)(uintptr_t)be_called);
	nsec best = UINT64_MAX;

	if (fd < 0)
		return HOOK_COST;
	ioctl(fd, PERF_EVENT_IOC_REFRESH, HOOK_BATCHES * HOOK_CALLS);
	for (int i = 0; i < HOOK_BATCHES; i++) {
		nsec start = clock_ns(CLOCK_THREAD_CPUTIME_ID), took;

		for (int j = 0; j < HOOK_CALLS; j++)
			be_called();
		took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
		best = took < best ? took : best;
	}
	close(fd);
	return (double)best / HOOK_CALLS;
}

static double grown(double now, double before, double least)
{
	return now - before > least ? now - before : least;
}

/*
 * The light rung has no hooks to measure.  A run of its program, with the way into it, takes about
 * as long as a system call that does nothing.
 */
void engine_measure_hooked(struct engine *x)
{
	double program = x->costs.call;
	struct error ignored;
	struct loop_slot *slot;
	pid_t self = gettid();

	x->costs.hook = time_hook(x);
	if (x->light || probe_exact.follow(x, self, &ignored) < 0) {
		x->costs.poll = 2 * program;
		x->costs.call = program / 3;
		x->costs.program = program;
		return;
	}
	slot = &x->slots[x->followed[x->n_followed - 1].slot].slot;
	slot->threshold = UINT64_MAX;
	slot->gate = UINT64_MAX;
	slot->key = POLL_KEY_EPOLL | (uint32_t)x->epoll;
	x->costs.poll = grown(time_calls(x->epoll), x->costs.poll, program);
	x->costs.call = grown(time_calls(-1), x->costs.call, 0);
	x->costs.program = program;
	probe_exact.unfollow(x, self);
}

/* A number of a thread's /proc file, behind `name`; 0 if it is not there. */
static uint64_t read_number(const struct engine *x, pid_t tid, const char *file, const char *name)
{
	char path[64], line[128];
	size_t len = strlen(name);
	uint64_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", x->config.pid, tid, file);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, len) == 0)
			sscanf(line + len, "%" SCNu64, &n);
	fclose(f);
	return n;
}

static double growth(uint64_t *last, uint64_t now)
{
	uint64_t before = *last;

	*last = now;
	return before && now > before ? (double)(now - before) : 0;
}

/* ns that the thread pays on each rung, since the last look. */
static void add_cost(struct engine *x, struct followed *f, double *exact, double *light)
{
	double turns = growth(&f->governed_turns, x->slots[f->slot].slot.turns);
	double sleeps =
		growth(&f->switches, read_number(x, f->tid, "status", "voluntary_ctxt_switches:"));
	double calls = growth(&f->calls, read_number(x, f->tid, "io", "syscr:") +
						 read_number(x, f->tid, "io", "syscw:"));

	*exact += turns * x->costs.poll + calls * x->costs.call + 2 * sleeps * x->costs.program;
	*light += 2 * sleeps * x->costs.program;
	if (f->lasting)
		*light += turns * x->costs.hook;
}

/* Which rung the last look speaks for; the change waits until no turn would be cut by it. */
static void decide(struct engine *x, double exact, nsec now)
{
	/* Of a loop that does not sleep nobody knows how often it turns. */
	bool calm = exact < x->config.max_overhead / 2 && !x->asks_served;

	if (!calm)
		x->calm_since = now;
	if (x->light)
		x->step_due = now >= x->try_again && now - x->calm_since >= CALM;
	else
		x->step_due = exact > x->config.max_overhead;
}

static void take_step(struct engine *x, nsec now)
{
	x->step_due = false;
	x->try_again = now + TRY_AGAIN;
	x->calm_since = now;
	if (!x->light)
		engine_be_light(x);
	else if (engine_be_exact(x) < 0)
		return;
	x->steps++;
}

static void look(struct engine *x, nsec now)
{
	nsec elapsed = now - x->governed;
	double exact = 0, light = x->asks_served * x->costs.hook;

	for (size_t i = 0; i < x->n_followed; i++)
		add_cost(x, &x->followed[i], &exact, &light);
	/* The first look only has what to count from. */
	if (x->governed)
		x->overhead += (nsec)(x->hooked_all ? exact : light);
	if (x->governed && x->config.max_overhead > 0)
		decide(x, exact / (double)elapsed, now);
	x->decided = x->governed != 0;
	x->asks_served = 0;
	x->governed = now;
}

void engine_govern(struct engine *x, nsec now)
{
	if (now - x->governed >= (x->decided ? PERIOD : FIRST))
		look(x, now);
	if (x->step_due && engine_is_between_turns(x, now))
		take_step(x, now);
}
