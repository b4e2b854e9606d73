#ifndef LAGPROF_SAMPLER_BPF_ENGINE_READ_H
#define LAGPROF_SAMPLER_BPF_ENGINE_READ_H

#include "sampler/bpf/engine.h"

/* Takes in what the programs write: functions of struct probe. */

enum {
	ENGINE_REPORTS = 64, /* other polls reported between two drains */
	ENGINE_CALLS = 64,   /* calls that block, likewise */
};

void engine_drain(void *state, void (*handle)(void *arg, const struct event *e), void *arg);
bool engine_look(void *state, pid_t tid, struct loop_look *out);
bool engine_lag(void *state, pid_t tid, struct hist *out);
void engine_losses(void *state, struct probe_losses *out);
void engine_overhead(void *state, struct probe_overhead *out);

#endif
