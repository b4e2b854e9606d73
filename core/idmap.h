#ifndef LAGPROF_CORE_IDMAP_H
#define LAGPROF_CORE_IDMAP_H

#include <stddef.h>
#include <stdint.h>

/* From numbers that somebody else chose to our own.  All zero is an empty map. */
struct idmap {
	struct idmap_slot {
		uint32_t id, value; /* value is ours plus one; 0: free */
	} * slots;
	size_t cap, n;
};

enum { IDMAP_NONE = UINT32_MAX };

/* IDMAP_NONE if id is not in it. */
uint32_t idmap_get(const struct idmap *m, uint32_t id);
/* value must be below IDMAP_NONE - 1; replaces an earlier one. */
void idmap_put(struct idmap *m, uint32_t id, uint32_t value);
void idmap_destroy(struct idmap *m);

#endif
