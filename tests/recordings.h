#ifndef LAGPROF_TESTS_RECORDINGS_H
#define LAGPROF_TESTS_RECORDINGS_H

#include "core/recording.h"

/* A small recording that uses every field. */
struct recording *recordings_rich(uint32_t stalls, uint32_t samples);
/* The i-th of some frames, as an id of rec. */
uint32_t recordings_frame(struct recording *rec, uint32_t i);
struct stall *recordings_add_stall(struct recording *rec, uint32_t samples);
void recordings_add_samples(struct recording *rec, struct stall *stall, uint32_t n);

/* NULL, or what differs first between two recordings; ids of frames and stacks may. */
const char *recordings_difference(const struct recording *a, const struct recording *b);
bool recordings_same_sample(const struct recording *ra, const struct sample *a,
			    const struct recording *rb, const struct sample *b);
bool recordings_same_text(const char *a, const char *b);

#endif
