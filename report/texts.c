#include "report/texts.h"

#include <stdlib.h>
#include <string.h>

/* The table's own address seeds the hash: the target must not be able to make its names collide. */
static uint64_t hash(const struct texts *t, const char *s)
{
	return hash_bytes((uintptr_t)t, s, strlen(s));
}

static uint32_t *find_slot(const struct texts *t, const char *s)
{
	size_t at = hash(t, s) & (t->slot_cap - 1);

	while (t->slots[at] && strcmp(t->all.s + t->starts[t->slots[at]], s) != 0)
		at = (at + 1) & (t->slot_cap - 1);
	return &t->slots[at];
}

static void grow(struct texts *t)
{
	free(t->slots);
	t->slot_cap = t->slot_cap ? t->slot_cap * 2 : 1024;
	t->slots = xcalloc(t->slot_cap, sizeof(*t->slots));
	for (size_t i = 1; i < t->n; i++)
		*find_slot(t, t->all.s + t->starts[i]) = (uint32_t)i;
}

/* s is visible already. */
static uint32_t add_visible(struct texts *t, const char *s)
{
	uint32_t *slot;

	if (!*s)
		return 0;
	if (t->n >= t->slot_cap / 2)
		grow(t);
	slot = find_slot(t, s);
	if (*slot)
		return *slot;
	ARRAY_GROW(t->starts, t->n, t->cap);
	t->starts[t->n] = t->all.len;
	strbuf_add(&t->all, s, strlen(s) + 1);
	*slot = (uint32_t)t->n;
	return (uint32_t)t->n++;
}

void texts_init(struct texts *t)
{
	*t = (struct texts){ 0 };
	ARRAY_GROW(t->starts, t->n, t->cap);
	t->starts[t->n++] = 0;
	strbuf_add(&t->all, "", 1);
}

uint32_t texts_add(struct texts *t, const char *s)
{
	struct strbuf b = { 0 };

	if (!s)
		return 0;
	strbuf_puts_visible(&b, s);
	return texts_take(t, &b);
}

uint32_t texts_take(struct texts *t, struct strbuf *b)
{
	uint32_t number = b->s ? add_visible(t, b->s) : 0;

	strbuf_destroy(b);
	return number;
}

void texts_destroy(struct texts *t)
{
	strbuf_destroy(&t->all);
	free(t->starts);
	free(t->slots);
}
