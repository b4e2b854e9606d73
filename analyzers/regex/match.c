#include <stdlib.h>
#include <string.h>

#include "analyzers/regex/program.h"

/*
 * What to do when the path in hand fails, newest last: go on elsewhere, or put
 * a register back on the way there.
 */
enum entry_kind {
	ENTRY_CHOICE, /* go on at instruction x from position y */
	ENTRY_UNDO,   /* register x was y */
	ENTRY_GREEDY, /* a run: go on at x from y, then y - 1, ... down to z */
	ENTRY_LAZY,   /* run x: take one more at y; z may still be taken */
};

struct match_entry {
	enum entry_kind kind;
	uint32_t x, y, z;
};

enum { ENTRIES_MAX = 3 * 1000 * 1000 }; /* 48 MB */

#define UNSET UINT32_MAX

/* One search in hand. */
struct match {
	struct matcher *m;
	const struct program *prog;
	const uint32_t *s;
	uint32_t len, pos, pc;
	uint64_t steps, max_steps;
};

static bool set_has(const struct fast_set *f, uint32_t c)
{
	return c < 256 ? f->low[c >> 6] >> (c & 63) & 1 : charset_has(f->set, c);
}

static void push(struct matcher *m, enum entry_kind kind, uint32_t x, uint32_t y, uint32_t z)
{
	ARRAY_GROW(m->stack, m->n, m->cap);
	m->stack[m->n++] = (struct match_entry){ kind, x, y, z };
}

static void set_register(struct matcher *m, uint32_t reg, uint32_t value)
{
	push(m, ENTRY_UNDO, reg, m->registers[reg], 0);
	m->registers[reg] = value;
}

/* Takes the entry on top; true: there is a place to go on from. */
static bool take_entry(struct match *t, struct match_entry *e)
{
	const struct run *run;

	switch (e->kind) {
	case ENTRY_UNDO:
		t->m->registers[e->x] = e->y;
		t->m->n--;
		return false;
	case ENTRY_CHOICE:
		t->m->n--;
		break;
	case ENTRY_GREEDY:
		t->pc = e->x;
		t->pos = e->y;
		if (e->y == e->z)
			t->m->n--;
		else
			e->y--;
		return true;
	case ENTRY_LAZY:
		run = &t->prog->runs[t->prog->code[e->x].x];
		if (e->z == 0 || e->y == t->len || !set_has(&t->prog->sets[run->set], t->s[e->y])) {
			t->m->n--;
			return false;
		}
		t->pc = e->x + 1;
		t->pos = ++e->y;
		e->z--;
		return true;
	}
	t->pc = e->x;
	t->pos = e->y;
	return true;
}

/* False: nothing is left to try. */
static bool backtrack(struct match *t)
{
	while (t->m->n) {
		t->steps++;
		if (take_entry(t, &t->m->stack[t->m->n - 1]))
			return true;
	}
	return false;
}

/* Drops all entries above height, putting registers back. */
static void unwind(struct matcher *m, uint32_t height)
{
	while (m->n > height) {
		struct match_entry *e = &m->stack[--m->n];

		if (e->kind == ENTRY_UNDO)
			m->registers[e->x] = e->y;
	}
}

/* Drops the ways back above height but keeps what puts registers back. */
static void cut(struct match *t, uint32_t height)
{
	struct matcher *m = t->m;
	size_t kept = height;

	t->steps += m->n - height;
	for (size_t i = height; i < m->n; i++)
		if (m->stack[i].kind == ENTRY_UNDO)
			m->stack[kept++] = m->stack[i];
	m->n = kept;
}

static bool in_set_at(const struct match *t, uint32_t set, uint32_t at)
{
	return at < t->len && set_has(&t->prog->sets[set], t->s[at]);
}

static bool assert_holds(const struct match *t, enum assertion kind, uint32_t set)
{
	uint32_t pos = t->pos;
	bool before, after;

	switch (kind) {
	case ASSERT_START:
		return pos == 0;
	case ASSERT_END:
		return pos == t->len;
	case ASSERT_LINE_START:
		return pos == 0 ||
		       (in_set_at(t, set, pos - 1) &&
			/* PCRE2's ^ does not match after a newline that ends the subject. */
			(pos < t->len || t->prog->syntax->engine != REGEX_PCRE2));
	case ASSERT_LINE_END:
		return pos == t->len || in_set_at(t, set, pos);
	case ASSERT_END_NEWLINE:
		return pos == t->len || (pos + 1 == t->len && t->s[pos] == '\n');
	case ASSERT_WORD:
	case ASSERT_NOT_WORD:
		/* Python before 3.14 finds neither in an empty subject. */
		if (t->len == 0 && t->prog->syntax->engine == REGEX_PYTHON)
			return false;
		before = pos > 0 && in_set_at(t, set, pos - 1);
		after = in_set_at(t, set, pos);
		return (before != after) == (kind == ASSERT_WORD);
	}
	return false;
}

static bool take_run(struct match *t, uint32_t index)
{
	const struct run *run = &t->prog->runs[index];
	const struct fast_set *set = &t->prog->sets[run->set];
	uint32_t most = run->mode == REPEAT_LAZY ? run->min : run->max, n = 0,
		 left = t->len - t->pos;

	if (most > left)
		most = left;
	while (n < most && set_has(set, t->s[t->pos + n]))
		n++;
	t->steps += n;
	if (n < run->min)
		return false;
	if (run->mode == REPEAT_GREEDY && n > run->min)
		push(t->m, ENTRY_GREEDY, t->pc + 1, t->pos + n - 1, t->pos + run->min);
	t->pos += n;
	if (run->mode == REPEAT_LAZY && run->max > run->min)
		push(t->m, ENTRY_LAZY, t->pc, t->pos,
		     run->max == REPEAT_FOREVER ? UINT32_MAX : run->max - run->min);
	t->pc++;
	return true;
}

/* The group of the reference that took part, or UNSET. */
static uint32_t referenced(const struct match *t, const struct reference *r)
{
	for (uint32_t i = 0; i < r->n; i++) {
		uint32_t reg = 2 * r->groups[i];

		if (t->m->registers[reg] != UNSET)
			return reg;
	}
	return UNSET;
}

static bool take_reference(struct match *t, uint32_t index, bool back)
{
	const struct reference *r = &t->prog->references[index];
	uint32_t reg = referenced(t, r), from, len, at;

	if (reg == UNSET)
		return t->prog->syntax->engine == REGEX_V8;
	from = t->m->registers[reg];
	len = t->m->registers[reg + 1] - from;
	if (len > (back ? t->pos : t->len - t->pos))
		return false;
	at = back ? t->pos - len : t->pos;
	for (uint32_t i = 0; i < len; i++) {
		uint32_t x = t->s[from + i], y = t->s[at + i];

		t->steps++;
		if (x != y && !(r->fold && unicode_same(x, y, t->prog->syntax->case_rule)))
			return false;
	}
	t->pos = back ? at : at + len;
	return true;
}

static void enter(struct match *t, const struct loop_info *l)
{
	struct matcher *m = t->m;

	set_register(m, l->reg, m->registers[l->reg] + 1);
	set_register(m, l->reg + 1, t->pos);
	for (uint32_t reg = l->first; reg < l->end; reg++)
		if (m->registers[reg] != UNSET)
			set_register(m, reg, UNSET);
	t->steps += l->end - l->first;
	t->pc++;
}

static void iterate(struct match *t, const struct loop_info *l)
{
	uint32_t count = t->m->registers[l->reg], enter_at = l->iterate + 1;

	if (count < l->min) {
		t->pc = enter_at;
	} else if (count == l->max) {
		t->pc = l->leave;
	} else {
		bool lazy = l->mode == REPEAT_LAZY;

		push(t->m, ENTRY_CHOICE, lazy ? enter_at : l->leave, t->pos, 0);
		t->pc = lazy ? l->leave : enter_at;
	}
}

static bool iterated(struct match *t, const struct loop_info *l)
{
	bool empty = t->m->registers[l->reg + 1] == t->pos;

	t->pc = l->iterate;
	if (empty && t->m->registers[l->reg] > l->min) {
		/* ECMAScript refuses an empty optional iteration, the others end the loop. */
		t->pc = l->leave;
		return t->prog->syntax->engine != REGEX_V8;
	}
	return true;
}

static bool take_set(struct match *t, uint32_t set, bool back)
{
	if (back ? t->pos == 0 : t->pos == t->len)
		return false;
	if (!set_has(&t->prog->sets[set], t->s[t->pos - back]))
		return false;
	t->pos += back ? -1 : 1;
	t->pc++;
	return true;
}

/* Notes where a look-around or atomic group began, to come back to. */
static void begin_scope(struct match *t, const struct insn *i)
{
	set_register(t->m, i->x, 0);
	set_register(t->m, i->x + 1, t->pos);
	t->m->registers[i->x] = (uint32_t)t->m->n;
	if (i->op == OP_LOOK && i->y)
		push(t->m, ENTRY_CHOICE, i->y, t->pos, 0);
	t->pc++;
}

static bool end_scope(struct match *t, const struct insn *i)
{
	uint32_t height = t->m->registers[i->x], pos = t->m->registers[i->x + 1];

	if (i->op == OP_LOOK_NOT) {
		unwind(t->m, height);
		return false;
	}
	cut(t, height);
	if (i->op == OP_LOOK_END)
		t->pos = pos;
	t->pc++;
	return true;
}

/* Only a group that was left holds something; a look-behind leaves it at its start. */
static void capture(struct match *t, uint32_t group, uint32_t reg)
{
	uint32_t from = t->m->registers[reg], to = t->pos;

	set_register(t->m, 2 * group, from < to ? from : to);
	set_register(t->m, 2 * group + 1, from < to ? to : from);
	t->pc++;
}

/* The instructions that only loops have. */
static bool step_loop(struct match *t, const struct insn *i)
{
	const struct loop_info *l = &t->prog->loops[i->x];

	switch (i->op) {
	case OP_LOOP:
		set_register(t->m, l->reg, 0);
		t->pc++;
		return true;
	case OP_ITERATE:
		iterate(t, l);
		return true;
	case OP_ENTER:
		enter(t, l);
		return true;
	default:
		return iterated(t, l);
	}
}

/* Does one instruction; false: the path failed. */
static bool step(struct match *t, const struct insn *i)
{
	switch (i->op) {
	case OP_SET:
	case OP_SET_BACK:
		return take_set(t, i->x, i->op == OP_SET_BACK);
	case OP_RUN:
		return take_run(t, i->x);
	case OP_SPLIT:
		push(t->m, ENTRY_CHOICE, i->y, t->pos, 0);
		t->pc = i->x;
		return true;
	case OP_JUMP:
		t->pc = i->x;
		return true;
	case OP_SAVE:
		set_register(t->m, i->x, t->pos);
		t->pc++;
		return true;
	case OP_CAPTURE:
		capture(t, i->x, i->y);
		return true;
	case OP_ASSERT:
		t->pc++;
		return assert_holds(t, (enum assertion)i->x, i->y);
	case OP_BACKREFERENCE:
	case OP_BACKREFERENCE_BACK:
		t->pc++;
		return take_reference(t, i->x, i->op == OP_BACKREFERENCE_BACK);
	case OP_LOOK:
	case OP_ATOMIC:
		begin_scope(t, i);
		return true;
	case OP_LOOK_END:
	case OP_LOOK_NOT:
	case OP_ATOMIC_END:
		return end_scope(t, i);
	case OP_CONDITION:
		t->pc = t->m->registers[2 * i->x] == UNSET ? i->y : t->pc + 1;
		return true;
	default:
		return step_loop(t, i);
	}
}

/* Tries the position t->pos. */
static enum match_end match_here(struct match *t)
{
	t->pc = 0;
	t->m->n = 0;
	for (;;) {
		const struct insn *i = &t->prog->code[t->pc];

		if (i->op == OP_MATCH)
			return MATCH_YES;
		if (++t->steps > t->max_steps || t->m->n > ENTRIES_MAX)
			return MATCH_CAPPED;
		if (!step(t, i) && !backtrack(t))
			return MATCH_NO;
	}
}

/* The positions that the engine does not even try. */
static bool is_skipped(const struct match *t, uint32_t pos)
{
	const struct prefilter *f = &t->prog->prefilter;

	return f->line_starts && pos > 0 && t->s[pos - 1] != '\n';
}

/* One past the last position from which a required character is still ahead. */
static uint32_t last_start(const struct match *t)
{
	const struct prefilter *f = &t->prog->prefilter;
	uint32_t end = t->len;

	if (f->required) {
		while (end > 0 && !charset_has(f->required, t->s[end - 1]))
			end--;
		return end;
	}
	return end + 1;
}

static enum match_end search(struct match *t, uint32_t start)
{
	const struct prefilter *f = &t->prog->prefilter;
	uint32_t end = last_start(t);

	if (f->anchored && end > start + 1)
		end = start + 1;
	if (f->from_end < t->len && t->len - f->from_end > start)
		start = t->len - f->from_end;
	for (; start < end; start++) {
		enum match_end how = MATCH_NO;

		if (++t->steps > t->max_steps)
			return MATCH_CAPPED;
		t->pos = start;
		if (!is_skipped(t, start))
			how = match_here(t);
		if (how != MATCH_NO)
			return how;
	}
	return MATCH_NO;
}

enum match_end match_search(struct matcher *m, const struct program *prog, struct match_input in,
			    uint64_t max_steps)
{
	struct match t = { .m = m, .prog = prog, .s = in.s, .len = in.len, .max_steps = max_steps };
	enum match_end how;

	if (m->n_registers < prog->registers) {
		m->registers = xrealloc(m->registers, prog->registers, sizeof(*m->registers));
		m->n_registers = prog->registers;
	}
	memset(m->registers, 0xff, prog->registers * sizeof(*m->registers));
	how = search(&t, in.from);
	m->steps = t.steps;
	return how;
}

void matcher_free(struct matcher *m)
{
	free(m->stack);
	free(m->registers);
	*m = (struct matcher){ 0 };
}
