#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "sampler/runtimes/v8/v8.h"

enum { MAP_MAX = 4 << 20 }; /* bytes of a source map in a data: URL */

/* A malloc'ed copy of the data: URL with a source map that a script came with; NULL: it has none.
 */
static char *script_map_url(struct v8 *v8, uint64_t script)
{
	uint64_t word;
	struct v8_text text;
	char *url;

	if (!v8_field_object(&v8->heap, script, v8->layout.script_mapping_url, &word) ||
	    !v8_string_text(&v8->heap, word, &text) || text.two_byte || text.length > MAP_MAX)
		return NULL;
	url = xcalloc(1, (size_t)text.length + 1);
	if (v8_read(&v8->heap, text.addr, url, text.length) && strncmp(url, "data:", 5) == 0 &&
	    strlen(url) == text.length)
		return url;
	free(url);
	return NULL;
}

const char *v8_mapped_file(struct v8 *v8, uint64_t script, const char *file)
{
	char *url = file && file[0] == '/' ? script_map_url(v8, script) : NULL;

	return url ? recording_script_map(v8->rec, file, url) : file;
}
