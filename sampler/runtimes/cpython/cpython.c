#include "sampler/runtimes/cpython/cpython.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/names.h"
#include "sampler/symbols.h"

enum { CHECK_STACKS = 64 }; /* of which one must make sense */

/* The file among the target's that holds the interpreter: its executable, or libpython. */
static struct elf_file *find_file(struct space *space, uint64_t *bias, const char **path)
{
	size_t n;
	const struct mapping *maps = space_mappings(space, &n);
	struct elf_file *last = NULL;
	struct symbol symbol;

	for (size_t i = 0; i < n; i++) {
		struct mapping *m = space_find(space, maps[i].start);
		struct elf_file *file = m && m->exec && !m->anon ? space_file(space, m) : NULL;

		if (!file || file == last)
			continue;
		if (symbols_find(file, "_PyRuntime", &symbol) &&
		    symbols_find(file, "_PyEval_EvalFrameDefault", &symbol)) {
			*bias = m->bias;
			*path = m->path;
			return file;
		}
		last = file;
	}
	return NULL;
}

/* Since 3.11 the interpreter says its version; before that the name of its file does. */
static int32_t find_version(struct elf_file *file, const char *path, char text[16])
{
	const char *name = strstr(strrchr(path, '/') ? strrchr(path, '/') : path, "python");
	unsigned int major, minor, micro;
	struct symbol symbol;
	uint64_t hex;

	if (symbols_find(file, "Py_Version", &symbol) &&
	    elf_read_vaddr(file, symbol.start, &hex, sizeof(hex)) == 0) {
		major = hex >> 24 & 255;
		minor = hex >> 16 & 255;
		micro = hex >> 8 & 255;
		snprintf(text, 16, "%u.%u.%u", major, minor, micro);
	} else if (name && sscanf(name, "python%1u.%2u", &major, &minor) == 2) {
		snprintf(text, 16, "%u.%u", major, minor);
	} else {
		return 0;
	}
	return (int32_t)(major * 100 + minor);
}

static void add_loop(void *arg, const struct symbol *symbol)
{
	struct cpython *py = arg;

	if (py->n_loops == CPYTHON_LOOPS)
		return;
	py->loops[py->n_loops].start = symbol->start;
	py->loops[py->n_loops++].end = symbol->end;
}

/* Addresses of what is known by name; false if any is missing. */
static bool find_symbols(struct cpython *py, struct elf_file *file, uint64_t bias)
{
	const struct {
		const char *name;
		uint64_t *address;
	} wanted[] = {
		{ "_PyRuntime", &py->runtime },
		{ "PyUnicode_Type", &py->types.string },
		{ "PyCode_Type", &py->types.code },
		{ "PyBytes_Type", &py->types.bytes },
		{ "PyLong_Type", &py->types.integer },
		{ "PyFloat_Type", &py->types.number },
		{ "PyList_Type", &py->types.list },
		{ "PyTuple_Type", &py->types.tuple },
		{ "PyCFunction_Type", &py->types.function },
		{ "PyMethodDescr_Type", &py->types.method },
	};
	struct symbol symbol;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!symbols_find(file, wanted[i].name, &symbol))
			return false;
		*wanted[i].address = symbol.start + bias;
	}
	/* With what the compiler put apart (".cold"), where there are names for it. */
	symbols_each(file, "_PyEval_EvalFrameDefault", add_loop, py);
	for (size_t i = 0; i < py->n_loops; i++) {
		py->loops[i].start += bias;
		py->loops[i].end += bias;
	}
	return py->n_loops > 0;
}

/* Where the interpreter itself says where things are, that counts. */
static bool check_offsets(struct cpython *py, struct memory *mem)
{
	uint64_t words[CPYTHON_OFFSETS];

	return py->layout.version < 313 ||
	       (memory_read(mem, py->runtime, words, sizeof(words)) == 0 &&
		cpython_layout_override(&py->layout, words));
}

static int set_up(struct cpython *py, const struct runtime_target *t, struct elf_file *file,
		  uint64_t bias, struct error *err)
{
	if (!find_symbols(py, file, bias))
		return error_set(err, -ENOTSUP,
				 "this interpreter hides where its types are: Python frames have "
				 "no names");
	if (!check_offsets(py, t->mem))
		return error_set(err, -ENOTSUP,
				 "this interpreter was built in a way that lagprof does not know "
				 "(without the GIL?): Python frames have no names");
	return 0;
}

/* A program may be linked with the interpreter for the sake of plugins that it never loads. */
static bool is_at_work(const struct runtime_target *t, struct elf_file *file, uint64_t bias,
		       const struct cpython_layout *layout)
{
	struct symbol runtime;
	uint64_t interpreter;
	size_t n;
	const struct mapping *maps = space_mappings(t->space, &n);

	for (size_t i = 0; i < n; i++)
		if (maps[i].exec && maps[i].path &&
		    strncmp(path_base(maps[i].path), "python", strlen("python")) == 0)
			return true;
	return symbols_find(file, "_PyRuntime", &runtime) &&
	       memory_read_u64(t->mem,
			       runtime.start + bias + (uint64_t)layout->runtime_interpreters,
			       &interpreter) == 0 &&
	       interpreter;
}

static void detach(void *state)
{
	struct cpython *py = state;

	free(py->codes);
	free(py->lines);
	free(py);
}

static int attach(const struct runtime_target *t, void **state, struct error *err)
{
	const struct cpython_layout *layout;
	const char *path;
	char text[16];
	uint64_t bias;
	struct elf_file *file = find_file(t->space, &bias, &path);
	int32_t version = file ? find_version(file, path, text) : 0;
	struct cpython *py;
	int ret;

	if (!file)
		return 0;
	layout = cpython_layout_find(version);
	if (!layout)
		return error_set(
			err, -ENOTSUP,
			"version %s is not one of 3.9 to 3.13: Python frames have no names",
			version ? text : "unknown");
	if (!is_at_work(t, file, bias, layout))
		return 0;
	py = xcalloc(1, sizeof(*py));
	py->space = t->space;
	py->rec = t->rec;
	py->layout = *layout;
	py->codes = xcalloc(CPYTHON_CODES, sizeof(*py->codes));
	py->lines = xcalloc(CPYTHON_LINES, sizeof(*py->lines));
	ret = set_up(py, t, file, bias, err);
	if (ret < 0) {
		detach(py);
		return ret;
	}
	py->version = recording_intern(t->rec, text);
	*state = py;
	return 1;
}

static const char *version_of(void *state)
{
	return ((const struct cpython *)state)->version;
}

/*
 * The self-check: does a chain of frames lead to its end, and begin with a function?  In a
 * program that has just begun few do: the thread goes on while they are read.
 */
static void self_check(struct cpython *py)
{
	struct cpython_code code;

	if (py->n_loops_seen == 0 || py->sound)
		return;
	py->sound = py->whole && py->n_frames && cpython_code_at(py, py->frames[0].code, &code);
	if (py->sound || ++py->unsound < CHECK_STACKS)
		return;
	recording_note(py->rec,
		       "CPython %s keeps its frames where lagprof does not look: Python frames "
		       "have no names",
		       py->version);
}

static void begin_sample(struct cpython *py, const struct raw_stack *stack, struct memory *mem)
{
	py->mem = mem;
	if (!cpython_frames_read(py, stack))
		py->n_frames = 0;
	self_check(py);
	if (!cpython_frames_fit(py, stack))
		py->n_frames = 0;
}

/* The functions that call number `segment` of the interpreter runs. */
static size_t name_functions(struct cpython *py, const struct raw_stack *stack, size_t i,
			     struct frame *out)
{
	size_t first, named = 0, n = cpython_frames_of(py, stack, i, &first);

	for (size_t k = first; n > 0 && named < RUNTIME_MAX_NAMES; n--, k++) {
		const struct cpython_frame *f = &py->frames[k];
		struct cpython_code code;

		if (!cpython_code_at(py, f->code, &code))
			continue;
		out[named++] = (struct frame){ .kind = FRAME_PYTHON,
					       .function = code.name,
					       .file = code.file,
					       .line = cpython_line_at(py, &code, f->at),
					       .define_line = code.first_line };
	}
	return named;
}

/* A function of an extension, or built in: it has a name in Python, but no file. */
static size_t name_call(struct cpython *py, const struct raw_stack *stack, size_t i,
			struct frame *out)
{
	struct cpython_call call;
	const struct mapping *m;

	if (!cpython_call_of(py, stack, i, &call))
		return 0;
	m = space_find(py->space, call.function);
	*out = (struct frame){ .kind = FRAME_PYTHON,
			       .function = call.name,
			       .module = m ? m->path : NULL };
	return 1;
}

static size_t name_frame(void *state, const struct raw_stack *stack, size_t i, struct memory *mem,
			 struct frame *out)
{
	struct cpython *py = state;

	if (py->unsound == CHECK_STACKS)
		return 0;
	if (i == 0)
		begin_sample(py, stack, mem);
	if (py->n_frames == 0)
		return 0;
	return cpython_is_loop(py, stack, i) ? name_functions(py, stack, i, out)
					     : name_call(py, stack, i, out);
}

/* The innermost call and its frame: the arguments of its callers are not evidence. */
static bool innermost_call(struct cpython *py, const struct raw_stack *stack,
			   const struct frame *names, size_t *i, struct cpython_call *call)
{
	for (*i = 0; py->n_frames && *i < stack->n && !cpython_is_loop(py, stack, *i); ++*i)
		if (names[*i].kind == FRAME_PYTHON && cpython_call_of(py, stack, *i, call))
			return true;
	return false;
}

/* The words that lead to them lie in the interpreter's own frames, not in the stack sampled. */
static size_t arguments(void *state, const struct raw_stack *stack, struct memory *mem,
			const struct frame *names, struct runtime_argument *out)
{
	struct argument found[RUNTIME_MAX_ARGUMENTS];
	struct cpython *py = state;
	struct cpython_call call;
	size_t i, n = 0;

	if (py->n_frames == 0)
		return 0;
	py->mem = mem;
	if (innermost_call(py, stack, names, &i, &call))
		n = cpython_arguments(py, &call, (uint32_t)i, found);
	n = cpython_locals(py, stack, found, n);
	for (size_t k = 0; k < n; k++)
		out[k] = (struct runtime_argument){ .argument = found[k] };
	return n;
}

const struct runtime runtime_cpython = {
	.name = "cpython",
	.attach = attach,
	.detach = detach,
	.version = version_of,
	.name_frame = name_frame,
	.arguments = arguments,
};
