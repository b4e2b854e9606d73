#ifndef LAGPROF_SAMPLER_RIGHTS_H
#define LAGPROF_SAMPLER_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "sampler/probe.h"

/* What this machine lets this user do, found out by trying. */
struct right {
	const char *name;          /* of the probe, or "memory" */
	const char *what;          /* what it is needed for; of a probe: what it needs */
	const struct probe *probe; /* NULL: not one */
	bool ok;
	bool run_only;    /* works for a target that lagprof starts */
	struct error err; /* when not ok: why, and what mends it */
};

/* Fills in at most max rights, best probe first; how many. */
size_t rights_check(struct right *rights, size_t max);

#endif
