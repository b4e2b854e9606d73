#include "sampler/runtimes/v8/v8.h"

enum {
	SCAN_CHUNK = 4096,
	SCAN_MAX = 512 << 10, /* bytes: the largest code object that is found */
	RETRY_SAMPLES = 64,   /* after so many samples a failed search is tried again */
	GRANULE = 64,
	KIND_MASK = 15,
};

/* Reads a Code object and checks that its instructions hold pc. */
static bool code_read(struct v8 *v8, uint64_t object, uint64_t pc, struct v8_code *code)
{
	const struct v8_layout *layout = &v8->layout;
	uint32_t size, flags;

	if (!v8_is_object(object) || v8_type(&v8->heap, object) != layout->type_code ||
	    !v8_read(&v8->heap, object - 1 + (uint64_t)layout->code_size, &size, sizeof(size)) ||
	    !v8_read(&v8->heap, object - 1 + (uint64_t)layout->code_flags, &flags, sizeof(flags)))
		return false;
	code->object = object;
	code->size = size;
	code->kind = (int32_t)(flags & KIND_MASK);
	code->start = object - 1 + (uint64_t)layout->code_start;
	if (!layout->code_inline && !v8_field(&v8->heap, object, layout->code_start, &code->start))
		return false;
	return pc >= code->start && pc - code->start < size &&
	       v8_field(&v8->heap, object, layout->code_positions, &code->positions) &&
	       v8_field(&v8->heap, object, layout->code_deopt, &code->deopt);
}

/* Does the object that begins at addr hold instructions, and among them pc? */
static bool stream_read(struct v8 *v8, uint64_t addr, uint64_t pc, struct v8_code *code)
{
	uint64_t object = addr + 1;

	if (!v8->layout.code_inline &&
	    !v8_field_object(&v8->heap, addr + 1, v8->layout.stream_code, &object))
		return false;
	return code_read(v8, object, pc, code);
}

static bool is_code_map(const struct v8 *v8, uint64_t word)
{
	for (size_t i = 0; i < v8->n_code_maps; i++) {
		if (v8->code_maps[i] == word)
			return true;
	}
	return false;
}

/* Could the word be the map of such an object?  Until one was found, its type is asked. */
static bool may_be_code_map(struct v8 *v8, uint64_t word)
{
	uint16_t type;

	if (v8->n_code_maps)
		return is_code_map(v8, word);
	return (word & 3) == 1 && v8_is_object(word) &&
	       v8_read(&v8->heap, word - 1 + (uint64_t)v8->layout.map_instance_type, &type,
		       sizeof(type)) &&
	       type == v8->layout.type_stream;
}

static void learn_code_map(struct v8 *v8, uint64_t word)
{
	if (v8->n_code_maps < V8_CODE_MAPS && !is_code_map(v8, word))
		v8->code_maps[v8->n_code_maps++] = word;
}

/*
 * Instructions lie behind the header of their object: goes back from pc to it.
 * The only way that works for every tier and version: since V8 13 a function no
 * longer points to its code, and code on the stack may be older than the function's.
 */
static bool scan_back(struct v8 *v8, uint64_t pc, uint64_t lowest, struct v8_code *code)
{
	uint64_t words[SCAN_CHUNK / 8];
	uint64_t end = (pc & ~7ull) + 8;

	while (end > lowest && v8->scan_budget >= SCAN_CHUNK) {
		uint64_t start = (end - 1) & ~(uint64_t)(SCAN_CHUNK - 1);

		if (start < lowest)
			start = lowest;
		v8->scan_budget -= SCAN_CHUNK;
		if (!v8_read(&v8->heap, start, words, end - start))
			return false;
		for (size_t i = (end - start) / 8; i-- > 0;) {
			if (!may_be_code_map(v8, words[i]))
				continue;
			if (stream_read(v8, start + i * 8, pc, code)) {
				learn_code_map(v8, words[i]);
				return true;
			}
		}
		end = start;
	}
	return false;
}

bool v8_code_find(struct v8 *v8, uint64_t pc, struct v8_code *code)
{
	uint64_t granule = pc / GRANULE, lowest;
	struct v8_code_slot *slot = &v8->codes[granule % V8_CODES];
	struct mapping *mapping;

	if (slot->granule == granule) {
		if (slot->object && code_read(v8, slot->object, pc, code))
			return true;
		if (!slot->object && v8->sample - slot->sample < RETRY_SAMPLES)
			return false;
	}
	mapping = space_find(v8->space, pc);
	if (!mapping)
		return false;
	lowest = pc > SCAN_MAX && mapping->start < pc - SCAN_MAX ? pc - SCAN_MAX : mapping->start;
	*slot = (struct v8_code_slot){ .granule = granule, .sample = v8->sample };
	if (!scan_back(v8, pc, (lowest + 7) & ~7ull, code))
		return false;
	slot->object = code->object;
	return true;
}
