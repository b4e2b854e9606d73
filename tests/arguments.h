#ifndef LAGPROF_TESTS_ARGUMENTS_H
#define LAGPROF_TESTS_ARGUMENTS_H

#include <stdio.h>

#include "core/stall.h"

/* Arguments as tools print them for scripts to compare. */

static const char *const argument_names[ARG_KEYS] = {
	"iterations", "cost",       "digest", "keylen",  "bytes",  "path",
	"host",       "command",    "peer",   "pattern", "flags",  "subject_length",
	"duration",   "descriptor", "level",  "gc_kind", "module",
};

/* "key=number", or the same with the text. */
static inline void argument_print(const struct argument *a, char *buf, size_t size)
{
	const char *name = argument_names[a->key] ? argument_names[a->key] : "?";

	if (a->text)
		snprintf(buf, size, "%s=%s", name, a->text);
	else
		snprintf(buf, size, "%s=%lld", name, (long long)a->number);
}

#endif
