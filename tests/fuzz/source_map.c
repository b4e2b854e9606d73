#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "sampler/source_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A script and its map are whatever the target's folders hold. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source_map *map = source_map_parse((const char *)data, size);
	char *url = source_map_url((const char *)data, size);
	char *decoded = NULL;
	size_t len;

	for (uint32_t line = 0; map && line < 8; line++) {
		for (uint32_t column = 0; column < 40; column += 3) {
			struct source_place p;

			if (source_map_find(map, line, column, &p))
				free(source_map_join("/app/dist/a.js", p.source));
		}
	}
	if (url) {
		decoded = source_map_data(url, &len);
		free(source_map_join("/a/b.js", url));
	}
	free(decoded);
	free(url);
	source_map_free(map);
	return 0;
}
