#ifndef LAGPROF_SAMPLER_PLACE_H
#define LAGPROF_SAMPLER_PLACE_H

#include "sampler/watch.h"

/* What a thread is at when it is first looked at. */

/*
 * Tells the probe what the thread does right now, so that its first turn is not
 * missed: in its loop's poll, or inside a turn that began before we came.
 */
void place_watch(struct watch *w, struct watch_context *c);
/* After its first poll: one of a thread that was found inside a turn may be made in there. */
void place_first_poll(struct watch *w, struct watch_context *c);

#endif
