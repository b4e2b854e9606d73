#ifndef LAGPROF_SAMPLER_RUNTIMES_V8_POSITIONS_H
#define LAGPROF_SAMPLER_RUNTIMES_V8_POSITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decoders of V8's compact tables.  Pure: they see copied bytes only, which may
 * be garbage.
 */

/* One place in the source: offset in characters, -1 unknown; inlining 0: not inlined. */
struct v8_position {
	int32_t offset;
	uint32_t inlining; /* 1 + index in the table of inlining positions */
};
struct v8_position v8_position_of(uint64_t raw);

struct v8_bytes {
	const uint8_t *bytes;
	size_t len;
};

/* What a source position table belongs to. */
struct v8_table_kind {
	int64_t code_size; /* bytes of machine code or bytecode: no entry lies behind */
	int flag_bits;     /* v8_layout.position_flags */
};

/*
 * Looks up a source position table: the entry with the largest code offset not
 * above `code_offset`, offset -1 before the first one.  False if any entry of
 * the table lies outside the code: a table read in the wrong way gives itself away.
 */
bool v8_positions_find(struct v8_bytes table, struct v8_table_kind kind, int64_t code_offset,
		       struct v8_position *out);

/*
 * The smallest and the largest offset in the source of the entries for the code from
 * `first` to `last`: false if it has none, or as above.
 */
struct v8_span {
	int32_t min, max;
};
bool v8_positions_span(struct v8_bytes table, struct v8_table_kind kind, int64_t first,
		       int64_t last, struct v8_span *out);

/*
 * The bytecode that baseline code runs at `pc_offset`: the table has one
 * machine code length per bytecode; `lengths` is v8_layout.bytecodes.  False if
 * the table and the bytecodes do not fit together.
 */
bool v8_baseline_find(struct v8_bytes table, struct v8_bytes bytecodes, const char *lengths,
		      uint64_t pc_offset, int64_t *bytecode_offset);

/*
 * Ends of lines of a source, as V8 counts them: LF, CR, CRLF, U+2028 and U+2029.
 * Writes to ends (capacity cap) the offset of each line's last character within
 * a text of n characters; returns how many, or cap if there were more.  ends NULL: counts.
 */
size_t v8_line_ends(const void *text, size_t n, bool two_byte, uint32_t *ends, size_t cap);

/* The 0-based line of an offset in characters, and the offset of that line's start. */
size_t v8_line_find(const uint32_t *ends, size_t n, uint32_t offset, uint32_t *line_start);

#endif
