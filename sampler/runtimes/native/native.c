#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "sampler/runtime.h"
#include "sampler/runtimes/native/kdf.h"
#include "sampler/runtimes/native/lookup.h"
#include "sampler/runtimes/native/perf_map.h"
#include "sampler/symbols.h"

/*
 * Compiled code: the last of the runtimes, which has a frame for every pc.  What
 * has no name keeps its module and address.
 */
struct native {
	struct space *space;
	struct recording *rec;
	struct perf_map *perf_map;
	size_t argument_bytes; /* interned so far */
};

static int native_attach(const struct runtime_target *t, void **state, struct error *err)
{
	struct native *n = xcalloc(1, sizeof(*n));

	n->space = t->space;
	n->rec = t->rec;
	n->perf_map = perf_map_new(space_proc(t->space));
	*state = n;
	return 1;
}

static void native_detach(void *state)
{
	struct native *n = state;

	perf_map_free(n->perf_map);
	free(n);
}

static const char *native_version(void *state)
{
	return NULL;
}

static void name_in_file(struct native *n, const struct mapping *m, uint64_t pc, struct frame *out)
{
	struct symbol symbol;

	out->build_id = m->file->build_id[0] ? m->file->build_id : NULL;
	out->address = pc - m->bias;
	if (m->path[0] == '/')
		symbols_set_origin(m->file, space_proc(n->space), m->path);
	if (symbols_lookup(m->file, out->address, &symbol))
		out->function = symbol_demangle(n->rec, symbol.name);
}

/* Code that a compiler inside the target wrote: anonymous memory, or a memfd mapped twice. */
static bool is_jit(const struct mapping *m)
{
	return m->exec && (m->anon || strncmp(m->path, "/memfd:", 7) == 0);
}

static size_t native_name_frame(void *state, const struct raw_stack *stack, size_t i,
				struct memory *mem, struct frame *out)
{
	struct native *n = state;
	uint64_t pc = raw_frame_lookup_pc(&stack->frames[i]);
	struct mapping *m = space_find(n->space, pc);
	const char *name;

	*out = (struct frame){ .kind = FRAME_NATIVE, .guessed = stack->frames[i].how == HOW_SCAN };
	if (!m)
		return 1;
	out->module = m->path[0] ? m->path : NULL;
	if (space_file(n->space, m)) {
		name_in_file(n, m, pc, out);
	} else if (is_jit(m)) {
		out->kind = FRAME_JIT;
		out->module = NULL;
		name = perf_map_lookup(n->perf_map, m->start, m->end, pc);
		if (name)
			perf_map_frame(n->rec, name, out);
	}
	return 1;
}

static size_t add(struct runtime_argument *out, enum argument_key key, int64_t number,
		  const char *text, size_t frame)
{
	if (!text && number < 0)
		return 0;
	*out = (struct runtime_argument){
		.argument = {
			.key = key, .number = number, .text = text, .frame = (uint32_t)frame,
		},
	};
	return 1;
}

static const char *keep(struct native *n, const char *text)
{
	return text[0] ? runtime_intern(n->rec, &n->argument_bytes, text) : NULL;
}

static size_t native_arguments(void *state, const struct raw_stack *stack, struct memory *mem,
			       const struct frame *names, struct runtime_argument *out)
{
	struct native *n = state;
	char host[LOOKUP_NAME];
	ssize_t frame = lookup_host(stack, mem, names, host);
	struct kdf kdf;
	size_t found = 0;

	if (frame >= 0)
		return add(out, ARG_HOST, -1, keep(n, host), (size_t)frame);
	if (!kdf_find(stack, mem, names, &kdf))
		return 0;
	found += add(out + found, ARG_ITERATIONS, kdf.iterations, NULL, kdf.frame);
	found += add(out + found, ARG_COST, kdf.cost, NULL, kdf.frame);
	found += add(out + found, ARG_DIGEST, -1, keep(n, kdf.digest), kdf.frame);
	return found;
}

const struct runtime runtime_native = {
	.name = "native",
	.attach = native_attach,
	.detach = native_detach,
	.version = native_version,
	.name_frame = native_name_frame,
	.arguments = native_arguments,
};
