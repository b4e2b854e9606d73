#ifndef LAGPROF_SAMPLER_RUNTIMES_V8_VLQ_H
#define LAGPROF_SAMPLER_RUNTIMES_V8_VLQ_H

#include <stdbool.h>
#include <stdint.h>

/* A cursor over variable-length numbers: 7 bits a byte, least significant first. */
struct vlq {
	const uint8_t *p, *end;
	bool bad;
};

static inline uint64_t vlq_unsigned(struct vlq *v)
{
	uint64_t bits = 0;

	for (int shift = 0; shift < 64; shift += 7) {
		if (v->p == v->end)
			break;
		bits |= (uint64_t)(*v->p & 0x7f) << shift;
		if (!(*v->p++ & 0x80))
			return bits;
	}
	v->bad = true;
	return 0;
}

static inline int64_t vlq_signed(struct vlq *v)
{
	uint64_t bits = vlq_unsigned(v);

	return (int64_t)(bits >> 1 ^ -(bits & 1));
}

#endif
