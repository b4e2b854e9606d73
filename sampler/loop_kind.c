#include "sampler/loop_kind.h"

#include <fnmatch.h>
#include <string.h>

#include "sampler/poll_key.h"

/* The first row whose glob matches the base name of a mapped file wins. */
static const struct {
	const char *file;
	enum loop_kind kind;
} libraries[] = {
	/* clang-format off */
	{ "libuv.so*",     LOOP_LIBUV },
	{ "libnode.so*",   LOOP_LIBUV },
	{ "node",          LOOP_LIBUV },
	{ "nodejs",        LOOP_LIBUV },
	/* uvloop inside Python */
	{ "loop.*.so",     LOOP_LIBUV },
	{ "corecext.*",    LOOP_EPOLL },   /* gevent: libev inside Python */
	{ "_asyncio.*",    LOOP_ASYNCIO },
	/* Where that is built in. */
	{ "python3*",      LOOP_ASYNCIO },
	/* clang-format on */
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool maps_file(const struct space *space, const char *glob)
{
	size_t n;
	const struct mapping *m = space_mappings(space, &n);

	for (size_t i = 0; i < n; i++)
		if (m[i].exec && m[i].path && fnmatch(glob, base_name(m[i].path), 0) == 0)
			return true;
	return false;
}

enum loop_kind loop_kind_of(uint64_t key, const struct space *space)
{
	uint64_t class = POLL_KEY_CLASS(key);

	if (class == POLL_KEY_CLASS(POLL_KEY_IO_URING))
		return LOOP_IO_URING;
	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
		if (maps_file(space, libraries[i].file))
			return libraries[i].kind;
	return class == POLL_KEY_CLASS(POLL_KEY_EPOLL) ? LOOP_EPOLL : LOOP_POLL;
}
