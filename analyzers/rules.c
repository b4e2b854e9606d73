#include "analyzers/rules.h"

#include "analyzers/glob.h"
#include "analyzers/rule_rows.h"

const struct rule *rules_of(enum frame_kind kind)
{
	switch (kind) {
	case FRAME_KERNEL:
		return rules_kernel;
	case FRAME_NATIVE:
		return rules_native;
	case FRAME_JS:
	case FRAME_JIT:
		return rules_js;
	case FRAME_PYTHON:
		break;
	}
	return rules_python;
}

const struct rule *rule_find(const struct frame *f, const char *name)
{
	bool native = f->kind == FRAME_NATIVE || f->kind == FRAME_KERNEL;
	const char *where = native ? f->module : f->file;

	name = name ? name : "";
	where = where ? where : "";
	for (const struct rule *r = rules_of(f->kind); r->function; r++)
		if (glob_match(r->function, name) && glob_match(r->where, where))
			return r->cause == CAUSES ? NULL : r;
	return NULL;
}
