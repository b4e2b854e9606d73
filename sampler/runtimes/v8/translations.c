#include "sampler/runtimes/v8/translations.h"

#include <string.h>

#include "sampler/runtimes/v8/vlq.h"

/* Frames of the interpreter come first, those that other JavaScript builtins go on in follow. */
enum { OP_INTERPRETED_LAST = 1, OP_JS_LAST = 3, BEGIN_OPERANDS = 3 };

/*
 * A translation is a list of instructions.  A run of them that is equal to that of an
 * earlier translation is left out: one instruction says how many, the last one of all; its
 * short form is a number above all of theirs.
 */
struct reader {
	struct vlq own, earlier; /* the next instruction, here and there */
	const char *operands;
	uint64_t n_ops;
	uint64_t left;  /* of the run that is read from there, with the one in hand */
	uint64_t since; /* instructions read here since `earlier` was moved */
};

static struct vlq *source(struct reader *r)
{
	return r->left ? &r->earlier : &r->own;
}

static uint64_t read_op(struct reader *r, struct vlq *v)
{
	if (v->p == v->end) {
		v->bad = true;
		return 0;
	}
	return *v->p++;
}

static void skip_operands(struct reader *r, struct vlq *v, uint64_t op)
{
	for (int n = op < r->n_ops ? r->operands[op] - '0' : 0; n > 0; n--)
		vlq_unsigned(v);
}

/* The next instruction; its operands are then read from source().  False at the end. */
static bool next_op(struct reader *r, uint64_t *op)
{
	if (r->left && --r->left) {
		*op = read_op(r, &r->earlier);
		return !r->earlier.bad && *op + 1 < r->n_ops;
	}
	*op = read_op(r, &r->own);
	if (*op + 1 < r->n_ops) {
		r->since++;
		return !r->own.bad;
	}
	r->left = *op >= r->n_ops ? *op - r->n_ops : vlq_unsigned(&r->own);
	for (; r->since && !r->earlier.bad; r->since--)
		skip_operands(r, &r->earlier, read_op(r, &r->earlier));
	*op = read_op(r, &r->earlier);
	return r->left && !r->own.bad && !r->earlier.bad && *op + 1 < r->n_ops;
}

size_t v8_translation_frames(struct v8_bytes table, const char *operands, size_t at,
			     struct v8_translated *frames, size_t max)
{
	const uint8_t *end = table.bytes + table.len, *begin = table.bytes + at;
	struct reader r = { .operands = operands, .n_ops = strlen(operands), .since = 1 };
	uint64_t op, back;
	int64_t wanted;
	size_t n = 0;

	if (at >= table.len || r.n_ops == 0 || *begin >= r.n_ops ||
	    operands[*begin] != '0' + BEGIN_OPERANDS)
		return 0;
	r.own = (struct vlq){ begin + 1, end, false };
	back = vlq_unsigned(&r.own);
	vlq_signed(&r.own); /* frames of all kinds */
	wanted = vlq_signed(&r.own);
	if (back > at || r.own.bad || wanted < 1 || (uint64_t)wanted > max)
		return 0;
	r.earlier = back ? (struct vlq){ begin - back, begin, false } : (struct vlq){ 0 };
	while (wanted > 0) {
		struct vlq *v;
		int64_t bytecode, function;

		if (!next_op(&r, &op))
			return 0;
		v = source(&r);
		if (op > OP_INTERPRETED_LAST) {
			wanted -= op <= OP_JS_LAST;
			skip_operands(&r, v, op);
			continue;
		}
		bytecode = vlq_signed(v);
		function = vlq_signed(v);
		for (int k = operands[op] - '0' - 2; k > 0; k--)
			vlq_unsigned(v);
		if (v->bad || bytecode < -1 || bytecode > INT32_MAX || function < 0 ||
		    function > INT32_MAX)
			return 0;
		frames[n++] = (struct v8_translated){ (int32_t)bytecode, (uint32_t)function };
		wanted--;
	}
	return n;
}

bool v8_safepoints_open(struct v8_safepoints *s, const uint8_t header[V8_SAFEPOINT_HEADER],
			int32_t length_at)
{
	uint32_t words[2], registers;

	if (length_at < 0 || length_at > V8_SAFEPOINT_HEADER - (int32_t)sizeof(words))
		return false;
	memcpy(words, header + length_at, sizeof(words));
	s->n = words[0];
	registers = words[1] >> 1 & 7;
	s->pc_size = words[1] >> 4 & 7;
	s->index_size = words[1] >> 7 & 7;
	s->entry_size = 2 * s->pc_size + s->index_size + 1 + registers;
	/* Bit 0: entries say where the exit is. */
	return s->n <= V8_SAFEPOINTS_MAX && words[1] & 1 && words[1] >> 10 == 0 &&
	       s->pc_size >= 1 && s->pc_size <= 4 && s->index_size >= 1 && s->index_size <= 4 &&
	       registers <= 4;
}

static uint32_t little_endian(const uint8_t *p, uint32_t n)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < n; i++)
		value |= (uint32_t)p[i] << 8 * i;
	return value;
}

void v8_safepoint(const struct v8_safepoints *s, const uint8_t *entries, uint32_t i, uint32_t *pc,
		  int64_t *index)
{
	const uint8_t *entry = entries + (size_t)i * s->entry_size;

	*pc = little_endian(entry, s->pc_size);
	*index = (int64_t)little_endian(entry + s->pc_size, s->index_size) - 1;
}
