#ifndef LAGPROF_SAMPLER_SHIM_PAGE_H
#define LAGPROF_SAMPLER_SHIM_PAGE_H

#include <stdint.h>

#include "core/hist.h"

/*
 * What the library preloaded into the target and lagprof share, in a memfd.
 * Each thread that polls takes a slot and is the only one that writes it, but
 * for `key`.  Times are CLOCK_MONOTONIC ns.
 */
enum { SHIM_THREADS = 64, SHIM_LONG = 16 };
#define SHIM_MAGIC 0x316d69687367616cull /* "lagshim1": its last letter is the layout's version */

/* Environment of the launched target: the page, as a path that it can open. */
#define SHIM_VARIABLE "LAGPROF_SHIM"

struct shim_turn {
	uint64_t start, end;
};

struct shim_thread {
	uint32_t tid; /* 0: free */
	uint32_t pad;
	uint64_t key;        /* POLL_KEY_… of the loop's poll; 0: the next one is taken */
	uint64_t first_poll; /* when this thread first polled */
	uint64_t turn_start, poll_start; /* at most one is not 0 */
	uint64_t turns, busy, polled, min, max;
	uint64_t others; /* polls that were not the loop's; the last of them: */
	uint64_t other_key, other_sp, other_at;
	uint64_t n_long;                   /* turns at least as long as the threshold so far */
	struct shim_turn longs[SHIM_LONG]; /* the last of them, at n % SHIM_LONG */
	uint64_t lag[HIST_BUCKETS];
};

struct shim_page {
	uint64_t magic;
	uint32_t pid;       /* the target's: nobody else writes here */
	uint32_t off;       /* lagprof has left: do nothing */
	uint64_t threshold; /* ns */
	uint64_t loads;     /* programs that the library was loaded into */
	uint64_t listen_at; /* the first listen(2) */
	struct shim_thread threads[SHIM_THREADS];
};

#endif
