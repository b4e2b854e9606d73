/* Hostile symbol names. */
#include "sampler/demangle.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* A name that is cut in the middle of Rust's punycode leaves libiberty's buffer behind. */
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = strndup((const char *)data, size), out[256];
	size_t len = demangle(name, demangle_strip(name), out, sizeof(out));

	if (len >= sizeof(out) || out[len] != '\0')
		if (len)
			abort();
	free(name);
	return 0;
}
