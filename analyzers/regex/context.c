#include "analyzers/regex/context.h"

#include <stdlib.h>
#include <string.h>

enum { CONTEXTS_MAX = 160 };

struct context {
	uint64_t in, behind;
	uint64_t *active; /* positions of look-behinds that wait for a character */
	bool start;
};

struct finder {
	struct contexts *c;
	const struct positions *p;
	const struct alphabet *alphabet;
	struct arena *arena;
	struct context v[CONTEXTS_MAX];
	uint32_t words;
	uint64_t *seen;
	uint32_t *stack;
};

static bool looks_back(const struct position *at)
{
	return at->kind == POSITION_PREVIOUS ||
	       (at->kind == POSITION_ASSERT &&
		(at->assertion == ASSERT_LINE_START || at->assertion == ASSERT_WORD ||
		 at->assertion == ASSERT_NOT_WORD));
}

static bool note_previous(struct contexts *c, uint32_t set)
{
	for (uint32_t i = 0; i < c->n_previous; i++)
		if (c->previous[i] == set)
			return true;
	if (c->n_previous == 64)
		return false;
	c->previous[c->n_previous++] = set;
	return true;
}

/* Follows a look-behind from a position to where it waits for a character or matches. */
static void close_from(struct finder *f, struct context *to, uint32_t position)
{
	uint32_t n = 0;

	f->stack[n++] = position;
	while (n) {
		uint32_t index = f->stack[--n];
		const struct position *at;

		if (index == POSITION_NONE || bits_has(f->seen, index))
			continue;
		bits_set(f->seen, index);
		at = &f->p->v[index];
		switch (at->kind) {
		case POSITION_SET:
			bits_set(to->active, index);
			break;
		case POSITION_ACCEPT:
			to->behind |= 1ull << at->list;
			break;
		case POSITION_SPLIT:
			for (uint32_t i = 0; i < at->n; i++)
				f->stack[n++] = f->p->lists[at->list + i];
			break;
		case POSITION_ASSERT:
			if (to->start)
				f->stack[n++] = at->next;
			break;
		case POSITION_END:
			f->stack[n++] = at->leave;
			/* fall through */
		default:
			f->stack[n++] = at->next;
		}
	}
}

/* Every look-behind may begin anywhere. */
static void begin_all(struct finder *f, struct context *to)
{
	for (size_t i = 0; i < f->p->n_behinds; i++)
		close_from(f, to, f->p->behinds[i]);
}

static struct context empty_context(struct finder *f)
{
	memset(f->seen, 0, f->words * sizeof(*f->seen));
	return (struct context){ .active = arena_alloc(f->arena, f->words * sizeof(uint64_t)) };
}

static struct context context_after(struct finder *f, const struct context *from, uint32_t symbol)
{
	struct context to = empty_context(f);

	for (uint32_t i = 0; i < f->c->n_previous; i++)
		to.in |= (uint64_t)bits_has(f->alphabet->masks[f->c->previous[i]], symbol) << i;
	for (uint32_t i = bits_next(from->active, f->words, 0); i != UINT32_MAX;
	     i = bits_next(from->active, f->words, i + 1))
		if (bits_has(f->alphabet->masks[f->p->v[i].set], symbol))
			close_from(f, &to, f->p->v[i].next);
	begin_all(f, &to);
	return to;
}

/* The number of an equal context, new or known; UINT32_MAX: too many. */
static uint32_t intern(struct finder *f, const struct context *context)
{
	struct contexts *c = f->c;

	for (uint32_t i = 0; i < c->n; i++)
		if (f->v[i].in == context->in && f->v[i].behind == context->behind &&
		    f->v[i].start == context->start &&
		    memcmp(f->v[i].active, context->active, f->words * sizeof(uint64_t)) == 0)
			return i;
	if (c->n == CONTEXTS_MAX)
		return UINT32_MAX;
	f->v[c->n] = *context;
	return c->n++;
}

static bool find_all(struct finder *f)
{
	struct contexts *c = f->c;
	struct context start = empty_context(f);

	c->symbols = f->alphabet->n;
	c->next = arena_alloc(f->arena, (size_t)CONTEXTS_MAX * c->symbols * sizeof(*c->next));
	start.start = true;
	begin_all(f, &start);
	intern(f, &start);
	for (uint32_t i = 0; i < c->n; i++) {
		for (uint32_t s = 0; s < f->alphabet->end; s++) {
			struct context after = context_after(f, &f->v[i], s);
			uint32_t to = intern(f, &after);

			if (to == UINT32_MAX)
				return false;
			c->next[i * c->symbols + s] = to;
		}
	}
	c->in = arena_alloc(f->arena, c->n * sizeof(*c->in));
	c->behind = arena_alloc(f->arena, c->n * sizeof(*c->behind));
	for (uint32_t i = 0; i < c->n; i++) {
		c->in[i] = f->v[i].in;
		c->behind[i] = f->v[i].behind;
	}
	return true;
}

bool contexts_build(struct contexts *c, const struct positions *p, const struct alphabet *alphabet,
		    struct arena *a)
{
	struct finder *f = arena_alloc(a, sizeof(*f));

	*c = (struct contexts){ 0 };
	for (size_t i = 0; i < p->n; i++)
		if (looks_back(&p->v[i]) && !note_previous(c, p->v[i].set))
			return false;
	f->c = c;
	f->p = p;
	f->alphabet = alphabet;
	f->arena = a;
	f->words = p->n_behinds ? bits_words((uint32_t)p->n) : 0;
	f->seen = arena_alloc(a, f->words * sizeof(*f->seen) + 1);
	f->stack = arena_alloc(a, (p->n + p->n_lists + 8) * 2 * sizeof(*f->stack));
	return find_all(f);
}

bool contexts_was_in(const struct contexts *c, uint32_t context, uint32_t set)
{
	for (uint32_t i = 0; i < c->n_previous; i++)
		if (c->previous[i] == set)
			return c->in[context] >> i & 1;
	return false;
}
