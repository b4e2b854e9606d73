#ifndef LAGPROF_SAMPLER_NATIVE_WORDS_H
#define LAGPROF_SAMPLER_NATIVE_WORDS_H

#include "sampler/runtime.h"

/* The words of the stack that were copied with a sample, from the leaf's stack pointer up. */
struct words {
	const uint8_t *bytes;
	uint64_t addr;
	size_t n;
};

static inline uint64_t word_at(const struct words *w, size_t i)
{
	uint64_t word;

	memcpy(&word, w->bytes + i * 8, sizeof(word));
	return word;
}

/* May it point to anything of a program? */
static inline bool word_is_pointer(uint64_t word)
{
	return word >= 4096 && word >> 47 == 0;
}

/* Those of the frames up to `frame`, and at most `max`; false if there are none. */
static inline bool words_up_to(const struct raw_stack *stack, const struct memory *mem,
			       size_t frame, size_t max, struct words *w)
{
	uint64_t sp = stack->n ? stack->frames[0].sp : 0, offset = sp - mem->window_addr, end;

	if (frame >= stack->n || offset >= mem->window_len || sp % 8)
		return false;
	end = mem->window_len - offset;
	/* What lies above is its caller's. */
	if (frame + 1 < stack->n && stack->frames[frame + 1].sp > sp &&
	    stack->frames[frame + 1].sp - sp < end)
		end = stack->frames[frame + 1].sp - sp;
	*w = (struct words){ mem->window + offset, sp, end / 8 < max ? end / 8 : max };
	return w->n > 0;
}

#endif
