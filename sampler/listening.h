#ifndef LAGPROF_SAMPLER_LISTENING_H
#define LAGPROF_SAMPLER_LISTENING_H

#include "sampler/target.h"

/* The lowest TCP port that one of the target's sockets listens on; 0 if there is none yet. */
int target_listening_port(const struct target *t);

#endif
