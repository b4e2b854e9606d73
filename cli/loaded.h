#ifndef LAGPROF_CLI_LOADED_H
#define LAGPROF_CLI_LOADED_H

#include "core/error.h"
#include "core/finding.h"

/* A recording that was read from a file, with its diagnosis. */
struct loaded {
	struct recording *rec; /* NULL: not read */
	struct diagnosis *d;
};

/*
 * 0, or -errno; *l is to be freed whatever is returned.  source_maps: see
 * places_resolve().
 */
int loaded_read(struct loaded *l, const char *path, bool source_maps, struct error *err);
void loaded_free(struct loaded *l);

#endif
