#include "sampler/runtimes/v8/positions.h"

#include "sampler/runtimes/v8/vlq.h"

struct v8_position v8_position_of(uint64_t raw)
{
	/* Bit 0: the position is of a file outside the heap (Torque sources). */
	if (raw & 1)
		return (struct v8_position){ .offset = -1 };
	return (struct v8_position){ .offset = (int32_t)(raw >> 1 & 0x3fffffff) - 1,
				     .inlining = raw >> 31 & 0xffff };
}

/* The step to the next entry's code offset, -1 if it is none. */
static int64_t code_step(struct vlq *v, int flag_bits)
{
	int64_t step;

	if (flag_bits)
		return (int64_t)(vlq_unsigned(v) >> flag_bits);
	/* Its sign told statements from expressions. */
	step = vlq_signed(v);
	return step < 0 ? -(step + 1) : step;
}

bool v8_positions_find(struct v8_bytes table, struct v8_table_kind kind, int64_t code_offset,
		       struct v8_position *out)
{
	struct vlq v = { table.bytes, table.bytes + table.len, false };
	int64_t at = -1; /* the function's entry */
	uint64_t position = 0;

	*out = (struct v8_position){ .offset = -1 };
	while (v.p < v.end) {
		at += code_step(&v, kind.flag_bits);
		position += (uint64_t)vlq_signed(&v);
		if (v.bad || at > kind.code_size || at < -1)
			return false;
		if (at <= code_offset)
			*out = v8_position_of(position);
	}
	return table.len > 0;
}

bool v8_positions_span(struct v8_bytes table, struct v8_table_kind kind, int64_t first,
		       int64_t last, struct v8_span *out)
{
	struct vlq v = { table.bytes, table.bytes + table.len, false };
	int64_t at = -1;
	uint64_t position = 0;

	*out = (struct v8_span){ INT32_MAX, -1 };
	while (v.p < v.end) {
		int32_t offset;

		at += code_step(&v, kind.flag_bits);
		position += (uint64_t)vlq_signed(&v);
		if (v.bad || at > kind.code_size || at < -1)
			return false;
		if (at > last)
			continue;
		/* The last one that is not behind `first` holds there. */
		if (at <= first)
			*out = (struct v8_span){ INT32_MAX, -1 };
		offset = v8_position_of(position).offset;
		if (offset < out->min)
			out->min = offset;
		if (offset > out->max)
			out->max = offset;
	}
	return out->max >= 0 && out->min >= 0;
}

/* The length of the bytecode at p, 0 if there is none. */
static size_t bytecode_length(const uint8_t *p, size_t left, const char *lengths, size_t n)
{
	size_t prefix = 0;
	int scale = 1, code;

	if (left == 0)
		return 0;
	/* Wide and ExtraWide (and their debugger's twins) scale the operands of what follows. */
	if (p[0] < 4) {
		prefix = 1;
		scale = p[0] & 1 ? 4 : 2;
		if (left < 2)
			return 0;
	}
	if (p[prefix] >= n)
		return 0;
	code = lengths[p[prefix]] - '0';
	return prefix + (size_t)(code / 6 + 1) + (size_t)(code % 6 * (scale - 1));
}

bool v8_baseline_find(struct v8_bytes table, struct v8_bytes bytecodes, const char *lengths,
		      uint64_t pc_offset, int64_t *bytecode_offset)
{
	struct vlq v = { table.bytes, table.bytes + table.len, false };
	size_t n = 0, at = 0;
	uint64_t end;

	while (n < 256 && lengths[n])
		n++;
	/* First comes the prologue, which belongs to no bytecode. */
	end = vlq_unsigned(&v);
	*bytecode_offset = -1;
	while (!v.bad && end <= pc_offset) {
		size_t length = at < bytecodes.len ? bytecode_length(bytecodes.bytes + at,
								     bytecodes.len - at, lengths, n)
						   : 0;

		if (length == 0)
			return false;
		*bytecode_offset = (int64_t)at;
		at += length;
		end += vlq_unsigned(&v);
	}
	return !v.bad;
}

size_t v8_line_ends(const void *text, size_t n, bool two_byte, uint32_t *ends, size_t cap)
{
	const uint16_t *wide = text;
	const uint8_t *narrow = text;
	size_t found = 0;

	for (size_t i = 0; i <= n && found < cap; i++) {
		uint32_t c = i == n ? '\n' : two_byte ? wide[i] : narrow[i];
		uint32_t next = i + 1 >= n ? 0 : two_byte ? wide[i + 1] : narrow[i + 1];

		if (c != '\n' && (c != '\r' || next == '\n') && c != 0x2028 && c != 0x2029)
			continue;
		if (ends)
			ends[found] = (uint32_t)i;
		found++;
	}
	return found;
}

size_t v8_line_find(const uint32_t *ends, size_t n, uint32_t offset, uint32_t *line_start)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ends[middle] < offset)
			low = middle + 1;
		else
			high = middle;
	}
	*line_start = low ? ends[low - 1] + 1 : 0;
	return low;
}
