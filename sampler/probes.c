#include <string.h>

#include "sampler/probe.h"

const struct probe *const probes[] = { &probe_exact, &probe_light, &probe_user,
				       &probe_shim,  &probe_proc,  NULL };

const struct probe *probe_find(const char *name)
{
	for (size_t i = 0; probes[i]; i++)
		if (strcmp(probes[i]->name, name) == 0)
			return probes[i];
	return NULL;
}

const struct probe *probe_open_best(void **state, const struct probe_config *config,
				    struct error *refused)
{
	struct error err;

	*refused = (struct error){ 0 };
	for (size_t i = 0; probes[i]; i++) {
		err = (struct error){ 0 };
		if (probes[i]->open(state, config, &err) == 0)
			return probes[i];
		if (i == 0)
			*refused = err;
	}
	*refused = err;
	return NULL;
}
