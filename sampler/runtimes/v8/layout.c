#include "sampler/runtimes/v8/layout.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "sampler/symbols.h"

/*
 * One row per value a field ever had.  Of a field's rows the last one whose
 * `since` is not above the target's version counts: if the target exports the
 * row's constant (v8dbg_...), the target's word is taken, else the row's value.
 * To support a new V8: add the rows that changed, its string of bytecode
 * lengths and its number to `measured`, and a snapshot fixture.
 */
#define FIELD(name) offsetof(struct v8_layout, name)

static const int32_t measured[] = {
	1001, 1002, 1007, 1008, 1103, 1108, 1204, 1209, 1306, 1401, 1406
};

static const struct row {
	size_t field;
	int32_t since;
	const char *constant; /* without "v8dbg_"; NULL: never exported */
	int32_t value;
} rows[] = {
	/* clang-format off */
	/* Frames. */
	{ FIELD(frame_exit),         1002, "frametype_ExitFrame", 3 },
	{ FIELD(frame_builtin_exit), 1002, "frametype_BuiltinExitFrame", 22 },
	{ FIELD(frame_builtin_exit), 1007, "frametype_BuiltinExitFrame", 25 },
	{ FIELD(frame_builtin_exit), 1103, "frametype_BuiltinExitFrame", 25 },
	{ FIELD(frame_builtin_exit), 1108, "frametype_BuiltinExitFrame", 26 },
	{ FIELD(frame_builtin_exit), 1204, "frametype_BuiltinExitFrame", 26 },
	{ FIELD(frame_builtin_exit), 1306, "frametype_BuiltinExitFrame", 27 },
	{ FIELD(frame_builtin_exit), 1406, "frametype_BuiltinExitFrame", 17 },
	{ FIELD(frame_irregexp),     1002, NULL, -1 },
	{ FIELD(frame_irregexp),     1103, "frametype_IrregexpFrame", 27 },
	{ FIELD(frame_irregexp), 1108, "frametype_IrregexpFrame", 29 },
	{ FIELD(frame_irregexp),     1204, "frametype_IrregexpFrame", 29 },
	{ FIELD(frame_irregexp), 1209, "frametype_IrregexpFrame", 30 },
	{ FIELD(frame_irregexp),     1306, "frametype_IrregexpFrame", 31 },
	{ FIELD(frame_irregexp),     1406, "frametype_IrregexpFrame", 23 },
	{ FIELD(frame_wasm),         1002, "frametype_WasmFrame", 4 },
	{ FIELD(frame_wasm),         1406, "frametype_WasmFrame", 24 },
	{ FIELD(fp_function),        1002, "off_fp_function", -16 },
	{ FIELD(fp_bytecode_array),  1002, "off_fp_bytecode_array", -32 },
	{ FIELD(fp_bytecode_offset), 1002, "off_fp_bytecode_offset", -40 },
	{ FIELD(fp_receiver),        1002, "off_fp_args", 16 },
	{ FIELD(fp_builtin_target),  1002, NULL, 24 },
	{ FIELD(fp_builtin_receiver), 1002, NULL, 48 },
	{ FIELD(fp_builtin_receiver), 1406, NULL, 40 },
	{ FIELD(frame_api_exit),     1002, NULL, -1 },
	{ FIELD(frame_api_exit),     1108, "frametype_ApiCallbackExitFrame", 27 },
	{ FIELD(frame_api_exit),     1306, "frametype_ApiCallbackExitFrame", 28 },
	{ FIELD(frame_api_exit),     1406, "frametype_ApiCallbackExitFrame", 18 },
	{ FIELD(fp_api_receiver),    1002, NULL, -1 },
	{ FIELD(fp_api_receiver),    1108, NULL, 88 },
	{ FIELD(fp_api_receiver),    1209, NULL, 64 },
	{ FIELD(fp_api_receiver),    1406, NULL, 48 },
	{ FIELD(fp_exit_receiver),   1002, NULL, 64 },
	{ FIELD(fp_exit_receiver),   1306, NULL, -1 },
	{ FIELD(fp_exit_holder),     1002, NULL, 16 }, /* the same object */
	{ FIELD(fp_regexp_subject),  1002, NULL, -8 },
	{ FIELD(fp_regexp_subject),  1103, NULL, -16 },
	{ FIELD(fp_regexp),          1002, NULL, 32 },

	/* Instance types. */
	{ FIELD(type_code), 1001, "type_Code__CODE_TYPE", 239 },
	{ FIELD(type_code), 1002, "type_Code__CODE_TYPE", 240 },
	{ FIELD(type_code), 1007, "type_Code__CODE_TYPE", 237 },
	{ FIELD(type_code), 1103, "type_Code__CODE_TYPE", 245 },
	{ FIELD(type_code), 1108, "type_Code__CODE_TYPE", 246 },
	{ FIELD(type_code), 1204, "type_Code__CODE_TYPE", 206 },
	{ FIELD(type_code), 1209, "type_Code__CODE_TYPE", 186 },
	{ FIELD(type_code), 1306, "type_Code__CODE_TYPE", 187 },
	{ FIELD(type_code), 1401, "type_Code__CODE_TYPE", 185 },
	{ FIELD(type_code), 1406, "type_Code__CODE_TYPE", 186 },
	{ FIELD(type_stream), 1001, "type_Code__CODE_TYPE", 239 },
	{ FIELD(type_stream), 1002, "type_Code__CODE_TYPE", 240 },
	{ FIELD(type_stream), 1007, "type_Code__CODE_TYPE", 237 },
	{ FIELD(type_stream), 1103, "type_InstructionStream__INSTRUCTION_STREAM_TYPE", 252 },
	{ FIELD(type_stream), 1108, "type_InstructionStream__INSTRUCTION_STREAM_TYPE", 254 },
	{ FIELD(type_stream), 1204, "type_InstructionStream__INSTRUCTION_STREAM_TYPE", 210 },
	{ FIELD(type_stream), 1209, "type_InstructionStream__INSTRUCTION_STREAM_TYPE", 190 },
	{ FIELD(type_stream), 1306, "type_InstructionStream__INSTRUCTION_STREAM_TYPE", 192 },
	{ FIELD(type_stream), 1401, "type_InstructionStream__INSTRUCTION_STREAM_TYPE", 191 },
	{ FIELD(type_stream), 1406, "type_InstructionStream__INSTRUCTION_STREAM_TYPE", 192 },
	{ FIELD(type_bytecode_array), 1001, "type_BytecodeArray__BYTECODE_ARRAY_TYPE", 194 },
	{ FIELD(type_bytecode_array), 1002, "type_BytecodeArray__BYTECODE_ARRAY_TYPE", 195 },
	{ FIELD(type_bytecode_array), 1007, "type_BytecodeArray__BYTECODE_ARRAY_TYPE", 192 },
	{ FIELD(type_bytecode_array), 1103, "type_BytecodeArray__BYTECODE_ARRAY_TYPE", 191 },
	{ FIELD(type_bytecode_array), 1204, "type_BytecodeArray__BYTECODE_ARRAY_TYPE", 205 },
	{ FIELD(type_bytecode_array), 1209, "type_BytecodeArray__BYTECODE_ARRAY_TYPE", 185 },
	{ FIELD(type_bytecode_array), 1306, "type_BytecodeArray__BYTECODE_ARRAY_TYPE", 186 },
	{ FIELD(type_bytecode_array), 1401, "type_BytecodeArray__BYTECODE_ARRAY_TYPE", 184 },
	{ FIELD(type_bytecode_array), 1406, "type_BytecodeArray__BYTECODE_ARRAY_TYPE", 185 },
	{ FIELD(type_shared), 1001, "type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE", 256 },
	{ FIELD(type_shared), 1002, "type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE", 257 },
	{ FIELD(type_shared), 1007, "type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE", 254 },
	{ FIELD(type_shared), 1103, "type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE", 262 },
	{ FIELD(type_shared), 1108, "type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE", 264 },
	{ FIELD(type_shared), 1204, "type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE", 274 },
	{ FIELD(type_shared), 1209, "type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE", 281 },
	{ FIELD(type_shared), 1306, "type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE", 282 },
	{ FIELD(type_shared), 1401, "type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE", 286 },
	{ FIELD(type_shared), 1406, "type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE", 288 },
	{ FIELD(type_script), 1001, "type_Script__SCRIPT_TYPE", 169 },
	{ FIELD(type_script), 1002, "type_Script__SCRIPT_TYPE", 170 },
	{ FIELD(type_script), 1007, "type_Script__SCRIPT_TYPE", 168 },
	{ FIELD(type_script), 1103, "type_Script__SCRIPT_TYPE", 167 },
	{ FIELD(type_script), 1401, "type_Script__SCRIPT_TYPE", 165 },
	{ FIELD(type_script), 1406, "type_Script__SCRIPT_TYPE", 166 },
	{ FIELD(type_scope_info), 1001, "type_ScopeInfo__SCOPE_INFO_TYPE", 255 },
	{ FIELD(type_scope_info), 1002, "type_ScopeInfo__SCOPE_INFO_TYPE", 256 },
	{ FIELD(type_scope_info), 1007, "type_ScopeInfo__SCOPE_INFO_TYPE", 253 },
	{ FIELD(type_scope_info), 1103, "type_ScopeInfo__SCOPE_INFO_TYPE", 261 },
	{ FIELD(type_scope_info), 1108, "type_ScopeInfo__SCOPE_INFO_TYPE", 263 },
	{ FIELD(type_scope_info), 1204, "type_ScopeInfo__SCOPE_INFO_TYPE", 272 },
	{ FIELD(type_scope_info), 1209, "type_ScopeInfo__SCOPE_INFO_TYPE", 279 },
	{ FIELD(type_scope_info), 1306, "type_ScopeInfo__SCOPE_INFO_TYPE", 280 },
	{ FIELD(type_scope_info), 1401, "type_ScopeInfo__SCOPE_INFO_TYPE", 284 },
	{ FIELD(type_scope_info), 1406, "type_ScopeInfo__SCOPE_INFO_TYPE", 286 },
	{ FIELD(type_fixed_array), 1001, "type_FixedArray__FIXED_ARRAY_TYPE", 178 },
	{ FIELD(type_fixed_array), 1002, "type_FixedArray__FIXED_ARRAY_TYPE", 179 },
	{ FIELD(type_fixed_array), 1007, "type_FixedArray__FIXED_ARRAY_TYPE", 176 },
	{ FIELD(type_fixed_array), 1103, "type_FixedArray__FIXED_ARRAY_TYPE", 175 },
	{ FIELD(type_fixed_array), 1204, "type_FixedArray__FIXED_ARRAY_TYPE", 174 },
	{ FIELD(type_fixed_array), 1209, "type_FixedArray__FIXED_ARRAY_TYPE", 205 },
	{ FIELD(type_regexp), 1002, "type_JSRegExp__JS_REG_EXP_TYPE", 2120 },
	{ FIELD(type_regexp), 1007, "type_JSRegExp__JS_REG_EXP_TYPE", 2122 },
	{ FIELD(type_regexp), 1008, "type_JSRegExp__JS_REG_EXP_TYPE", 2124 },
	{ FIELD(type_regexp), 1103, "type_JSRegExp__JS_REG_EXP_TYPE", 2131 },
	{ FIELD(type_regexp), 1108, "type_JSRegExp__JS_REG_EXP_TYPE", 2132 },
	{ FIELD(type_regexp), 1204, "type_JSRegExp__JS_REG_EXP_TYPE", 2133 },
	{ FIELD(type_regexp), 1209, "type_JSRegExp__JS_REG_EXP_TYPE", 2137 },
	{ FIELD(type_regexp), 1406, "type_JSRegExp__JS_REG_EXP_TYPE", 2139 },
	{ FIELD(type_regexp_iterator), 1002,
	  "type_JSRegExpStringIterator__JS_REG_EXP_STRING_ITERATOR_TYPE", 2121 },
	{ FIELD(type_regexp_iterator), 1007,
	  "type_JSRegExpStringIterator__JS_REG_EXP_STRING_ITERATOR_TYPE", 2123 },
	{ FIELD(type_regexp_iterator), 1008,
	  "type_JSRegExpStringIterator__JS_REG_EXP_STRING_ITERATOR_TYPE", 2125 },
	{ FIELD(type_regexp_iterator), 1103,
	  "type_JSRegExpStringIterator__JS_REG_EXP_STRING_ITERATOR_TYPE", 2132 },
	{ FIELD(type_regexp_iterator), 1108,
	  "type_JSRegExpStringIterator__JS_REG_EXP_STRING_ITERATOR_TYPE", 2133 },
	{ FIELD(type_regexp_iterator), 1204,
	  "type_JSRegExpStringIterator__JS_REG_EXP_STRING_ITERATOR_TYPE", 2134 },
	{ FIELD(type_regexp_iterator), 1209,
	  "type_JSRegExpStringIterator__JS_REG_EXP_STRING_ITERATOR_TYPE", 2138 },
	{ FIELD(type_regexp_iterator), 1406,
	  "type_JSRegExpStringIterator__JS_REG_EXP_STRING_ITERATOR_TYPE", 2140 },
	{ FIELD(type_regexp_data), 1002, NULL, -1 },
	{ FIELD(type_regexp_data), 1209, "type_IrRegExpData__IR_REG_EXP_DATA_TYPE", 184 },
	{ FIELD(type_regexp_data), 1306, "type_IrRegExpData__IR_REG_EXP_DATA_TYPE", 185 },
	{ FIELD(type_regexp_data), 1401, "type_IrRegExpData__IR_REG_EXP_DATA_TYPE", 183 },
	{ FIELD(type_regexp_data), 1406, "type_IrRegExpData__IR_REG_EXP_DATA_TYPE", 184 },
	{ FIELD(type_typed_array), 1002, "type_JSTypedArray__JS_TYPED_ARRAY_TYPE", 2060 },
	{ FIELD(type_typed_array), 1103, "type_JSTypedArray__JS_TYPED_ARRAY_TYPE", 2061 },
	{ FIELD(type_data_view), 1002, "type_JSDataView__JS_DATA_VIEW_TYPE", 2059 },
	{ FIELD(type_array_buffer), 1002, "type_JSArrayBuffer__JS_ARRAY_BUFFER_TYPE", 2061 },
	{ FIELD(type_array_buffer), 1103, "type_JSArrayBuffer__JS_ARRAY_BUFFER_TYPE", 2062 },
	{ FIELD(type_array_buffer), 1406, "type_JSArrayBuffer__JS_ARRAY_BUFFER_TYPE", 2063 },
	{ FIELD(type_array), 1002, "type_JSArray__JS_ARRAY_TYPE", 2104 },
	{ FIELD(type_array), 1007, "type_JSArray__JS_ARRAY_TYPE", 2106 },
	{ FIELD(type_array), 1103, "type_JSArray__JS_ARRAY_TYPE", 2113 },
	{ FIELD(type_array), 1108, "type_JSArray__JS_ARRAY_TYPE", 2114 },
	{ FIELD(type_array), 1204, "type_JSArray__JS_ARRAY_TYPE", 2115 },
	{ FIELD(type_array), 1209, "type_JSArray__JS_ARRAY_TYPE", 2119 },
	{ FIELD(type_array), 1406, "type_JSArray__JS_ARRAY_TYPE", 2121 },

	/* Kinds of code. */
	{ FIELD(kind_regexp),   1002, NULL, 3 },
	{ FIELD(kind_regexp),   1406, NULL, 4 },
	{ FIELD(kind_baseline), 1002, "CodeKindBaseline", 11 },
	{ FIELD(kind_baseline), 1204, "CodeKindBaseline", 10 },
	{ FIELD(kind_baseline), 1406, "CodeKindBaseline", 11 },

	/* Pages, maps and functions. */
	{ FIELD(page_flags), 1001, NULL, 8 },
	{ FIELD(page_flags), 1204, NULL, 0 },
	{ FIELD(map_instance_size), 1002, "class_Map__instance_size_in_words__char", 8 },
	{ FIELD(map_inobject), 1002,
	  "class_Map__inobject_properties_start_or_constructor_function_index__char", 9 },
	{ FIELD(map_instance_type), 1002, "class_Map__instance_type__uint16_t", 12 },
	{ FIELD(map_descriptors),   1002, "class_Map__instance_descriptors_offset", 40 },
	{ FIELD(function_shared), 1002, "class_JSFunction__shared__SharedFunctionInfo", 24 },
	{ FIELD(function_shared), 1108, "class_JSFunction__shared__SharedFunctionInfo", 32 },
	{ FIELD(shared_data), 1002, "class_SharedFunctionInfo__function_data__Object", 8 },
	{ FIELD(shared_data), 1209, NULL, 16 }, /* the untrusted half: Smi builtin id */
	{ FIELD(shared_code), 1002, NULL, 8 },
	{ FIELD(shared_name), 1002, "class_SharedFunctionInfo__name_or_scope_info__Object", 16 },
	{ FIELD(shared_name), 1108,
	  "class_SharedFunctionInfo__name_or_scope_info__Tagged_Object_", 16 },
	{ FIELD(shared_name), 1209,
	  "class_SharedFunctionInfo__name_or_scope_info__Tagged_NameOrScopeInfoT_", 24 },
	{ FIELD(shared_script), 1002,
	  "class_SharedFunctionInfo__script_or_debug_info__HeapObject", 32 },
	{ FIELD(shared_script), 1108,
	  "class_SharedFunctionInfo__script__Tagged_HeapObject_", 32 },
	{ FIELD(shared_script), 1209,
	  "class_SharedFunctionInfo__script__Tagged_HeapObject_", 40 },
	{ FIELD(shared_token_offset), 1002,
	  "class_SharedFunctionInfo__raw_function_token_offset__int16_t", 44 },
	{ FIELD(shared_token_offset), 1209,
	  "class_SharedFunctionInfo__raw_function_token_offset__int16_t", 52 },
	{ FIELD(scope_names), 1002, "scopeinfo_idx_first_vars", 3 },
	{ FIELD(scope_names), 1208, "scopeinfo_idx_first_vars", 5 }, /* positions come first */

	/* Scripts. */
	{ FIELD(script_source), 1002, "class_Script__source__Object", 8 },
	{ FIELD(script_name),   1002, "class_Script__name__Object", 16 },
	{ FIELD(script_line_offset),   1002, NULL, 24 },
	{ FIELD(script_column_offset), 1002, NULL, 32 },
	{ FIELD(script_line_ends),     1002, "class_Script__line_ends__Object", 56 },
	{ FIELD(script_eval_shared),   1002, NULL, 72 },
	{ FIELD(script_source_url),    1002, NULL, 104 },
	{ FIELD(script_source_url),    1103, NULL, 112 },
	{ FIELD(script_mapping_url),   1002, NULL, 112 },
	{ FIELD(script_mapping_url),   1103, NULL, 120 },

	/* Code. */
	{ FIELD(position_flags),     1002, NULL, 0 },
	{ FIELD(position_flags),     1401, NULL, 2 },
	{ FIELD(bytecode_length),    1002, "class_FixedArrayBase__length__SMI", 8 },
	{ FIELD(bytecode_positions), 1002, NULL, 32 },
	{ FIELD(bytecode_positions), 1204, NULL, 24 },
	{ FIELD(bytecode_data), 1001, "class_BytecodeArray__data__uintptr_t", 54 },
	{ FIELD(bytecode_data), 1002, "class_BytecodeArray__data__uintptr_t", 56 },
	{ FIELD(bytecode_data), 1007, "class_BytecodeArray__data__uintptr_t", 54 },
	{ FIELD(bytecode_data), 1108, "class_BytecodeArray__data__uintptr_t", 52 },
	{ FIELD(bytecode_data), 1204, "class_BytecodeArray__data__uintptr_t", 64 },
	{ FIELD(code_deopt), 1002, "class_Code__deoptimization_data__FixedArray", 16 },
	{ FIELD(code_deopt), 1108, "class_Code__deoptimization_data__Tagged_FixedArray_", 8 },
	{ FIELD(code_positions), 1002, "class_Code__source_position_table__ByteArray", 24 },
	{ FIELD(code_positions), 1108, "class_Code__source_position_table__Tagged_ByteArray_",
	  16 },
	{ FIELD(code_inline), 1002, NULL, 1 },
	{ FIELD(code_inline), 1103, NULL, 0 },
	{ FIELD(code_start), 1002, "class_Code__instruction_start__uintptr_t", 128 },
	{ FIELD(code_start), 1103, "class_Code__instruction_start__Address", 40 },
	{ FIELD(code_start), 1108, "class_Code__instruction_start__Address", 32 },
	{ FIELD(code_start), 1204, "class_Code__instruction_start__Address", 40 },
	{ FIELD(code_size), 1002, "class_Code__instruction_size__int", 40 },
	{ FIELD(code_size), 1103, "class_Code__instruction_size__int", 56 },
	{ FIELD(code_size), 1108, "class_Code__instruction_size__int", 44 },
	{ FIELD(code_size), 1204, "class_Code__instruction_size__int", 52 },
	{ FIELD(code_size), 1306, "class_Code__instruction_size__int", 56 },
	{ FIELD(code_flags), 1002, "class_Code__flags__uint32_t", 48 },
	{ FIELD(code_flags), 1108, "class_Code__flags__uint32_t", 40 },
	{ FIELD(code_flags), 1204, "class_Code__flags__uint32_t", 48 },
	{ FIELD(code_flags), 1306, "class_Code__flags__uint32_t", 52 },
	{ FIELD(stream_code), 1002, NULL, 8 },
	{ FIELD(deopt_literals), 1002, "DeoptimizationDataLiteralArrayIndex", 2 },
	{ FIELD(deopt_literals), 1306, "DeoptimizationDataLiteralArrayIndex", 3 },
	{ FIELD(deopt_shared), 1002, "DeoptimizationDataSharedFunctionInfoIndex", 6 },
	{ FIELD(deopt_shared), 1209, "DeoptimizationDataSharedFunctionInfoWrapperIndex", 6 },
	{ FIELD(deopt_shared), 1306, "DeoptimizationDataWrappedSharedFunctionInfoIndex", 7 },
	{ FIELD(deopt_inlining), 1002, "DeoptimizationDataInliningPositionsIndex", 7 },
	{ FIELD(deopt_inlining), 1306, "DeoptimizationDataInliningPositionsIndex", 8 },
	{ FIELD(deopt_exits), 1002, NULL, 8 },
	{ FIELD(deopt_exits), 1306, NULL, 9 },
	{ FIELD(safepoint_length), 1204, NULL, 0 },
	{ FIELD(safepoint_length), 1306, NULL, 4 },
	{ FIELD(wrapper_shared), 1002, NULL, -1 },
	{ FIELD(wrapper_shared), 1209,
	  "class_SharedFunctionInfoWrapper__shared_info__Tagged_SharedFunctionInfo_", 8 },

	/* Strings and arrays. */
	{ FIELD(string_length),  1002, "class_String__length__int32_t", 12 },
	{ FIELD(string_chars),   1002, "class_SeqOneByteString__chars__char", 16 },
	{ FIELD(cons_first),     1002, "class_ConsString__first__String", 16 },
	{ FIELD(cons_second),    1002, "class_ConsString__second__String", 24 },
	{ FIELD(sliced_parent),  1002, "class_SlicedString__parent__String", 16 },
	{ FIELD(sliced_offset),  1002, "class_SlicedString__offset__SMI", 24 },
	{ FIELD(thin_actual),    1002, "class_ThinString__actual__String", 16 },
	{ FIELD(external_data),  1002, NULL, 24 },
	{ FIELD(array_length),   1002, "class_FixedArrayBase__length__SMI", 8 },
	{ FIELD(array_data),     1002, "class_FixedArray__data__uintptr_t", 16 },

	/* Objects that calls take as arguments. */
	{ FIELD(regexp_source), 1002, "class_JSRegExp__source__Object", 32 },
	{ FIELD(regexp_flags),  1002, NULL, 40 },
	{ FIELD(regexp_data_source), 1002, NULL, -1 },
	{ FIELD(regexp_data_source), 1209, "class_RegExpData__source__Tagged_String_", 16 },
	{ FIELD(regexp_data_flags), 1002, NULL, -1 },
	{ FIELD(regexp_data_flags), 1209, NULL, 24 },
	{ FIELD(iterator_regexp), 1002, NULL, 24 },
	{ FIELD(iterator_string), 1002, NULL, 32 },
	{ FIELD(view_byte_length), 1002, "class_JSArrayBufferView__byte_length__size_t", 40 },
	{ FIELD(view_byte_length), 1209, "class_JSArrayBufferView__byte_length__size_t", 56 },
	{ FIELD(buffer_byte_length), 1002, "class_JSArrayBuffer__byte_length__size_t", 24 },
	{ FIELD(buffer_byte_length), 1103, "class_JSArrayBuffer__byte_length__size_t", 32 },
	{ FIELD(buffer_byte_length), 1209, "class_JSArrayBuffer__byte_length__size_t", 40 },
	{ FIELD(object_properties), 1002, "class_JSReceiver__raw_properties_or_hash__Object", 8 },
	{ FIELD(object_elements),   1002, "class_JSObject__elements__Object", 16 },
	{ FIELD(descriptors_count), 1002, NULL, 8 },
	{ FIELD(descriptors_first), 1002, "class_DescriptorArray__header_size__uintptr_t", 24 },
	{ FIELD(descriptors_first), 1401, "class_DescriptorArray__header_size__uintptr_t", 32 },
	/* clang-format on */
};

/* See v8_layout.bytecodes; from each version's kBytecodeSizes. */
static const struct {
	int32_t version;
	const char *lengths;
} bytecodes[] = {
	/* clang-format off */
	{ 1001, "000007>ELJQ707000007EE777>7770006>>>E77EE7EE=EE>>>EEEEEK7>>>>>>>>>>>>>>>"
	  ">>>>>>>>>7777000777LLELSL>ELLJQDDLL>>>>>>>>77770DD07D0D>D7>>>>000>777777"
	  "7777777777777777E7>>L700007007ELEE07700000000000000000" },
	{ 1002, "000007>ELJQ707000007EE777>7770006>>>E77EE7EE=EE>>>EEEEEK7>>>>>>>>>>>>>>>"
	  ">>>>>>>>>7777000777LLELSL>ELLJQDDLL>>>>>>>>77770DD07D0D>D7>>>>000>777777"
	  "7777777777777777E7>>L700007007ELEE07700000000000000000" },
	{ 1007, "000007>ELJQ707000007EE777>7770006>>>E77EE7EE=EE>>>EEEEEK7>>>>>>>>>>>>>>>"
	  ">>>>>>>>>7777000777ELLELSL>ELLJQDDLL>>>>>>>>77770JD07D0D>D7>>>>000E77777"
	  "77777777777777777E7>>L700007007ELEE07700000000000000000" },
	{ 1008, "000007>ELJQ707000007EE777>7770006>>>E77EE7EE=EE>>>EEEEEK>>>>>>>>>>>>>>>>"
	  ">>>>>>>>7777000777ELLELSL>ELLJQDDLL>>>>>>>>77770JD07D0D>D7>>>>000E777777"
	  "7777777777777777E7>>L700007007ELEE07700000000000000000" },
	{ 1103, "000007>ELJQ707000007EE777>7770006>>>E77EE7EE=EE>>>EEEKEK>>>>>>>>>>>>>>>>"
	  ">>>>>>>>7777000777ELLELSL>ELLJQDDLL>>>>>>>>77770JD07D0D>D7>>>>000E777777"
	  "7777777777777777E7>>L700007007ELEE07700000000000000000" },
	{ 1108, "000007>ELJQ707000007EE777>7770006>>>E77EE7EE=EE>>>EEEKEK>>>>>>>>>>>>>>>>"
	  ">>>>>>>>7777000777ELLELSL>ELLJQDDLL>>>>>>>>077700JD07D0D>D7>>>>000E77777"
	  "77777777777777777E7>>L700007007ELEE07700000000000000000" },
	{ 1204, "000007>ELJQ707000007EE777>7770006>>>E7E77EE7EE=EE>L>>EEEKEK>>>>>>>>>>>>>"
	  ">>>>>>>>>>>7777000777ELLELSL>ELLJQDDLL>>>>>>>>>077700JD07D0D>D7>>>>000E7"
	  "777777777777777777777E7>>L700007007ELEE07700000000000000000" },
	{ 1209, "000007>ELJQ707000007EE777>7770006>>>E7E77EE7EE=EE>L>>EEEKEK>>>>>>>>>>>>>"
	  ">>>>>>>>>>>7777007777ELLELSL>ELLJQDDLL>>>>>>>>>077700JD07D0D>D7>>>>000E7"
	  "777777777E777777777777EE7>L700007007ELEE07700000000000000000" },
	{ 1306, "000007>ELJQ707000007EEE7777>7770006>>>E7E77EEE7EEE=EE>L>>EEEKEK>>>>>>>>>"
	  ">>>>>>>>>>>>>>>7777007777ELLELSL>ELLJQDDLL>>>>>>>>>077700JD07D0D>D7>>>>0"
	  "00E7777777777E777777777777EE7>L700007007ELEE07700000000000000000" },
	{ 1401, "000007>ELJQ707000007EEE7777>7770006>>>E7E77EEE7EEE=EE>L>>EEEKEK7>>>>>>>>"
	  ">>>>D>>>>>>>>>>>>7777007777ELLELSL>ELLJQDDLL>>>>>>>>>077700JD07D0D>D7>>>"
	  ">>000E7777777777E777777777777EE7>L7E00007007ELEE07700000000000000000" },
	{ 1406, "000007>ELJQ707000007EEE7777>7770006>>>E7E77EEE7EEE=EE>L>>EEEKEK>>>>>>>>>"
	  ">>>>D>>>>>>>>>>>>7777007777ELLELSL>ELLJQDDLL>CCCCCC>>077700JD07D0D>D7>>>"
	  ">>000E7777777777E777777777777EE7>L7L00007007ELEE07600000000000000000" },
	/* clang-format on */
};

/*
 * See v8_layout.translations; from TranslationOpcodeOperandCount().  A version takes the last
 * row that is not newer: a wrong one gives itself away, for the frames must be functions.
 */
static const struct {
	int32_t since;
	const char *operands;
} translations[] = {
	{ 1001, "" }, /* no Maglev */
	{ 1204, "5333213432103311111111111111111101111121" },
	{ 1209, "53332134332100331111111111111111111101111121" },
	{ 1306, "643321343331003311101111111111111111101111121" },
};

bool v8_constant(struct elf_file *file, const char *name, int32_t *value)
{
	char full[128];
	struct symbol sym;

	snprintf(full, sizeof(full), "v8dbg_%s", name);
	if (!file || !symbols_find(file, full, &sym))
		return false;
	/* A constant that is zero lies in .bss, of which the file has no bytes. */
	if (elf_read_vaddr(file, sym.start, value, sizeof(*value)) < 0)
		*value = 0;
	return true;
}

/* What the target exports is believed only where it can be an offset or a type at all. */
static int32_t row_value(const struct row *row, struct elf_file *file)
{
	int32_t value;

	if (row->constant && v8_constant(file, row->constant, &value) && value >= -256 &&
	    value < 16384)
		return value;
	return row->value;
}

/*
 * V8's own table: the lengths of all bytecodes in single operand scale, then in double, then in
 * quadruple.  It is not exported by V8 13 and later, and gone from a stripped binary.
 */
static bool read_bytecodes(struct elf_file *file, char *lengths, size_t cap)
{
	uint8_t sizes[3 * 256];
	struct symbol sym;
	size_t n;

	if (!file ||
	    !symbols_find(file, "_ZN2v88internal11interpreter9Bytecodes14kBytecodeSizesE", &sym))
		return false;
	n = sym.end - sym.start;
	if (n > sizeof(sizes) || n % 3 || n / 3 >= cap ||
	    elf_read_vaddr(file, sym.start, sizes, n) < 0)
		return false;
	n /= 3;
	for (size_t i = 0; i < n; i++) {
		int operands = sizes[n + i] - sizes[i];

		if (sizes[i] < 1 || sizes[i] > 12 || operands < 0 || operands > 5)
			return false;
		lengths[i] = (char)('0' + (sizes[i] - 1) * 6 + operands);
	}
	lengths[n] = '\0';
	return true;
}

static void find_bytecodes(struct v8_layout *layout, struct elf_file *file)
{
	if (read_bytecodes(file, layout->bytecodes, sizeof(layout->bytecodes)))
		return;
	layout->bytecodes[0] = '\0';
	for (size_t i = 0; i < sizeof(bytecodes) / sizeof(bytecodes[0]); i++) {
		if (bytecodes[i].version == layout->version)
			strcpy(layout->bytecodes, bytecodes[i].lengths);
	}
}

bool v8_layout_find(struct v8_layout *layout, int32_t version, struct elf_file *file)
{
	const size_t n = sizeof(rows) / sizeof(rows[0]);
	bool known = false;

	*layout = (struct v8_layout){ .version = version };
	for (size_t i = 0; i < n; i++) {
		const struct row *row = &rows[i];
		bool first = i == 0 || row[-1].field != row->field;
		bool superseded =
			i + 1 < n && row[1].field == row->field && row[1].since <= version;

		/* A version older than all of a field's rows takes the oldest. */
		if (!superseded && (first || row->since <= version))
			*(int32_t *)((char *)layout + row->field) = row_value(row, file);
	}
	find_bytecodes(layout, file);
	for (size_t i = 0; i < sizeof(translations) / sizeof(translations[0]); i++) {
		if (translations[i].since <= version)
			strcpy(layout->translations, translations[i].operands);
	}
	for (size_t i = 0; i < sizeof(measured) / sizeof(measured[0]); i++)
		known |= measured[i] == version;
	return known;
}
