#ifndef LAGPROF_SAMPLER_RUNTIMES_V8_HEAP_H
#define LAGPROF_SAMPLER_RUNTIMES_V8_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sampler/memory.h"
#include "sampler/runtimes/v8/layout.h"

enum {
	V8_SAMPLE_READS = 20000,
	V8_SAMPLE_BYTES = 32 << 20,
	V8_META_MAPS = 8,         /* a power of two; one for each context in use */
	V8_STRING_MAX = 4096,     /* bytes of UTF-8 taken from a string that is shown */
	V8_SOURCE_MAX = 16 << 20, /* bytes of a script's source */
};

/*
 * V8's heap as words: a value is the 64-bit word that the target holds, either
 * a small integer (Smi: upper half; lower half 0) or a pointer to an object
 * plus 1 (plus 3: weak).  Any of it may be garbage: every read is checked and
 * counted, and none succeeds after the sample's budget is used up.
 */
struct v8_heap {
	const struct v8_layout *layout;
	struct memory *mem;
	size_t reads; /* still allowed for this sample */
	size_t bytes;
	uint64_t meta_maps[V8_META_MAPS]; /* maps of maps that were seen, newest at next - 1 */
	unsigned next_meta_map;
};

/* Starts a sample: refills the budget. */
void v8_heap_begin(struct v8_heap *heap, struct memory *mem);
/* Reads len bytes at addr; false if they cannot be read or the budget is used up. */
bool v8_read(struct v8_heap *heap, uint64_t addr, void *buf, size_t len);

static inline bool v8_is_smi(uint64_t value)
{
	return (uint32_t)value == 0;
}
static inline int32_t v8_smi(uint64_t value)
{
	return (int32_t)(value >> 32);
}
static inline bool v8_is_object(uint64_t value)
{
	return (value & 1) && value < 1ull << 47 && value > 4096;
}

/* Is the object among the young ones, which every collection moves? */
bool v8_is_young(struct v8_heap *heap, uint64_t object);
/* The instance type of an object, -1 if it is none. */
int v8_type(struct v8_heap *heap, uint64_t object);
/* The word at an object's offset. */
bool v8_field(struct v8_heap *heap, uint64_t object, int32_t offset, uint64_t *value);
/* The same for a field that must hold a Smi, or an object (weak or strong, moved or not). */
bool v8_field_smi(struct v8_heap *heap, uint64_t object, int32_t offset, int32_t *value);
bool v8_field_object(struct v8_heap *heap, uint64_t object, int32_t offset, uint64_t *value);
/* Where an object is now: during a collection from-space holds forwarding pointers.  0: nowhere. */
uint64_t v8_moved(struct v8_heap *heap, uint64_t object);

bool v8_is_string(struct v8_heap *heap, uint64_t object);
/* In characters (UTF-16 units), -1 if it is no string. */
int64_t v8_string_length(struct v8_heap *heap, uint64_t object);
/*
 * The beginning of a string as UTF-8, at most size - 1 bytes and V8_STRING_MAX; NUL
 * characters come out as U+FFFD.  Returns the length written, -1 if it cannot be read.
 */
ssize_t v8_string(struct v8_heap *heap, uint64_t object, char *buf, size_t size);

/* Where the characters of a string lie in one piece: false if they do not. */
struct v8_text {
	uint64_t addr;
	uint32_t length; /* characters */
	bool two_byte;
};
bool v8_string_text(struct v8_heap *heap, uint64_t object, struct v8_text *text);

/* Element i of a FixedArray or its likes. */
bool v8_element(struct v8_heap *heap, uint64_t array, uint32_t i, uint64_t *value);
/* Number of elements, 0 if it cannot be read or is not plausible. */
uint32_t v8_array_length(struct v8_heap *heap, uint64_t array);

#endif
