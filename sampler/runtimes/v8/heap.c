#include "sampler/runtimes/v8/heap.h"

#include <string.h>

#include "core/utf8.h"

enum { STRING_KIND = 7, STRING_ONE_BYTE = 8, STRING_UNCACHED = 16, STRING_TYPES = 128 };
enum { KIND_SEQ, KIND_CONS, KIND_EXTERNAL, KIND_SLICED, KIND_THIN = 5 };
enum {
	PAGE_BYTES = 256 << 10,
	PAGE_YOUNG = 1 << 3 | 1 << 4, /* where a collection copies from, where it copies to */
};
enum { MAP_HEAD = 16, MOVES_MAX = 4, STRING_PIECES = 256, STRING_DEPTH = 32, LENGTH_MAX = 1 << 30 };

void v8_heap_begin(struct v8_heap *heap, struct memory *mem)
{
	heap->mem = mem;
	heap->reads = V8_SAMPLE_READS;
	heap->bytes = V8_SAMPLE_BYTES;
}

bool v8_read(struct v8_heap *heap, uint64_t addr, void *buf, size_t len)
{
	if (heap->reads == 0 || heap->bytes < len)
		return false;
	heap->reads--;
	heap->bytes -= len;
	return memory_read(heap->mem, addr, buf, len) == 0;
}

uint64_t v8_moved(struct v8_heap *heap, uint64_t object)
{
	for (int i = 0; i < MOVES_MAX; i++) {
		uint64_t map;

		if (!v8_is_object(object))
			return 0;
		object &= ~2ull;
		if (!v8_read(heap, object - 1, &map, sizeof(map)))
			return 0;
		/* A map is a tagged pointer; the collector leaves the plain new address instead. */
		if (map & 3)
			return object;
		object = map + 1;
	}
	return 0;
}

/* The map of maps is its own map: nothing that merely looks like an object leads to one. */
static bool is_meta_map(struct v8_heap *heap, uint64_t word)
{
	uint64_t own;

	for (size_t i = 0; i < V8_META_MAPS; i++) {
		if (heap->meta_maps[i] == word && word)
			return true;
	}
	if ((word & 3) != 1 || !v8_is_object(word) || !v8_read(heap, word - 1, &own, sizeof(own)) ||
	    own != word)
		return false;
	heap->meta_maps[heap->next_meta_map++ % V8_META_MAPS] = word;
	return true;
}

bool v8_is_young(struct v8_heap *heap, uint64_t object)
{
	uint64_t page = object & ~(uint64_t)(PAGE_BYTES - 1), flags;

	return !v8_read(heap, page + (uint64_t)heap->layout->page_flags, &flags, sizeof(flags)) ||
	       flags & PAGE_YOUNG;
}

int v8_type(struct v8_heap *heap, uint64_t object)
{
	struct {
		uint64_t meta;
		uint8_t rest[MAP_HEAD - 8];
	} head;
	int32_t at = heap->layout->map_instance_type - 8;
	uint64_t map;
	uint16_t type;

	if (!v8_is_object(object) || !v8_read(heap, object & ~3ull, &map, sizeof(map)) ||
	    (map & 3) != 1 || !v8_is_object(map) || at < 0 ||
	    at > (int32_t)(sizeof(head.rest) - sizeof(type)) ||
	    !v8_read(heap, map - 1, &head, sizeof(head)) || !is_meta_map(heap, head.meta))
		return -1;
	memcpy(&type, head.rest + at, sizeof(type));
	return type;
}

bool v8_field(struct v8_heap *heap, uint64_t object, int32_t offset, uint64_t *value)
{
	return v8_is_object(object) && offset >= 0 &&
	       v8_read(heap, (object & ~3ull) + (uint64_t)offset, value, sizeof(*value));
}

bool v8_field_smi(struct v8_heap *heap, uint64_t object, int32_t offset, int32_t *value)
{
	uint64_t word;

	if (!v8_field(heap, object, offset, &word) || !v8_is_smi(word))
		return false;
	*value = v8_smi(word);
	return true;
}

bool v8_field_object(struct v8_heap *heap, uint64_t object, int32_t offset, uint64_t *value)
{
	uint64_t word;

	if (!v8_field(heap, object, offset, &word))
		return false;
	*value = v8_moved(heap, word);
	return *value != 0;
}

bool v8_element(struct v8_heap *heap, uint64_t array, uint32_t i, uint64_t *value)
{
	return i < LENGTH_MAX / 8 &&
	       v8_field(heap, array, heap->layout->array_data + (int32_t)i * 8, value);
}

uint32_t v8_array_length(struct v8_heap *heap, uint64_t array)
{
	int32_t length;

	if (!v8_field_smi(heap, array, heap->layout->array_length, &length) || length < 0 ||
	    length > LENGTH_MAX / 8)
		return 0;
	return (uint32_t)length;
}

bool v8_is_string(struct v8_heap *heap, uint64_t object)
{
	int type = v8_type(heap, object);

	return type >= 0 && type < STRING_TYPES;
}

int64_t v8_string_length(struct v8_heap *heap, uint64_t object)
{
	int32_t length;

	if (!v8_is_string(heap, object) ||
	    !v8_read(heap, (object & ~3ull) + (uint64_t)heap->layout->string_length, &length,
		     sizeof(length)) ||
	    length < 0 || length > LENGTH_MAX)
		return -1;
	return length;
}

/* One step from a string that only refers to another: the range [*from, *from + length) of it. */
static bool string_step(struct v8_heap *heap, int type, uint64_t *object, uint32_t *from)
{
	const struct v8_layout *layout = heap->layout;
	int32_t offset;

	switch (type & STRING_KIND) {
	case KIND_THIN:
		return v8_field_object(heap, *object, layout->thin_actual, object);
	case KIND_SLICED:
		if (!v8_field_smi(heap, *object, layout->sliced_offset, &offset) || offset < 0)
			return false;
		*from += (uint32_t)offset;
		return v8_field_object(heap, *object, layout->sliced_parent, object);
	default:
		return false;
	}
}

/* The address of a sequential or external string's characters. */
static bool string_chars(struct v8_heap *heap, int type, uint64_t object, uint64_t *addr)
{
	if ((type & STRING_KIND) == KIND_EXTERNAL)
		return !(type & STRING_UNCACHED) &&
		       v8_field(heap, object, heap->layout->external_data, addr);
	*addr = object - 1 + (uint64_t)heap->layout->string_chars;
	return true;
}

bool v8_string_text(struct v8_heap *heap, uint64_t object, struct v8_text *text)
{
	int64_t length = v8_string_length(heap, object);
	uint32_t from = 0;

	if (length < 0)
		return false;
	for (int depth = 0; depth < STRING_DEPTH; depth++) {
		int type = v8_type(heap, object);
		int64_t whole = v8_string_length(heap, object);
		uint64_t second;

		if (whole < 0 || (int64_t)from + length > whole)
			return false;
		switch (type & STRING_KIND) {
		case KIND_SEQ:
		case KIND_EXTERNAL:
			text->length = (uint32_t)length;
			text->two_byte = !(type & STRING_ONE_BYTE);
			if (!string_chars(heap, type, object, &text->addr))
				return false;
			text->addr += (uint64_t)from << text->two_byte;
			return true;
		case KIND_CONS: /* flattened: all of it in the first half */
			if (!v8_field_object(heap, object, heap->layout->cons_second, &second) ||
			    v8_string_length(heap, second) != 0 ||
			    !v8_field_object(heap, object, heap->layout->cons_first, &object))
				return false;
			break;
		default:
			if (!string_step(heap, type, &object, &from))
				return false;
		}
	}
	return false;
}

struct utf8 {
	char *out;
	size_t len, cap;
	uint32_t high; /* a high surrogate that waits for its other half */
};

static void utf8_put(struct utf8 *u, uint32_t c)
{
	char bytes[4];
	size_t n = utf8_encode(c == 0 || (c >= 0xd800 && c < 0xe000) ? 0xfffd : c, bytes);

	if (u->len + n > u->cap) {
		u->cap = u->len; /* full: nothing shorter may follow either */
		return;
	}
	memcpy(u->out + u->len, bytes, n);
	u->len += n;
}

static void utf8_put_utf16(struct utf8 *u, uint32_t c)
{
	if (u->high && c >= 0xdc00 && c < 0xe000) {
		utf8_put(u, 0x10000 + ((u->high - 0xd800) << 10) + (c - 0xdc00));
		u->high = 0;
		return;
	}
	if (u->high)
		utf8_put(u, u->high);
	u->high = 0;
	if (c >= 0xd800 && c < 0xdc00)
		u->high = c;
	else
		utf8_put(u, c);
}

/* Appends characters [from, from + length) of a sequential or external string. */
static bool append_flat(struct v8_heap *heap, uint64_t object, uint32_t from, uint32_t length,
			struct utf8 *u)
{
	int type = v8_type(heap, object);
	bool two_byte = !(type & STRING_ONE_BYTE);
	int64_t whole = v8_string_length(heap, object);
	uint64_t addr;

	if (whole < 0 || !string_chars(heap, type, object, &addr) || from > (uint64_t)whole ||
	    length > (uint64_t)whole - from)
		return false;
	addr += (uint64_t)from << two_byte;
	for (uint32_t i = 0; i < length && u->len < u->cap;) {
		uint16_t part[256];
		uint32_t n = length - i < 256 ? length - i : 256;

		if (!v8_read(heap, addr + ((uint64_t)i << two_byte), part, (size_t)n << two_byte))
			return false;
		for (uint32_t k = 0; k < n; k++)
			utf8_put_utf16(u, two_byte ? part[k] : ((uint8_t *)part)[k]);
		i += n;
	}
	return true;
}

/* A range of a string that is still to be appended. */
struct piece {
	uint64_t object;
	uint32_t from, length;
};

/* Splits the range over the two halves of a cons string, first half on top. */
static bool push_cons(struct v8_heap *heap, const struct piece *p, struct piece *stack, size_t *n)
{
	struct piece first = { .from = p->from, .length = 0 }, second = { 0 };
	int64_t half;

	if (!v8_field_object(heap, p->object, heap->layout->cons_first, &first.object) ||
	    !v8_field_object(heap, p->object, heap->layout->cons_second, &second.object))
		return false;
	half = v8_string_length(heap, first.object);
	if (half < 0 || *n + 2 > STRING_DEPTH)
		return false;
	if (p->from < half)
		first.length = p->length < half - p->from ? p->length : (uint32_t)(half - p->from);
	second.from = p->from < half ? 0 : p->from - (uint32_t)half;
	second.length = p->length - first.length;
	if (second.length)
		stack[(*n)++] = second;
	if (first.length)
		stack[(*n)++] = first;
	return true;
}

ssize_t v8_string(struct v8_heap *heap, uint64_t object, char *buf, size_t size)
{
	struct piece stack[STRING_DEPTH + 1] = { { .object = v8_moved(heap, object) } };
	int64_t length = v8_string_length(heap, stack[0].object);
	struct utf8 u = { .out = buf };
	size_t n = 1;

	if (length < 0 || size == 0)
		return -1;
	u.cap = size - 1 < V8_STRING_MAX ? size - 1 : V8_STRING_MAX;
	stack[0].length = (uint32_t)length;
	for (int pieces = 0; n > 0 && u.len < u.cap && pieces < STRING_PIECES; pieces++) {
		struct piece p = stack[--n];
		int type = v8_type(heap, p.object);
		bool ok;

		if (type < 0 || type >= STRING_TYPES)
			return -1;
		if ((type & STRING_KIND) == KIND_CONS) {
			ok = push_cons(heap, &p, stack, &n);
		} else if ((type & STRING_KIND) == KIND_SEQ ||
			   (type & STRING_KIND) == KIND_EXTERNAL) {
			ok = append_flat(heap, p.object, p.from, p.length, &u);
		} else {
			ok = string_step(heap, type, &p.object, &p.from);
			stack[n++] = p;
		}
		if (!ok)
			return -1;
	}
	if (n > 0 && u.len < u.cap)
		return -1; /* it contains itself */
	if (u.high)
		utf8_put(&u, u.high);
	buf[u.len] = '\0';
	return (ssize_t)u.len;
}
