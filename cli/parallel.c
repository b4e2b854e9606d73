#include "cli/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

struct parallel {
	void (*work)(void *context, size_t worker, size_t i);
	void *context;
	size_t n;
	atomic_size_t next, worker;
};

static void *run_worker(void *arg)
{
	struct parallel *p = arg;
	size_t worker = atomic_fetch_add(&p->worker, 1), i;

	while ((i = atomic_fetch_add(&p->next, 1)) < p->n)
		p->work(p->context, worker, i);
	return NULL;
}

size_t parallel_workers(size_t n)
{
	cpu_set_t set;
	size_t cpus = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		cpus = (size_t)CPU_COUNT(&set);
	cpus = cpus < PARALLEL_MAX ? cpus : PARALLEL_MAX;
	return n < cpus ? n + (n == 0) : cpus;
}

void parallel_run(size_t n, void (*work)(void *context, size_t worker, size_t i), void *context)
{
	struct parallel p = { .work = work, .context = context, .n = n };
	size_t started = 0, wanted = parallel_workers(n) - 1;
	pthread_t threads[PARALLEL_MAX];

	/* With fewer threads than wanted it only takes longer. */
	while (started < wanted && pthread_create(&threads[started], NULL, run_worker, &p) == 0)
		started++;
	run_worker(&p);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}
