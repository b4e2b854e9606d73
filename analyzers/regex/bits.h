#ifndef LAGPROF_ANALYZERS_REGEX_BITS_H
#define LAGPROF_ANALYZERS_REGEX_BITS_H

#include <stdbool.h>
#include <stdint.h>

/* Sets of small numbers as arrays of words; all of one kind have the same number of words. */

static inline uint32_t bits_words(uint32_t n)
{
	return (n + 63) / 64;
}

static inline bool bits_has(const uint64_t *b, uint32_t i)
{
	return b[i >> 6] >> (i & 63) & 1;
}

static inline void bits_set(uint64_t *b, uint32_t i)
{
	b[i >> 6] |= 1ull << (i & 63);
}

static inline bool bits_any(const uint64_t *b, uint32_t words)
{
	for (uint32_t i = 0; i < words; i++)
		if (b[i])
			return true;
	return false;
}

static inline bool bits_overlap(const uint64_t *x, const uint64_t *y, uint32_t words)
{
	for (uint32_t i = 0; i < words; i++)
		if (x[i] & y[i])
			return true;
	return false;
}

/* The smallest member that is at least from, or UINT32_MAX. */
static inline uint32_t bits_next(const uint64_t *b, uint32_t words, uint32_t from)
{
	uint32_t w = from >> 6;
	uint64_t rest;

	if (w >= words)
		return UINT32_MAX;
	rest = b[w] & (~0ull << (from & 63));
	while (!rest) {
		if (++w == words)
			return UINT32_MAX;
		rest = b[w];
	}
	return w * 64 + (uint32_t)__builtin_ctzll(rest);
}

#endif
