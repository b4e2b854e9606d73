#include <stdio.h>
#include <string.h>

#include "sampler/eh_index.h"
#include "sampler/runtimes/cpython/cpython.h"

/*
 * A function written in C has no frame of the interpreter, and in most builds no symbol.  But
 * the object that stands for it lies on the stack of the frame that calls it, and knows
 * its name and where its code begins: that must be the code of a C frame of the sample.
 */
enum {
	WORDS = 128,     /* searched for it; a frame seldom has thirty */
	INTERPRETED = 8, /* calls of the interpreter that are searched for, from the innermost */
	NAME = 128,

	/* The same in all versions. */
	OB_TYPE = 8,
	TYPE_NAME = 24,
	TYPE_CALL = 128,
	FUNCTION_METHOD = 16, /* struct PyCFunctionObject: PyMethodDef, self, module's name */
	FUNCTION_SELF = 24,
	FUNCTION_MODULE = 32,
	DESCRIPTOR_TYPE = 16, /* PyMethodDescrObject */
	DESCRIPTOR_METHOD = 40,
	METHOD_NAME = 0, /* struct PyMethodDef */
	METHOD_CODE = 8,
};

/* The C string that a field points to. */
static bool read_text(struct cpython *py, uint64_t object, int32_t offset, char text[NAME])
{
	uint64_t address;

	return cpython_read_word(py, object, offset, &address) &&
	       memory_read_string(py->mem, address, text, NAME) > 0;
}

/* "owner.name"; what is built in has no owner worth naming. */
static const char *join(struct cpython *py, const char *owner, const char *name)
{
	char text[2 * NAME + 2];

	if (!owner[0] || strcmp(owner, "builtins") == 0)
		return cpython_intern(py, name);
	snprintf(text, sizeof(text), "%s.%s", owner, name);
	return cpython_intern(py, text);
}

/* "time.sleep"; "list.sort" where it is bound to an object. */
static const char *name_function(struct cpython *py, uint64_t object, uint64_t method)
{
	char owner[NAME] = "", name[NAME];
	uint64_t module, self, type;
	const char *text;

	if (!read_text(py, method, METHOD_NAME, name) ||
	    !cpython_read_word(py, object, FUNCTION_MODULE, &module))
		return NULL;
	text = module ? cpython_string(py, module) : NULL;
	if (text)
		snprintf(owner, sizeof(owner), "%s", text);
	else if (cpython_read_word(py, object, FUNCTION_SELF, &self) && self &&
		 cpython_read_word(py, self, OB_TYPE, &type))
		read_text(py, type, TYPE_NAME, owner);
	return join(py, owner, name);
}

static const char *name_method(struct cpython *py, uint64_t object, uint64_t method)
{
	char owner[NAME], name[NAME];
	uint64_t type;

	if (!read_text(py, method, METHOD_NAME, name) ||
	    !cpython_read_word(py, object, DESCRIPTOR_TYPE, &type) ||
	    !read_text(py, type, TYPE_NAME, owner))
		return NULL;
	return join(py, owner, name);
}

/*
 * Is the object at `slot` one that runs the code at `function` when it is called?  A type of an
 * extension ("_json.Scanner") may make its objects callable.
 */
static bool is_called(struct cpython *py, uint64_t slot, uint64_t function,
		      struct cpython_call *out)
{
	uint64_t object, type, method, code, next;
	char name[NAME];

	if (!cpython_read_word(py, slot, 0, &object) || !object || object % 8 ||
	    !cpython_read_word(py, object, OB_TYPE, &type))
		return false;
	*out = (struct cpython_call){ .function = function, .arguments = slot + 8 };
	if (type == py->types.function) {
		if (!cpython_read_word(py, object, FUNCTION_METHOD, &method) ||
		    !cpython_read_word(py, method, METHOD_CODE, &code) || code != function)
			return false;
		cpython_read_word(py, object, FUNCTION_SELF, &out->self);
		out->name = name_function(py, object, method);
		/* 3.13 puts what a bound one would be bound to behind it: nothing. */
		if (cpython_read_word(py, out->arguments, 0, &next) && next == 0)
			out->arguments += 8;
	} else if (type == py->types.method) {
		if (!cpython_read_word(py, object, DESCRIPTOR_METHOD, &method) ||
		    !cpython_read_word(py, method, METHOD_CODE, &code) || code != function)
			return false;
		cpython_read_word(py, out->arguments, 0, &out->self);
		out->arguments += 8;
		out->name = name_method(py, object, method);
	} else {
		if (!cpython_read_word(py, type, TYPE_CALL, &code) || code != function ||
		    !read_text(py, type, TYPE_NAME, name) || !strchr(name, '.'))
			return false;
		out->self = object;
		out->name = cpython_intern(py, name);
		if (cpython_read_word(py, out->arguments, 0, &next) && next == 0)
			out->arguments += 8;
	}
	return out->name != NULL;
}

/* Where a frame keeps its words, and how many. */
static bool words_of(struct cpython *py, const struct cpython_frame *f, uint64_t *from, size_t *n)
{
	const struct cpython_layout *l = &py->layout;
	int32_t locals = 0, stack;

	if (!cpython_read(py, f->code, l->code_stack, &stack, sizeof(stack)) ||
	    (l->code_locals >= 0 &&
	     !cpython_read(py, f->code, l->code_locals, &locals, sizeof(locals))) ||
	    stack < 0 || locals < 0)
		return false;
	*n = (size_t)stack + (size_t)locals;
	*n = *n < WORDS ? *n : WORDS;
	if (l->frame_stack >= 0)
		return cpython_read_word(py, f->address, l->frame_stack, from);
	*from = f->address + (uint64_t)l->frame_words;
	return true;
}

/* The address at which the code of frame i's function begins, 0 unknown. */
static uint64_t begin_of(struct cpython *py, const struct raw_stack *stack, size_t i)
{
	uint64_t pc = raw_frame_lookup_pc(&stack->frames[i]), vaddr;
	struct mapping *m = space_find(py->space, pc);
	struct elf_file *file = m && m->exec ? space_file(py->space, m) : NULL;

	vaddr = file ? eh_index_function(file, pc - m->bias) : 0;
	return vaddr ? vaddr + m->bias : 0;
}

bool cpython_call_of(struct cpython *py, const struct raw_stack *stack, size_t i,
		     struct cpython_call *out)
{
	size_t caller = i + 1, depth = 0, first, n, matches = 0;
	struct cpython_call found;
	uint64_t function, from;

	while (caller < stack->n && !cpython_is_loop(py, stack, caller))
		caller++;
	for (size_t k = 0; k < caller && k < stack->n; k++)
		depth += cpython_is_loop(py, stack, k);
	if (caller == stack->n || depth >= INTERPRETED ||
	    cpython_frames_of(py, stack, caller, &first) == 0)
		return false;
	function = begin_of(py, stack, i);
	if (!function || !words_of(py, &py->frames[first], &from, &n))
		return false;
	for (size_t k = 0; k < n; k++) {
		if (!is_called(py, from + k * 8, function, &found))
			continue;
		/* Twice: one of them is of a call before, or of one to come. */
		if (matches++)
			found.self = found.arguments = 0;
		*out = found;
	}
	return matches > 0;
}
