/* What a target's buffer may hold instead of a request. */
#include "sampler/request.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, size_t size)
{
	if (strnlen(text, size) == size)
		__builtin_trap();
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct request out;

	for (int queries = 0; queries < 2; queries++) {
		if (request_parse_http(bytes, size, queries, &out))
			check(out.text, sizeof(out.text));
		for (size_t end = 1; end < size + 32 && end < 512; end++)
			if (request_parse_resp(bytes, size, end, queries, &out))
				check(out.text, sizeof(out.text));
	}
	return 0;
}
