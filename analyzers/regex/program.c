#include "analyzers/regex/program.h"

#include <stdlib.h>

static void compile(struct program *p, const struct node *n, bool back);

static uint32_t emit(struct program *p, enum op op, uint32_t x, uint32_t y)
{
	ARRAY_GROW(p->code, p->n_code, p->cap_code);
	p->code[p->n_code] = (struct insn){ op, x, y };
	return (uint32_t)p->n_code++;
}

static uint32_t here(const struct program *p)
{
	return (uint32_t)p->n_code;
}

static uint32_t add_set(struct program *p, const struct charset *set)
{
	struct fast_set *f;

	for (size_t i = p->n_sets; i > 0 && i + 8 > p->n_sets; i--)
		if (p->sets[i - 1].set == set)
			return (uint32_t)i - 1;
	ARRAY_GROW(p->sets, p->n_sets, p->cap_sets);
	f = &p->sets[p->n_sets];
	*f = (struct fast_set){ .set = set };
	for (uint32_t i = 0; i < set->n && set->ranges[i].lo < 256; i++)
		for (uint32_t c = set->ranges[i].lo; c <= set->ranges[i].hi && c < 256; c++)
			f->low[c >> 6] |= 1ull << (c & 63);
	return (uint32_t)p->n_sets++;
}

/* A repeat of one set to the right needs no stack entry for each turn. */
static void compile_run(struct program *p, const struct node *n)
{
	struct run run = { add_set(p, n->repeat.body->set), n->repeat.min, n->repeat.max,
			   n->repeat.mode };

	ARRAY_GROW(p->runs, p->n_runs, p->cap_runs);
	p->runs[p->n_runs] = run;
	emit(p, OP_RUN, (uint32_t)p->n_runs++, 0);
}

static void compile_loop(struct program *p, const struct node *n, bool back)
{
	uint32_t index = (uint32_t)p->n_loops;
	struct loop_info *l;

	ARRAY_GROW(p->loops, p->n_loops, p->cap_loops);
	l = &p->loops[p->n_loops++];
	*l = (struct loop_info){
		.min = n->repeat.min,
		.max = n->repeat.max,
		.mode = n->repeat.mode,
		.reg = p->registers,
	};
	/* Only JavaScript forgets what the last iteration captured. */
	if (p->syntax->engine == REGEX_V8) {
		l->first = 2 * n->repeat.first_group;
		l->end = 2 * n->repeat.end_group;
	}
	p->registers += 2;
	emit(p, OP_LOOP, index, 0);
	p->loops[index].iterate = emit(p, OP_ITERATE, index, 0);
	emit(p, OP_ENTER, index, 0);
	compile(p, n->repeat.body, back);
	emit(p, OP_ITERATED, index, 0);
	p->loops[index].leave = here(p);
}

/* x* and x+ whose body always takes something and captures nothing to forget. */
static void compile_simple_loop(struct program *p, const struct node *n, bool back)
{
	bool lazy = n->repeat.mode == REPEAT_LAZY;
	uint32_t body = here(p), split = 0;

	if (n->repeat.min == 0)
		split = emit(p, OP_SPLIT, 0, 0);
	compile(p, n->repeat.body, back);
	if (n->repeat.min == 0) {
		emit(p, OP_JUMP, body, 0);
		body = split + 1;
	} else {
		split = emit(p, OP_SPLIT, 0, 0);
	}
	p->code[split].x = lazy ? here(p) : body;
	p->code[split].y = lazy ? body : here(p);
}

static void compile_optional(struct program *p, const struct node *n, bool back)
{
	bool lazy = n->repeat.mode == REPEAT_LAZY;
	uint32_t split = emit(p, OP_SPLIT, 0, 0);

	compile(p, n->repeat.body, back);
	p->code[split].x = lazy ? here(p) : split + 1;
	p->code[split].y = lazy ? split + 1 : here(p);
}

static void compile_atomic(struct program *p, const struct node *body, bool back)
{
	uint32_t reg = p->registers;

	p->registers += 2;
	emit(p, OP_ATOMIC, reg, 0);
	compile(p, body, back);
	emit(p, OP_ATOMIC_END, reg, 0);
}

static void compile_possessive(struct program *p, const struct node *n, bool back)
{
	struct node greedy = *n, once = *n;

	greedy.repeat.mode = REPEAT_GREEDY;
	/* Python (3.11) does not go back into an iteration for the sake of the next. */
	if (p->syntax->engine == REGEX_PYTHON) {
		once.kind = NODE_ATOMIC;
		once.part.body = n->repeat.body;
		once.width = n->repeat.body->width;
		greedy.repeat.body = &once;
	}
	compile_atomic(p, &greedy, back);
}

static void compile_repeat(struct program *p, const struct node *n, bool back)
{
	const struct node *body = n->repeat.body;
	bool captures = n->repeat.first_group != n->repeat.end_group;
	bool takes = body->width.min > 0;

	if (n->repeat.max == 0)
		return;
	if (body->kind == NODE_SET && !back) {
		compile_run(p, n);
	} else if (n->repeat.mode == REPEAT_POSSESSIVE) {
		compile_possessive(p, n, back);
	} else if (n->repeat.min == 1 && n->repeat.max == 1) {
		compile(p, body, back);
	} else if (takes && n->repeat.min == 0 && n->repeat.max == 1) {
		compile_optional(p, n, back);
	} else if (takes && !captures && n->repeat.min <= 1 && n->repeat.max == REPEAT_FOREVER) {
		compile_simple_loop(p, n, back);
	} else {
		compile_loop(p, n, back);
	}
}

static void compile_sequence(struct program *p, const struct node *n, bool back)
{
	for (uint32_t i = 0; i < n->list.n; i++)
		compile(p, n->list.items[back ? n->list.n - 1 - i : i], back);
}

static void compile_choice(struct program *p, const struct node *n, bool back)
{
	uint32_t last_jump = UINT32_MAX;

	for (uint32_t i = 0; i < n->list.n; i++) {
		bool more = i + 1 < n->list.n;
		uint32_t split = more ? emit(p, OP_SPLIT, here(p) + 1, 0) : 0;

		compile(p, n->list.items[i], back);
		if (!more)
			break;
		/* Jumps to the end are chained through x until the end is known. */
		last_jump = emit(p, OP_JUMP, last_jump, 0);
		p->code[split].y = here(p);
	}
	while (last_jump != UINT32_MAX) {
		uint32_t next = p->code[last_jump].x;

		p->code[last_jump].x = here(p);
		last_jump = next;
	}
}

static void compile_capture(struct program *p, const struct node *n, bool back)
{
	uint32_t reg = p->registers++;

	emit(p, OP_SAVE, reg, 0);
	compile(p, n->part.body, back);
	emit(p, OP_CAPTURE, n->part.group, reg);
}

static void compile_look(struct program *p, const struct node *n)
{
	uint32_t reg = p->registers, look;

	p->registers += 2;
	look = emit(p, OP_LOOK, reg, 0);
	compile(p, n->look.body, n->look.behind);
	emit(p, n->look.negative ? OP_LOOK_NOT : OP_LOOK_END, reg, 0);
	if (n->look.negative)
		p->code[look].y = here(p);
}

static void compile_condition(struct program *p, const struct node *n, bool back)
{
	uint32_t test = emit(p, OP_CONDITION, n->part.group, 0), jump;

	compile(p, n->part.body, back);
	jump = emit(p, OP_JUMP, 0, 0);
	p->code[test].y = here(p);
	compile(p, n->part.otherwise, back);
	p->code[jump].x = here(p);
}

static void compile_reference(struct program *p, const struct node *n, bool back)
{
	struct reference r = { n->backreference.groups, n->backreference.n, n->backreference.fold };

	ARRAY_GROW(p->references, p->n_references, p->cap_references);
	p->references[p->n_references] = r;
	emit(p, back ? OP_BACKREFERENCE_BACK : OP_BACKREFERENCE, (uint32_t)p->n_references++, 0);
}

static void compile(struct program *p, const struct node *n, bool back)
{
	switch (n->kind) {
	case NODE_EMPTY:
		break;
	case NODE_SET:
		emit(p, back ? OP_SET_BACK : OP_SET, add_set(p, n->set), 0);
		break;
	case NODE_SEQUENCE:
		compile_sequence(p, n, back);
		break;
	case NODE_CHOICE:
		compile_choice(p, n, back);
		break;
	case NODE_CAPTURE:
		compile_capture(p, n, back);
		break;
	case NODE_REPEAT:
		compile_repeat(p, n, back);
		break;
	case NODE_BACKREFERENCE:
		compile_reference(p, n, back);
		break;
	case NODE_ASSERTION:
		emit(p, OP_ASSERT, n->assertion.kind, add_set(p, n->assertion.set));
		break;
	case NODE_LOOK:
		compile_look(p, n);
		break;
	case NODE_ATOMIC:
		compile_atomic(p, n->part.body, back);
		break;
	case NODE_CONDITION:
		compile_condition(p, n, back);
		break;
	}
}

void program_compile(struct program *p, const struct syntax *syntax)
{
	*p = (struct program){ .syntax = syntax, .registers = 2 * syntax->groups };
	prefilter_init(&p->prefilter, syntax);
	emit(p, OP_SAVE, p->registers++, 0);
	compile(p, syntax->root, false);
	emit(p, OP_CAPTURE, 0, 2 * syntax->groups);
	emit(p, OP_MATCH, 0, 0);
}

void program_free(struct program *p)
{
	free(p->code);
	free(p->sets);
	free(p->runs);
	free(p->loops);
	free(p->references);
	*p = (struct program){ 0 };
}
