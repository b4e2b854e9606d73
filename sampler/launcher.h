#ifndef LAGPROF_SAMPLER_LAUNCHER_H
#define LAGPROF_SAMPLER_LAUNCHER_H

#include <stdbool.h>

#include "core/recording.h"

/*
 * Is this a program that is there to start another (a shell, npm)?  Then that one
 * is what the user asked for: its processes are followed, and what the loop of the
 * launcher itself does is its startup.  To add one: a row in launcher.c.
 */
bool launcher_is(const struct target_info *info);

#endif
