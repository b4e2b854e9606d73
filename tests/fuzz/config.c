#include <assert.h>
#include <string.h>

#include "analyzers/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* lagprof.json is the user's, but comes with whatever branch a CI job checks out. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf text = { 0 };
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct budget_terms terms = { 0 };

	strbuf_add(&text, data, size);
	if (config_parse(&terms, "x", &text, &arena, &err) < 0)
		assert(strncmp(err.msg, "x:", 2) == 0);
	strbuf_destroy(&text);
	arena_free(&arena);
	return 0;
}
