#ifndef LAGPROF_SAMPLER_RUNTIMES_V8_LAYOUT_H
#define LAGPROF_SAMPLER_RUNTIMES_V8_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "sampler/elf_file.h"

/*
 * Where one V8 keeps what lagprof reads: x86-64 without pointer compression.
 * Offsets count in bytes from the start of the object (its tagged pointer - 1);
 * those of frames from the frame pointer.  -1: this V8 has no such thing.
 */
struct v8_layout {
	int32_t version; /* major * 100 + minor: 1306 for 13.6 */

	/* Frame types: the marker in a typed frame is twice this. */
	int32_t frame_exit, frame_builtin_exit, frame_irregexp, frame_wasm;
	int32_t fp_function, fp_bytecode_array, fp_bytecode_offset, fp_receiver;
	int32_t fp_builtin_target, fp_builtin_receiver; /* of a BuiltinExit frame */
	/* Calls into the embedder: from the interpreter and, up to V8 12, from optimized code. */
	int32_t frame_api_exit, fp_api_receiver, fp_exit_receiver, fp_exit_holder;
	int32_t fp_regexp_subject; /* of an irregexp frame; start index, input start and end below
				    */
	int32_t fp_regexp;         /* its JSRegExp or RegExpData */

	/* Instance types. */
	int32_t type_code, type_stream, type_bytecode_array, type_shared, type_script;
	int32_t type_scope_info, type_fixed_array, type_regexp, type_regexp_iterator;
	int32_t type_regexp_data, type_typed_array, type_data_view, type_array_buffer, type_array;

	/* Kinds of code: the low 4 bits of a Code's flags; Maglev and TurboFan follow baseline. */
	int32_t kind_regexp, kind_baseline;

	int32_t page_flags; /* from the start of a page of the heap */
	int32_t map_instance_size, map_inobject, map_instance_type, map_descriptors;
	int32_t function_shared;
	int32_t shared_data; /* a Smi: number of the builtin */
	int32_t shared_code; /* BytecodeArray or baseline Code */
	int32_t shared_name, shared_script, shared_token_offset;
	int32_t scope_names; /* index of the first name (or table of names) in a ScopeInfo */
	int32_t script_source, script_name, script_line_offset, script_column_offset;
	int32_t script_line_ends, script_eval_shared, script_source_url, script_mapping_url;

	/*
	 * Low bits of a code offset in a source position table that say what kind of
	 * position it is; 0: its sign says it.
	 */
	int32_t position_flags;
	int32_t bytecode_length, bytecode_positions, bytecode_data;
	int32_t code_deopt;     /* deoptimization data; of baseline code: the BytecodeArray */
	int32_t code_positions; /* position table; of baseline code: the bytecode offset table */
	int32_t code_start;     /* pointer to the instructions; code_inline: the instructions */
	int32_t code_inline;    /* 1: the instructions are in the Code object itself */
	int32_t code_size, code_flags;
	int32_t stream_code; /* from the object that holds instructions to its Code */
	int32_t deopt_literals, deopt_shared, deopt_inlining; /* indexes in deoptimization data */
	int32_t deopt_exits; /* where exits begin; counts of eager and lazy ones and entries follow
			      */
	int32_t safepoint_length; /* in the table behind Maglev's code; its configuration follows */
	int32_t wrapper_shared; /* field of the wrapper that deopt_shared points to; -1: no wrapper
				 */

	int32_t string_length, string_chars, cons_first, cons_second, sliced_parent, sliced_offset;
	int32_t thin_actual, external_data;
	int32_t array_length, array_data;
	int32_t regexp_source, regexp_flags, regexp_data_source, regexp_data_flags;
	int32_t iterator_regexp, iterator_string;
	int32_t view_byte_length, buffer_byte_length, object_properties, object_elements;
	int32_t descriptors_count, descriptors_first;

	/*
	 * Of each bytecode, '0' + (its length in single operand scale - 1) * 6 + its number of
	 * scalable operands.  "": unknown.
	 */
	char bytecodes[264];
	/* Of each instruction of a frame translation, '0' + its number of operands.  "": unknown.
	 */
	char translations[64];
};

/*
 * The layout of V8 `version`.  Constants that file exports (v8dbg_*) override
 * the rows; file may be NULL.  Returns false if rows for exactly this version
 * were never measured: the nearest older ones are taken then.
 */
bool v8_layout_find(struct v8_layout *layout, int32_t version, struct elf_file *file);

/* The value of an exported constant v8dbg_NAME: false if file has none of that name. */
bool v8_constant(struct elf_file *file, const char *name, int32_t *value);

#endif
