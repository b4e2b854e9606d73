/* Any bytes as a source: the first byte picks the language. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/scan/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan_uses uses = { 0 };
	struct arena a = { 0 };
	volatile size_t sum = 0;
	char *text;

	if (size == 0)
		return 0;
	/* Of its very length, so that a byte too many is seen. */
	text = malloc(size - 1 ? size - 1 : 1);
	memcpy(text, data + 1, size - 1);
	scan_source((enum scan_language)(data[0] % SCAN_LANGUAGES), text, size - 1, &a, &uses);
	for (size_t i = 0; i < uses.n; i++) {
		const struct scan_use *u = &uses.v[i];

		if (u->at >= size || u->line == 0 || u->column == 0)
			abort();
		for (size_t k = 0; k < u->pattern.len; k++)
			sum += (unsigned char)u->pattern.text[k];
		sum += strlen(u->pattern.flags);
	}
	free(uses.v);
	arena_free(&a);
	free(text);
	return 0;
}
