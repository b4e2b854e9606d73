#ifndef LAGPROF_TESTS_SNAPSHOT_H
#define LAGPROF_TESTS_SNAPSHOT_H

#include <stdio.h>

#include "sampler/unwind.h"

/*
 * One sample of a V8 with all the memory that naming its frames reads: what
 * tests replay without a node.  A file is zstd over: the header below, the
 * frames, the mappings, then ranges {addr, len, bytes}.
 */
struct snapshot_range {
	uint64_t addr, len;
	uint8_t *bytes;
};

struct snapshot_map {
	uint64_t start, end;
	uint64_t anon; /* else a file: V8's or another, which the frames tell apart */
};

struct snapshot {
	struct memory base; /* reads from ranges */
	int32_t version;    /* of V8, as in v8_layout */
	struct raw_stack stack;
	struct snapshot_map *maps; /* executable ones */
	struct snapshot_range *ranges;
	size_t n_maps, n_ranges;
};

/* NULL if the file cannot be read or makes no sense. */
struct snapshot *snapshot_load(const char *path);
void snapshot_free(struct snapshot *s);
/* Writes one; ranges may overlap.  False if the file cannot be written. */
bool snapshot_save(const struct snapshot *s, const char *path);

/*
 * Names the snapshot's frames by V8's rows alone (no symbols), reading through
 * mem, as two samples, and prints those of the second and the arguments of the call.
 */
void snapshot_print(const struct snapshot *s, struct memory *mem, FILE *out);

#endif
