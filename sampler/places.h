#ifndef LAGPROF_SAMPLER_PLACES_H
#define LAGPROF_SAMPLER_PLACES_H

#include <stdbool.h>
#include <sys/types.h>

struct recording;

/*
 * Once per recording, when it is finished, or read after it was cut short: looks
 * up what takes too long per sample, file:line and inlined frames of native code
 * and, with source_maps, the source that JavaScript was made from.  pid: the
 * target if it still lives, else 0.
 */
void places_resolve(struct recording *rec, pid_t pid, bool source_maps);

#endif
