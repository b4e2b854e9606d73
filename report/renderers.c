#include "report/renderer.h"

#include <string.h>

const struct renderer *const renderers[] = {
	/* clang-format off */
	&renderer_text,
	&renderer_json,
	&renderer_html,
	&renderer_pprof,
	&renderer_speedscope,
	&renderer_cpuprofile,
	&renderer_folded,
	&renderer_sarif,
	&renderer_junit,
	&renderer_github,
	&renderer_gitlab,
	&renderer_markdown,
	NULL,
	/* clang-format on */
};

const struct renderer *renderer_find(const char *name)
{
	for (size_t i = 0; renderers[i]; i++)
		if (strcmp(renderers[i]->name, name) == 0)
			return renderers[i];
	return NULL;
}
