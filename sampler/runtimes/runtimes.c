#include "sampler/runtime.h"

#include <stddef.h>

/* The first that names a frame wins; native is last, because it names every frame. */
const struct runtime *const runtimes[] = {
	&runtime_v8,
	&runtime_cpython,
	&runtime_native,
	NULL,
};
