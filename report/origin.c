#include "report/origin.h"

#include <string.h>

const char *const origin_ids[ORIGINS] = {
	[ORIGIN_OWN] = "own",   [ORIGIN_PACKAGE] = "package", [ORIGIN_LIBRARY] = "library",
	[ORIGIN_VM] = "vm",     [ORIGIN_NATIVE] = "native",   [ORIGIN_KERNEL] = "kernel",
	[ORIGIN_NONE] = "none",
};

const char *const origin_labels[ORIGINS] = {
	[ORIGIN_OWN] = "your code",
	[ORIGIN_PACKAGE] = "packages",
	[ORIGIN_LIBRARY] = "standard library",
	[ORIGIN_VM] = "runtime",
	[ORIGIN_NATIVE] = "native libraries",
	[ORIGIN_KERNEL] = "kernel",
	[ORIGIN_NONE] = "not running",
};

/* The first row whose words are in the path of a script wins. */
static const struct {
	const char *words;
	enum origin origin;
} paths[] = {
	{ "/node_modules/", ORIGIN_PACKAGE },  { "/.yarn/", ORIGIN_PACKAGE },
	{ "/.pnp.", ORIGIN_PACKAGE },          { "/site-packages/", ORIGIN_PACKAGE },
	{ "/dist-packages/", ORIGIN_PACKAGE }, { "/lib/python", ORIGIN_LIBRARY },
	{ "<frozen ", ORIGIN_LIBRARY },
};

static enum origin script_origin(const struct frame *f)
{
	if (!f->file)
		return f->line ? ORIGIN_OWN : ORIGIN_VM;
	if (f->kind != FRAME_PYTHON && strncmp(f->file, "node:", 5) == 0)
		return ORIGIN_LIBRARY;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (strstr(f->file, paths[i].words))
			return paths[i].origin;
	return ORIGIN_OWN;
}

/* Interpreters that are shared libraries. */
static const char *const vm_modules[] = { "/libpython", "/libnode." };

static enum origin native_origin(const struct frame *f, const struct target_info *target)
{
	if (!f->module)
		return ORIGIN_NATIVE;
	if (target->exe && strcmp(f->module, target->exe) == 0)
		return target->runtime ? ORIGIN_VM : ORIGIN_OWN;
	for (size_t i = 0; i < sizeof(vm_modules) / sizeof(vm_modules[0]); i++)
		if (strstr(f->module, vm_modules[i]))
			return ORIGIN_VM;
	return ORIGIN_NATIVE;
}

enum origin origin_of(const struct frame *f, const struct target_info *target)
{
	switch (f->kind) {
	case FRAME_KERNEL:
		return ORIGIN_KERNEL;
	case FRAME_JS:
	case FRAME_PYTHON:
		return script_origin(f);
	case FRAME_JIT:
		return f->file ? script_origin(f) : ORIGIN_VM;
	case FRAME_NATIVE:
		return native_origin(f, target);
	}
	return ORIGIN_NATIVE;
}
