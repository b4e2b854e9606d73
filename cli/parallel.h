#ifndef LAGPROF_CLI_PARALLEL_H
#define LAGPROF_CLI_PARALLEL_H

#include <stddef.h>

enum { PARALLEL_MAX = 16 };

/* How many threads parallel_run() uses for n pieces of work: 1 to PARALLEL_MAX. */
size_t parallel_workers(size_t n);

/*
 * Calls work(context, worker, i) for each i < n, in any order, on as many
 * threads as there are CPUs; worker < parallel_workers(n) is that of the
 * calling thread.  Returns when all is done.
 */
void parallel_run(size_t n, void (*work)(void *context, size_t worker, size_t i), void *context);

#endif
