#ifndef LAGPROF_SAMPLER_NESTED_POLL_H
#define LAGPROF_SAMPLER_NESTED_POLL_H

#include "core/recording.h"

/*
 * Is the poll at the leaf of this stack made inside a turn, by a callback that
 * waits (a synchronous child, a resolver), rather than by the loop?  Pure.
 * False where the stack does not tell.
 */
bool stack_polls_inside_turn(const struct recording *rec, const struct stack *stack);

#endif
