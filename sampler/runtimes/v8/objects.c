#include <string.h>

#include "sampler/runtimes/v8/v8.h"

enum {
	MAP_BIT_FIELD3 = 16,
	DESCRIPTORS_SHIFT = 10, /* of the number of own descriptors */
	DESCRIPTORS_MASK = 1023,
	DICTIONARY = 1 << 21,
	DETAILS_IN_DESCRIPTOR = 1 << 5, /* the value is no field of the object */
	DETAILS_INDEX_SHIFT = 19,
	DETAILS_INDEX_MASK = 1023,
	PROPERTIES_MAX = 128, /* looked through */
	DESCRIPTOR_BYTES = 24,
};

/* The own descriptors of a map: false for an object in dictionary mode. */
static bool descriptors_of(struct v8 *v8, uint64_t map, uint64_t *array, uint32_t *n)
{
	uint32_t bits;

	if (!v8_read(&v8->heap, map - 1 + MAP_BIT_FIELD3, &bits, sizeof(bits)) ||
	    bits & DICTIONARY ||
	    !v8_field_object(&v8->heap, map, v8->layout.map_descriptors, array))
		return false;
	*n = bits >> DESCRIPTORS_SHIFT & DESCRIPTORS_MASK;
	if (*n > PROPERTIES_MAX)
		*n = PROPERTIES_MAX;
	return true;
}

static bool read_property(struct v8 *v8, uint64_t object, uint64_t map, uint32_t index,
			  uint64_t *value)
{
	const struct v8_layout *layout = &v8->layout;
	uint8_t size, first;
	uint64_t properties;

	if (!v8_read(&v8->heap, map - 1 + (uint64_t)layout->map_instance_size, &size, 1) ||
	    !v8_read(&v8->heap, map - 1 + (uint64_t)layout->map_inobject, &first, 1) ||
	    first > size)
		return false;
	if (index < (uint32_t)(size - first))
		return v8_field(&v8->heap, object, ((int32_t)index + first) * 8, value);
	index -= (uint32_t)(size - first);
	return v8_field_object(&v8->heap, object, layout->object_properties, &properties) &&
	       v8_element(&v8->heap, properties, index, value);
}

bool v8_property(struct v8 *v8, uint64_t object, const char *name, uint64_t *value)
{
	uint64_t map, array, words[3];
	char key[64];
	uint32_t n;

	if (!v8_field_object(&v8->heap, object, 0, &map) || !descriptors_of(v8, map, &array, &n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t at =
			array - 1 + (uint64_t)v8->layout.descriptors_first + i * DESCRIPTOR_BYTES;

		if (!v8_read(&v8->heap, at, words, sizeof(words)))
			return false;
		if (v8_string_length(&v8->heap, words[0]) != (int64_t)strlen(name) ||
		    v8_string(&v8->heap, words[0], key, sizeof(key)) < 0 || strcmp(key, name) != 0)
			continue;
		return v8_is_smi(words[1]) && !(v8_smi(words[1]) & DETAILS_IN_DESCRIPTOR) &&
		       read_property(v8, object, map,
				     (uint32_t)v8_smi(words[1]) >> DETAILS_INDEX_SHIFT &
					     DETAILS_INDEX_MASK,
				     value);
	}
	return false;
}

int64_t v8_byte_length(struct v8 *v8, uint64_t object)
{
	const struct v8_layout *layout = &v8->layout;
	int type = v8_type(&v8->heap, object);
	uint64_t length;
	int32_t field;

	if (type == layout->type_typed_array || type == layout->type_data_view)
		field = layout->view_byte_length;
	else if (type == layout->type_array_buffer)
		field = layout->buffer_byte_length;
	else
		return v8_string_length(&v8->heap, object);
	return v8_field(&v8->heap, object, field, &length) && length < 1ull << 47 ? (int64_t)length
										  : -1;
}
