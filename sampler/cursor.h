#ifndef LAGPROF_SAMPLER_CURSOR_H
#define LAGPROF_SAMPLER_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Reads hostile bytes in order.  A read past the end gives 0 and sets `bad`,
 * which stays set: check it once, after a group of reads.
 */
struct cursor {
	const uint8_t *at, *end;
	bool bad;
};

static inline struct cursor cursor_over(const uint8_t *bytes, size_t size)
{
	return (struct cursor){ .at = bytes, .end = bytes + size };
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

/* The next n bytes, or NULL. */
static inline const uint8_t *cursor_skip(struct cursor *c, uint64_t n)
{
	const uint8_t *at = c->at;

	if (n > cursor_left(c)) {
		c->bad = true;
		c->at = c->end;
		return NULL;
	}
	c->at += n;
	return at;
}

/* A little-endian unsigned integer of n <= 8 bytes. */
static inline uint64_t cursor_uint(struct cursor *c, size_t n)
{
	const uint8_t *bytes = cursor_skip(c, n);
	uint64_t value = 0;

	if (bytes)
		memcpy(&value, bytes, n);
	return value;
}

/* The same, sign-extended. */
static inline int64_t cursor_int(struct cursor *c, size_t n)
{
	unsigned unused = 64 - 8 * (unsigned)n;

	return (int64_t)(cursor_uint(c, n) << unused) >> unused;
}

/* LEB128; bits beyond 64 are dropped. */
static inline uint64_t cursor_leb(struct cursor *c, bool is_signed)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)cursor_uint(c, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && shift < 140);
	if (is_signed && shift < 64 && byte & 0x40)
		value |= ~(uint64_t)0 << shift;
	return value;
}

static inline uint64_t cursor_uleb(struct cursor *c)
{
	return cursor_leb(c, false);
}

static inline int64_t cursor_sleb(struct cursor *c)
{
	return (int64_t)cursor_leb(c, true);
}

#endif
