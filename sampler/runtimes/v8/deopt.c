#include "sampler/runtimes/v8/deopt.h"

#include <stdlib.h>

#include "core/arena.h"

enum {
	EXIT_BYTES = 4,  /* of a deoptimization exit: a call */
	ENTRY_WORDS = 3, /* of its entry in the data: bytecode, translation, pc */
	ENTRY_TRANSLATION = 1,
	ENTRY_PC = 2,
	TRANSLATIONS = 0, /* index in deoptimization data */
};

static bool smi_element(struct v8 *v8, uint64_t array, int64_t i, int64_t *value)
{
	uint64_t word;

	if (i < 0 || i > INT32_MAX || !v8_element(&v8->heap, array, (uint32_t)i, &word) ||
	    !v8_is_smi(word))
		return false;
	*value = v8_smi(word);
	return true;
}

bool v8_exits_read(struct v8 *v8, const struct v8_code *code, struct v8_exits *exits)
{
	int64_t index = v8->layout.deopt_exits, lazy;

	exits->data = v8_moved(&v8->heap, code->deopt);
	if (!exits->data || !smi_element(v8, exits->data, index, &exits->first) ||
	    !smi_element(v8, exits->data, index + 1, &exits->eager) ||
	    !smi_element(v8, exits->data, index + 2, &lazy) || exits->eager < 0 || lazy < 0)
		return false;
	exits->n = exits->eager + lazy;
	return true;
}

int64_t v8_exit_at(const struct v8_exits *exits, int64_t offset)
{
	int64_t n = offset - exits->first;

	return n >= 0 && n % EXIT_BYTES == 0 && n / EXIT_BYTES < exits->n ? n / EXIT_BYTES : -1;
}

static bool entry_word(struct v8 *v8, const struct v8_exits *exits, int64_t index, int word,
		       int64_t *value)
{
	return smi_element(v8, exits->data, v8->layout.deopt_exits + 3 + index * ENTRY_WORDS + word,
			   value);
}

uint8_t *v8_exit_bytes(struct v8 *v8, uint64_t addr, size_t len)
{
	uint8_t *bytes;

	if (len > v8->exit_budget) {
		v8->exit_budget = 0;
		return NULL;
	}
	v8->exit_budget -= len;
	bytes = xcalloc(1, len + 1);
	if (v8_read(&v8->heap, addr, bytes, len))
		return bytes;
	free(bytes);
	return NULL;
}

bool v8_exit_return(struct v8 *v8, const struct v8_exits *exits, int64_t index, int64_t *offset)
{
	return entry_word(v8, exits, index, ENTRY_PC, offset) && *offset > 0;
}

size_t v8_exit_frames(struct v8 *v8, const struct v8_exits *exits, int64_t index,
		      struct v8_translated *frames)
{
	int64_t at;
	uint64_t table;
	uint32_t len;
	uint8_t *bytes;
	size_t n = 0;

	if (!entry_word(v8, exits, index, ENTRY_TRANSLATION, &at) || at < 0 ||
	    !v8_element(&v8->heap, exits->data, TRANSLATIONS, &table))
		return 0;
	table = v8_moved(&v8->heap, table);
	len = v8_array_length(&v8->heap, table);
	if (!table || len == 0)
		return 0;
	bytes = v8_exit_bytes(v8, table - 1 + (uint64_t)v8->layout.array_data, len);
	if (bytes)
		n = v8_translation_frames((struct v8_bytes){ bytes, len }, v8->layout.translations,
					  (size_t)at, frames, RUNTIME_MAX_INLINED);
	free(bytes);
	return n;
}

bool v8_exit_site(struct v8 *v8, const struct v8_exits *exits, const struct v8_translated *frame,
		  struct v8_site *site)
{
	uint64_t literals, shared, array;

	if (!v8_element(&v8->heap, exits->data, (uint32_t)v8->layout.deopt_literals, &literals))
		return false;
	literals = v8_moved(&v8->heap, literals);
	if (frame->function >= v8_array_length(&v8->heap, literals) ||
	    !v8_element(&v8->heap, literals, frame->function, &shared) ||
	    !v8_function_of(v8, shared, &site->function))
		return false;
	if (frame->bytecode < 0)
		site->position = V8_AT_ENTRY;
	else if (v8_function_bytecode(v8, site->function.shared, &array))
		site->position = v8_bytecode_position(v8, array, frame->bytecode);
	else
		site->position = V8_UNTRIED;
	return true;
}

size_t v8_exit_sites(struct v8 *v8, const struct v8_exits *exits, int64_t index,
		     struct v8_site *sites, size_t max)
{
	struct v8_translated frames[RUNTIME_MAX_INLINED];
	size_t n = v8_exit_frames(v8, exits, index, frames);

	if (n > max)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (!v8_exit_site(v8, exits, &frames[n - 1 - i], &sites[i]))
			return 0;
	}
	return n;
}
