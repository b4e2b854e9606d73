#ifndef LAGPROF_SAMPLER_LOOP_KIND_H
#define LAGPROF_SAMPLER_LOOP_KIND_H

#include "core/recording.h"
#include "sampler/space.h"

/*
 * What kind of loop a thread runs: by its poll (POLL_KEY_…), and by the
 * library that polls where the target's mappings show one.
 */
enum loop_kind loop_kind_of(uint64_t key, const struct space *space);

#endif
