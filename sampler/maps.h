#ifndef LAGPROF_SAMPLER_MAPS_H
#define LAGPROF_SAMPLER_MAPS_H

#include "sampler/space.h"

/*
 * Parses one line of /proc/PID/maps, cutting it up in place.  m->path points into
 * it and is what the kernel wrote, less " (deleted)" and with \012 for a
 * newline.  False if the line is none.
 */
bool maps_parse_line(char *line, struct mapping *m);

#endif
