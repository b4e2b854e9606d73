#include "sampler/runtimes/cpython/lines.h"

#include <stdbool.h>

/* A line before the first one or beyond all reason is none. */
static uint32_t sound(int64_t line)
{
	return line > 0 && line < INT32_MAX ? (uint32_t)line : 0;
}

/* Up to 3.9 (Objects/lnotab_notes.txt): pairs of how far on the next line begins, and how far down.
 */
static uint32_t line_of_lnotab(const uint8_t *table, size_t len, uint32_t first, uint32_t at)
{
	int64_t line = first;
	uint32_t begin = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		begin += table[i];
		if (begin > at)
			break;
		line += (int8_t)table[i + 1];
	}
	return sound(line);
}

/* 3.10: pairs of a range's length and how far down its line is; -128: it has none. */
static uint32_t line_of_ranges(const uint8_t *table, size_t len, uint32_t first, uint32_t at)
{
	enum { NO_LINE = -128 };
	int64_t line = first;
	uint32_t end = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		int8_t down = (int8_t)table[i + 1];

		if (down != NO_LINE)
			line += down;
		end += table[i];
		if (end > at)
			return down == NO_LINE ? 0 : sound(line);
	}
	return 0;
}

struct bytes {
	const uint8_t *p, *end;
};

/* Six bits a byte, the lowest first; bit 6: more follow. */
static uint32_t take_varint(struct bytes *b)
{
	uint32_t value = 0;

	for (int shift = 0; b->p < b->end; shift += 6) {
		uint8_t byte = *b->p++;

		if (shift < 30)
			value |= (uint32_t)(byte & 63) << shift;
		if (!(byte & 64))
			break;
	}
	return value;
}

/* The same with the sign in bit 0. */
static int32_t take_signed(struct bytes *b)
{
	uint32_t value = take_varint(b);

	return value & 1 ? -(int32_t)(value >> 1) : (int32_t)(value >> 1);
}

/*
 * Since 3.11 (Objects/locations.md): entries of a first byte with bit 7 set, which
 * holds their kind and the length of their range in code units of two bytes.
 * How far down its line is; *none: it has no line.
 */
static int32_t take_delta(struct bytes *b, int kind, bool *none)
{
	enum { ONE_LINE = 10, NO_COLUMNS = 13, LONG = 14, NONE = 15 };

	*none = kind == NONE;
	if (kind == NO_COLUMNS || kind == LONG)
		return take_signed(b);
	return kind >= ONE_LINE && kind < NO_COLUMNS ? kind - ONE_LINE : 0;
}

static uint32_t line_of_locations(const uint8_t *table, size_t len, uint32_t first, uint32_t at)
{
	struct bytes b = { table, table + len };
	int64_t line = first;
	uint32_t end = 0;

	while (b.p < b.end) {
		uint8_t head = *b.p++;
		bool none;

		line += take_delta(&b, head >> 3 & 15, &none);
		end += ((head & 7) + 1U) * 2;
		if (end > at)
			return none ? 0 : sound(line);
		/* Columns, and where the range ends. */
		while (b.p < b.end && !(*b.p & 128))
			b.p++;
	}
	return 0;
}

uint32_t cpython_line(int32_t version, const uint8_t *table, size_t len, uint32_t first,
		      uint32_t at)
{
	if (version >= 311)
		return line_of_locations(table, len, first, at);
	return version == 310 ? line_of_ranges(table, len, first, at)
			      : line_of_lnotab(table, len, first, at);
}
