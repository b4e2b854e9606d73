#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "sampler/runtimes/v8/deopt.h"
#include "sampler/runtimes/v8/v8.h"

enum {
	BASELINE_MAX = 32 << 10,  /* bytes of bytecode, and of its table */
	INTERPRETER_BYTECODE = 8, /* from an InterpreterData to its BytecodeArray */
};

int32_t v8_bytecode_position(struct v8 *v8, uint64_t array, int64_t offset)
{
	struct v8_position position;
	uint64_t table;
	int32_t length;

	if (!v8_field_smi(&v8->heap, array, v8->layout.bytecode_length, &length) ||
	    !v8_field(&v8->heap, array, v8->layout.bytecode_positions, &table) ||
	    !v8_position_at(v8, table, length, offset, &position))
		return V8_UNSOUND;
	return position.offset;
}

uint64_t v8_bytecode_array(struct v8 *v8, uint64_t word)
{
	uint64_t object = v8_moved(&v8->heap, word);

	if (v8_type(&v8->heap, object) == v8->layout.type_bytecode_array)
		return object;
	return v8_field_object(&v8->heap, object, INTERPRETER_BYTECODE, &object) &&
			       v8_type(&v8->heap, object) == v8->layout.type_bytecode_array
		       ? object
		       : 0;
}

bool v8_function_bytecode(struct v8 *v8, uint64_t shared, uint64_t *array)
{
	uint64_t object;

	if (!v8_field_object(&v8->heap, shared, v8->layout.shared_code, &object) ||
	    (v8_type(&v8->heap, object) == v8->layout.type_code &&
	     !v8_field(&v8->heap, object, v8->layout.code_deopt, &object)))
		return false;
	*array = v8_bytecode_array(v8, object);
	return *array != 0;
}

static bool read_data(struct v8 *v8, uint64_t object, int32_t data, size_t len, uint8_t **buf)
{
	*buf = xcalloc(1, len);
	return v8_read(&v8->heap, object - 1 + (uint64_t)data, *buf, len);
}

/* Which bytecode baseline code is at, through its table of machine code lengths. */
static bool baseline_bytecode(struct v8 *v8, const struct v8_code *code, uint64_t array,
			      uint64_t pc, int64_t *offset)
{
	uint64_t table = v8_moved(&v8->heap, code->positions);
	uint32_t table_len = v8_array_length(&v8->heap, table);
	uint8_t *lengths = NULL, *bytecodes = NULL;
	int32_t len;
	bool found;

	if (!v8_field_smi(&v8->heap, array, v8->layout.bytecode_length, &len) || len <= 0 ||
	    len > BASELINE_MAX || table_len == 0 || table_len > BASELINE_MAX)
		return false;
	found = read_data(v8, table, v8->layout.array_data, table_len, &lengths) &&
		read_data(v8, array, v8->layout.bytecode_data, (size_t)len, &bytecodes) &&
		v8_baseline_find((struct v8_bytes){ lengths, table_len },
				 (struct v8_bytes){ bytecodes, (size_t)len }, v8->layout.bytecodes,
				 pc - code->start, offset);
	free(lengths);
	free(bytecodes);
	return found;
}

int32_t v8_baseline_position(struct v8 *v8, const struct v8_code *code, uint64_t pc)
{
	uint64_t array = v8_bytecode_array(v8, code->deopt);
	int64_t offset;

	if (!v8->layout.bytecodes[0])
		return V8_UNTRIED;
	if (!array || !baseline_bytecode(v8, code, array, pc, &offset))
		return V8_UNSOUND;
	return offset < 0 ? V8_AT_ENTRY : v8_bytecode_position(v8, array, offset);
}

static bool is_maglev(const struct v8 *v8, const struct v8_code *code)
{
	return code->kind == v8->layout.kind_baseline + 1;
}

bool v8_is_optimized(const struct v8 *v8, const struct v8_code *code)
{
	return is_maglev(v8, code) || code->kind == v8->layout.kind_baseline + 2; /* TurboFan */
}

bool v8_optimized_function(struct v8 *v8, const struct v8_code *code, struct v8_function *f)
{
	const struct v8_layout *layout = &v8->layout;
	uint64_t deopt = v8_moved(&v8->heap, code->deopt), shared;

	return deopt && v8_element(&v8->heap, deopt, (uint32_t)layout->deopt_shared, &shared) &&
	       (layout->wrapper_shared < 0 ||
		v8_field_object(&v8->heap, shared, layout->wrapper_shared, &shared)) &&
	       v8_function_of(v8, shared, f);
}

/*
 * One entry of the table of inlining positions: where the inlined function was
 * called, and which function it is.
 */
static bool inlined_function(struct v8 *v8, const struct v8_code *code, uint32_t inlining,
			     struct v8_position *call, struct v8_function *f)
{
	const struct v8_layout *layout = &v8->layout;
	uint64_t deopt = v8_moved(&v8->heap, code->deopt), table, literals, shared;
	struct {
		uint64_t position;
		int32_t function, unused;
	} entry;

	if (!deopt || !v8_element(&v8->heap, deopt, (uint32_t)layout->deopt_inlining, &table) ||
	    !v8_element(&v8->heap, deopt, (uint32_t)layout->deopt_literals, &literals))
		return false;
	table = v8_moved(&v8->heap, table);
	literals = v8_moved(&v8->heap, literals);
	if (!table || !literals || inlining * sizeof(entry) > v8_array_length(&v8->heap, table) ||
	    !v8_read(&v8->heap,
		     table - 1 + (uint64_t)layout->array_data + (inlining - 1) * sizeof(entry),
		     &entry, sizeof(entry)))
		return false;
	*call = v8_position_of(entry.position);
	if (entry.function < 0)
		return v8_optimized_function(v8, code, f);
	return (uint32_t)entry.function < v8_array_length(&v8->heap, literals) &&
	       v8_element(&v8->heap, literals, (uint32_t)entry.function, &shared) &&
	       v8_function_of(v8, shared, f);
}

/*
 * The sites that an exit tells: V8 rewrites the returns into code that it gives up to the
 * exits behind it, and Maglev's code tells much by them.  *offset becomes that of the call
 * for the position table.
 */
static size_t sites_by_exit(struct v8 *v8, const struct v8_code *code, int64_t *offset,
			    struct v8_site *sites, size_t max, bool *exact)
{
	struct v8_exits exits;
	int64_t exit, back;

	*exact = false;
	if (!v8_exits_read(v8, code, &exits))
		return 0;
	exit = v8_exit_at(&exits, *offset + 1);
	if (exit >= 0 && v8_exit_return(v8, &exits, exit, &back) && back < exits.first) {
		*offset = back - 1;
	} else if (exit >= 0) {
		*exact = true;
		return v8_exit_sites(v8, &exits, exit, sites, max);
	}
	return is_maglev(v8, code) ? v8_maglev_sites(v8, code, &exits, *offset, sites, max, exact)
				   : 0;
}

static size_t sites_by_table(struct v8 *v8, const struct v8_code *code, int64_t offset,
			     struct v8_site *sites, size_t max)
{
	struct v8_position position;
	size_t n = 0;

	if (!v8_position_at(v8, code->positions, (int64_t)code->size, offset, &position))
		position = (struct v8_position){ .offset = V8_UNSOUND };
	while (position.inlining && n + 1 < max) {
		struct v8_position call;

		if (!inlined_function(v8, code, position.inlining, &call, &sites[n].function))
			break;
		sites[n++].position = position.offset;
		/* Calls nest inwards: a table in which they do not is garbage. */
		if (call.inlining >= position.inlining)
			call.inlining = 0;
		position = call;
	}
	if (!v8_optimized_function(v8, code, &sites[n].function))
		return 0;
	sites[n++].position = position.offset;
	return n;
}

/* Callers that the exits know as well: the table of V8 14 has their loop's place instead. */
static void correct_callers(struct v8_site *sites, size_t n, const struct v8_site *better,
			    size_t n_better)
{
	for (size_t i = 1; i < n && i <= n_better; i++) {
		struct v8_site *site = &sites[n - i];
		const struct v8_site *other = &better[n_better - i];

		if (site->function.shared != other->function.shared)
			return;
		if (other->position >= 0)
			site->position = other->position;
	}
}

size_t v8_optimized_sites(struct v8 *v8, const struct v8_code *code, uint64_t pc,
			  struct v8_site *sites, size_t max)
{
	int64_t offset = (int64_t)(pc - code->start);
	struct v8_site by_exit[RUNTIME_MAX_INLINED];
	bool exact;
	size_t n, n_exit = sites_by_exit(v8, code, &offset, by_exit, RUNTIME_MAX_INLINED, &exact);

	/* V8 12 and 13 make no table for the code of Maglev. */
	if (v8_array_length(&v8->heap, v8_moved(&v8->heap, code->positions)) == 0) {
		if (n_exit == 0 && v8_optimized_function(v8, code, &by_exit[0].function)) {
			by_exit[0].position = V8_UNTRIED;
			n_exit = 1;
		}
		exact = true;
	}
	if (exact && n_exit > 0) {
		n = n_exit < max ? n_exit : max;
		memcpy(sites, by_exit, n * sizeof(*sites));
		return n;
	}
	n = sites_by_table(v8, code, offset, sites, max);
	correct_callers(sites, n, by_exit, n_exit);
	return n;
}
