/* A hostile perf-PID.map, and the names in it. */
#include "sampler/runtimes/native/perf_map.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recording *rec = recording_new();
	struct perf_map *map = perf_map_new(-1);
	size_t taken = perf_map_parse(map, (const char *)data, size / 2);

	perf_map_parse(map, (const char *)data + taken, size - taken);
	for (uint64_t pc = 0x10000; pc < 0x10400; pc += 16) {
		const char *name = perf_map_lookup(map, 0x10000, 0x20000, pc);
		struct frame frame = { 0 };

		if (!name)
			continue;
		if (strlen(name) > 512)
			__builtin_trap();
		perf_map_frame(rec, name, &frame);
	}
	perf_map_free(map);
	recording_free(rec);
	return 0;
}
