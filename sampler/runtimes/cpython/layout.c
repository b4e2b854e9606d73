#include "sampler/runtimes/cpython/layout.h"

#include <string.h>

/*
 * From the debug information of each version's own build, and seen to hold on
 * Debian's.  To add one: a row, and its name in tests/live/cpython.sh; since 3.13
 * the words of the table of offsets (Include/internal/pycore_debug_offsets.h) as well.
 */
static const struct cpython_layout layouts[] = {
	/* clang-format off */
	{
		.version = 309,
		.runtime_interpreters = 32, .interpreter_next = 0, .interpreter_threads = 8,
		.thread_next = 8, .thread_id = 176, .thread_frame = 24,
		.cframe_frame = -1, .cframe_previous = -1,
		.frame_code = 32, .frame_previous = 24, .frame_instruction = 104,
		.frame_entry = -1, .frame_owner = -1, .owner_shim = -1,
		.frame_words = -1, .frame_stack = 64, .frame_locals = 360,
		.code_locals = -1, .code_stack = 32,
		.code_file = 104, .code_name = 112, .code_first_line = 40, .code_table = 120,
		.code_instructions = -1,
		.string_length = 16, .string_state = 32, .string_header = 48, .string_wide = 72,
		.bytes_length = 16, .bytes_data = 32, .int_tag_shift = 0,
	},
	{
		.version = 310,
		.runtime_interpreters = 32, .interpreter_next = 0, .interpreter_threads = 8,
		.thread_next = 8, .thread_id = 176, .thread_frame = 24,
		.cframe_frame = -1, .cframe_previous = -1,
		.frame_code = 32, .frame_previous = 24, .frame_instruction = 96,
		.frame_entry = -1, .frame_owner = -1, .owner_shim = -1,
		.frame_words = -1, .frame_stack = 64, .frame_locals = 352,
		.code_locals = -1, .code_stack = 32,
		.code_file = 104, .code_name = 112, .code_first_line = 40, .code_table = 120,
		.code_instructions = -1,
		.string_length = 16, .string_state = 32, .string_header = 48, .string_wide = 72,
		.bytes_length = 16, .bytes_data = 32, .int_tag_shift = 0,
	},
	{
		.version = 311,
		.runtime_interpreters = 40, .interpreter_next = 0, .interpreter_threads = 16,
		.thread_next = 8, .thread_id = 152, .thread_frame = 56,
		.cframe_frame = 8, .cframe_previous = 16,
		.frame_code = 32, .frame_previous = 48, .frame_instruction = 56,
		.frame_entry = 68, .frame_owner = 69, .owner_shim = -1,
		.frame_words = 72, .frame_stack = -1, .frame_locals = 72,
		.code_locals = 76, .code_stack = 68,
		.code_file = 112, .code_name = 120, .code_first_line = 72, .code_table = 136,
		.code_instructions = 184,
		.string_length = 16, .string_state = 32, .string_header = 48, .string_wide = 72,
		.bytes_length = 16, .bytes_data = 32, .int_tag_shift = 0,
	},
	{
		.version = 312,
		.runtime_interpreters = 40, .interpreter_next = 0, .interpreter_threads = 72,
		.thread_next = 8, .thread_id = 136, .thread_frame = 56,
		.cframe_frame = 0, .cframe_previous = 8,
		.frame_code = 0, .frame_previous = 8, .frame_instruction = 56,
		.frame_entry = -1, .frame_owner = 70, .owner_shim = 3,
		.frame_words = 72, .frame_stack = -1, .frame_locals = 72,
		.code_locals = 72, .code_stack = 64,
		.code_file = 112, .code_name = 120, .code_first_line = 68, .code_table = 136,
		.code_instructions = 192,
		.string_length = 16, .string_state = 32, .string_header = 40, .string_wide = 56,
		.bytes_length = 16, .bytes_data = 32, .int_tag_shift = 3,
	},
	{
		.version = 313,
		.runtime_interpreters = 632, .interpreter_next = 7264, .interpreter_threads = 7344,
		.thread_next = 8, .thread_id = 152, .thread_frame = 72,
		.cframe_frame = -1, .cframe_previous = -1,
		.frame_code = 0, .frame_previous = 8, .frame_instruction = 56,
		.frame_entry = -1, .frame_owner = 70, .owner_shim = 3,
		.frame_words = 72, .frame_stack = -1, .frame_locals = 72,
		.code_locals = 72, .code_stack = 64,
		.code_file = 112, .code_name = 120, .code_first_line = 68, .code_table = 136,
		.code_instructions = 200,
		.string_length = 16, .string_state = 32, .string_header = 40, .string_wide = 56,
		.bytes_length = 16, .bytes_data = 32, .int_tag_shift = 3,
	},
	/* clang-format on */
};

const struct cpython_layout *cpython_layout_find(int32_t version)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].version == version)
			return &layouts[i];
	return NULL;
}

/* Which word of the table of 3.13 holds which offset. */
#define AT(field) offsetof(struct cpython_layout, field)
static const struct {
	size_t word, field;
} overrides[] = {
	/* clang-format off */
	{ 5,  AT(runtime_interpreters) },
	{ 8,  AT(interpreter_next) },
	{ 9,  AT(interpreter_threads) },
	{ 21, AT(thread_next) },
	{ 23, AT(thread_frame) },
	{ 24, AT(thread_id) },
	{ 29, AT(frame_previous) },
	{ 30, AT(frame_code) },
	{ 31, AT(frame_instruction) },
	{ 32, AT(frame_words) },
	{ 32, AT(frame_locals) },
	{ 33, AT(frame_owner) },
	{ 35, AT(code_file) },
	{ 36, AT(code_name) },
	{ 38, AT(code_table) },
	{ 39, AT(code_first_line) },
	{ 43, AT(code_instructions) },
	{ 65, AT(bytes_length) },
	{ 66, AT(bytes_data) },
	{ 68, AT(string_state) },
	{ 69, AT(string_length) },
	{ 70, AT(string_header) },
	/* clang-format on */
};

bool cpython_layout_override(struct cpython_layout *layout, const uint64_t *words)
{
	enum { VERSION = 1, FREE_THREADED = 2, OFFSET_MAX = 1 << 20 };

	if (memcmp(words, "xdebugpy", 8) != 0 || words[FREE_THREADED] ||
	    (words[VERSION] >> 24) * 100 + (words[VERSION] >> 16 & 255) !=
		    (uint64_t)layout->version)
		return false;
	for (size_t i = 0; i < sizeof(overrides) / sizeof(overrides[0]); i++) {
		int32_t value = (int32_t)words[overrides[i].word];

		if (words[overrides[i].word] > OFFSET_MAX)
			return false;
		memcpy((char *)layout + overrides[i].field, &value, sizeof(value));
	}
	return true;
}
