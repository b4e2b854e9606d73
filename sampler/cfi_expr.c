#include "sampler/cfi_expr.h"

#include <dwarf.h>
#include <errno.h>

#include "sampler/cursor.h"

enum { MAX_STEPS = 1000, MAX_DEPTH = 64 };

struct expr {
	struct cursor c;
	const uint8_t *bytes;
	const struct regs *regs;
	struct memory *mem;
	uint64_t stack[MAX_DEPTH];
	size_t depth;
	int rc;
};

static void push(struct expr *e, uint64_t value)
{
	if (e->depth == MAX_DEPTH)
		e->rc = -EINVAL;
	else
		e->stack[e->depth++] = value;
}

static uint64_t pop(struct expr *e)
{
	if (e->depth == 0) {
		e->rc = -EINVAL;
		return 0;
	}
	return e->stack[--e->depth];
}

/* A copy of the entry `index` below the top. */
static void pick(struct expr *e, uint64_t index)
{
	if (index >= e->depth)
		e->rc = -EINVAL;
	else
		push(e, e->stack[e->depth - 1 - index]);
}

/* Moves the top entry below the next n. */
static void rotate(struct expr *e, size_t n)
{
	uint64_t top;

	if (e->depth <= n) {
		e->rc = -EINVAL;
		return;
	}
	top = e->stack[e->depth - 1];
	memmove(&e->stack[e->depth - n], &e->stack[e->depth - 1 - n], n * sizeof(top));
	e->stack[e->depth - 1 - n] = top;
}

static void push_register(struct expr *e, uint64_t reg)
{
	int64_t offset = cursor_sleb(&e->c);

	if (reg >= DW_N || !(e->regs->valid & 1u << reg))
		e->rc = -EFAULT;
	else
		push(e, e->regs->r[reg] + (uint64_t)offset);
}

static void deref(struct expr *e, uint64_t size)
{
	uint64_t addr = pop(e), value = 0;

	if (size == 0 || size > sizeof(value))
		e->rc = -EINVAL;
	else if (!e->rc)
		e->rc = memory_read(e->mem, addr, &value, size);
	push(e, value);
}

static void jump(struct expr *e, bool taken)
{
	int64_t distance = cursor_int(&e->c, 2);
	int64_t from = e->c.at - e->bytes, size = e->c.end - e->bytes;

	if (!taken)
		return;
	if (from + distance < 0 || from + distance > size)
		e->rc = -EINVAL;
	else
		e->c.at = e->bytes + from + distance;
}

static uint64_t divide(struct expr *e, int64_t a, int64_t b)
{
	if (b == 0 || (a == INT64_MIN && b == -1)) {
		e->rc = -EINVAL;
		return 0;
	}
	return (uint64_t)(a / b);
}

static void unary(struct expr *e, uint8_t op)
{
	uint64_t a = pop(e);

	switch (op) {
	case DW_OP_abs:
		push(e, (int64_t)a < 0 ? -a : a);
		break;
	case DW_OP_neg:
		push(e, -a);
		break;
	case DW_OP_not:
		push(e, ~a);
		break;
	case DW_OP_plus_uconst:
		push(e, a + cursor_uleb(&e->c));
		break;
	}
}

static void binary(struct expr *e, uint8_t op)
{
	uint64_t b = pop(e), a = pop(e), r;
	int64_t sa = (int64_t)a, sb = (int64_t)b;

	switch (op) {
	/* clang-format off */
	case DW_OP_and: r = a & b; break;
	case DW_OP_or: r = a | b; break;
	case DW_OP_xor: r = a ^ b; break;
	case DW_OP_plus: r = a + b; break;
	case DW_OP_minus: r = a - b; break;
	case DW_OP_mul: r = a * b; break;
	case DW_OP_div: r = divide(e, sa, sb); break;
	case DW_OP_mod: r = b ? a % b : (e->rc = -EINVAL, 0); break;
	case DW_OP_shl: r = b < 64 ? a << b : 0; break;
	case DW_OP_shr: r = b < 64 ? a >> b : 0; break;
	case DW_OP_shra: r = (uint64_t)(sa >> (b < 63 ? b : 63)); break;
	case DW_OP_eq: r = sa == sb; break;
	case DW_OP_ne: r = sa != sb; break;
	case DW_OP_lt: r = sa < sb; break;
	case DW_OP_le: r = sa <= sb; break;
	case DW_OP_gt: r = sa > sb; break;
	case DW_OP_ge: r = sa >= sb; break;
	default: r = 0; e->rc = -EINVAL; /* an operation that has no place here */
		/* clang-format on */
	}
	push(e, r);
}

static void stack_op(struct expr *e, uint8_t op)
{
	switch (op) {
	case DW_OP_dup:
		pick(e, 0);
		break;
	case DW_OP_over:
		pick(e, 1);
		break;
	case DW_OP_pick:
		pick(e, cursor_uint(&e->c, 1));
		break;
	case DW_OP_drop:
		pop(e);
		break;
	case DW_OP_swap:
		rotate(e, 1);
		break;
	case DW_OP_rot:
		rotate(e, 2);
		break;
	}
}

static void constant(struct expr *e, uint8_t op)
{
	unsigned index = op - DW_OP_const1u; /* 1u 1s 2u 2s 4u 4s 8u 8s u s, in this order */

	if (op == DW_OP_addr)
		push(e, cursor_uint(&e->c, 8));
	else if (op == DW_OP_constu)
		push(e, cursor_uleb(&e->c));
	else if (op == DW_OP_consts)
		push(e, (uint64_t)cursor_sleb(&e->c));
	else if (index & 1)
		push(e, (uint64_t)cursor_int(&e->c, 1u << index / 2));
	else
		push(e, cursor_uint(&e->c, 1u << index / 2));
}

static void step(struct expr *e)
{
	uint8_t op = (uint8_t)cursor_uint(&e->c, 1);

	switch (op) {
	case DW_OP_lit0 ... DW_OP_lit31:
		push(e, op - DW_OP_lit0);
		break;
	case DW_OP_breg0 ... DW_OP_breg31:
		push_register(e, op - DW_OP_breg0);
		break;
	case DW_OP_bregx:
		push_register(e, cursor_uleb(&e->c));
		break;
	case DW_OP_addr:
	case DW_OP_const1u ... DW_OP_consts:
		constant(e, op);
		break;
	case DW_OP_deref:
		deref(e, 8);
		break;
	case DW_OP_deref_size:
		deref(e, cursor_uint(&e->c, 1));
		break;
	case DW_OP_dup ... DW_OP_rot:
		stack_op(e, op);
		break;
	case DW_OP_abs:
	case DW_OP_neg:
	case DW_OP_not:
	case DW_OP_plus_uconst:
		unary(e, op);
		break;
	case DW_OP_skip:
		jump(e, true);
		break;
	case DW_OP_bra:
		jump(e, pop(e) != 0);
		break;
	case DW_OP_nop:
		break;
	default:
		binary(e, op);
	}
}

int cfi_expr_eval(struct cfi_expr expr, const struct regs *regs, struct memory *mem,
		  const uint64_t *first, uint64_t *value)
{
	struct expr e;

	e.c = cursor_over(expr.bytes, expr.size);
	e.bytes = expr.bytes;
	e.regs = regs;
	e.mem = mem;
	e.depth = 0;
	e.rc = 0;
	if (first)
		push(&e, *first);
	for (int i = 0; e.c.at < e.c.end && !e.rc; i++) {
		if (i == MAX_STEPS)
			return -EINVAL;
		step(&e);
		if (e.c.bad)
			return -EINVAL;
	}
	*value = e.rc ? 0 : pop(&e);
	return e.rc;
}
