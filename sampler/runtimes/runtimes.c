#include "sampler/runtime.h"

#include <stddef.h>

bool runtime_argument_holds(const struct runtime_argument *a, struct memory_live *live)
{
	uint64_t word;

	return a->slot == 0 ||
	       (memory_live_peek(live, a->slot, &word, sizeof(word)) == 0 && word == a->word);
}

/* The first that names a frame wins; native is last, because it names every frame. */
const struct runtime *const runtimes[] = {
	&runtime_v8,
	&runtime_cpython,
	&runtime_native,
	NULL,
};

const char *runtime_intern(struct recording *rec, size_t *bytes, const char *name)
{
	enum { NAME_BYTES_MAX = 64 << 20 }; /* of one target */
	size_t before = rec->arena.bytes;
	const char *interned;

	if (*bytes > NAME_BYTES_MAX)
		return NULL;
	interned = recording_intern(rec, name);
	*bytes += rec->arena.bytes - before;
	return interned;
}
