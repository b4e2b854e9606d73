#include "core/idmap.h"

#include <stdlib.h>

#include "core/arena.h"
#include "core/strings.h"

/* The map's own address seeds the hash, so that ids in a file cannot be made to collide. */
static struct idmap_slot *find(const struct idmap *m, uint32_t id)
{
	size_t at = hash_bytes((uintptr_t)m, &id, sizeof(id)) & (m->cap - 1);

	while (m->slots[at].value && m->slots[at].id != id)
		at = (at + 1) & (m->cap - 1);
	return &m->slots[at];
}

uint32_t idmap_get(const struct idmap *m, uint32_t id)
{
	const struct idmap_slot *slot = m->cap ? find(m, id) : NULL;

	return slot && slot->value ? slot->value - 1 : IDMAP_NONE;
}

static void grow(struct idmap *m)
{
	struct idmap_slot *old = m->slots;
	size_t old_cap = m->cap;

	m->cap = old_cap ? old_cap * 2 : 64;
	m->slots = xcalloc(m->cap, sizeof(*m->slots));
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].value)
			*find(m, old[i].id) = old[i];
	free(old);
}

void idmap_put(struct idmap *m, uint32_t id, uint32_t value)
{
	struct idmap_slot *slot;

	if (m->n >= m->cap / 4 * 3)
		grow(m);
	slot = find(m, id);
	m->n += slot->value == 0;
	*slot = (struct idmap_slot){ .id = id, .value = value + 1 };
}

void idmap_destroy(struct idmap *m)
{
	free(m->slots);
	*m = (struct idmap){ 0 };
}
