#include "core/stall.h"

#include <stddef.h>

const struct argument *sample_argument(const struct sample *s, enum argument_key key)
{
	const struct argument *found = NULL;

	for (size_t i = 0; i < s->n_arguments; i++) {
		const struct argument *a = &s->arguments[i];

		if (a->key == key && (!found || a->frame < found->frame))
			found = a;
	}
	return found;
}
