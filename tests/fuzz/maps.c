/* Lines of /proc/PID/maps: whatever is taken for one is a range with a path in the line. */
#include "sampler/maps.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = xcalloc(1, size + 1);
	struct mapping m;

	memcpy(line, data, size);
	if (maps_parse_line(line, &m)) {
		assert(m.start < m.end);
		assert(m.path >= line && m.path + strlen(m.path) <= line + size);
	}
	free(line);
	return 0;
}
