#include "sampler/debug_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/arena.h"
#include "sampler/target_file.h"

#define MAX_CHECKSUMMED ((size_t)1 << 30) /* bytes of a debug file that is read through */

struct debug_link {
	char name[NAME_MAX + 1]; /* without a folder */
	uint32_t crc;
};

/* First in the target's root, then in ours. */
static struct elf_file *open_path(const struct debug_origin *origin, const char *path, int turn)
{
	struct elf_file *file;
	struct error err;
	int fd;

	if (turn == 0 && origin->proc < 0)
		return NULL;
	fd = target_open_path(turn == 0 ? origin->proc : -1, path, 0);
	if (fd < 0 || elf_open(&file, fd, &err) < 0)
		return NULL;
	return file;
}

static struct elf_file *open_by_build_id(const struct debug_origin *origin, int turn)
{
	const char *id = origin->build_id;
	struct elf_file *file;
	char path[128];

	if (!id || strlen(id) < 4)
		return NULL;
	snprintf(path, sizeof(path), "/usr/lib/debug/.build-id/%.2s/%s.debug", id, id + 2);
	file = open_path(origin, path, turn);
	if (file && strcmp(file->build_id, id) == 0)
		return file;
	elf_close(file);
	return NULL;
}

static bool read_debug_link(const struct elf_file *file, struct debug_link *link)
{
	size_t size, len, crc_at;
	char *bytes = (char *)elf_section(file, ".gnu_debuglink", 4096, &size, NULL);
	bool ok = false;

	if (!bytes)
		return false;
	len = strnlen(bytes, size);
	crc_at = (len + 4) & ~(size_t)3;
	if (len > 0 && len <= NAME_MAX && crc_at + 4 <= size && !memchr(bytes, '/', len)) {
		memcpy(link->name, bytes, len + 1);
		memcpy(&link->crc, bytes + crc_at, 4);
		ok = true;
	}
	free(bytes);
	return ok;
}

static bool has_checksum(const struct elf_file *file, uint32_t crc)
{
	size_t cap = 256 << 10, at = 0;
	uint8_t *buf;
	uLong sum = crc32(0, NULL, 0);

	if (file->size > MAX_CHECKSUMMED)
		return false;
	buf = xcalloc(1, cap);
	while (at < file->size) {
		size_t n = file->size - at < cap ? file->size - at : cap;

		if (elf_pread(file, at, buf, n) < 0)
			break;
		sum = crc32(sum, buf, (uInt)n);
		at += n;
	}
	free(buf);
	return at == file->size && sum == crc;
}

static bool belongs(const struct debug_origin *origin, const struct debug_link *link,
		    const struct elf_file *debug)
{
	if (origin->build_id && origin->build_id[0] && debug->build_id[0])
		return strcmp(origin->build_id, debug->build_id) == 0;
	return has_checksum(debug, link->crc);
}

static struct elf_file *open_by_link(const struct debug_origin *origin,
				     const struct debug_link *link, int turn)
{
	/* clang-format off */
	static const struct { const char *before, *after; } places[] = {
		{ "", "/" }, { "", "/.debug/" }, { "/usr/lib/debug", "/" },
	};
	/* clang-format on */
	const char *slash = origin->path ? strrchr(origin->path, '/') : NULL;
	int folder = slash ? (int)(slash - origin->path) : 0;

	if (!slash || origin->path[0] != '/')
		return NULL;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct elf_file *file;
		char path[PATH_MAX];

		if ((size_t)snprintf(path, sizeof(path), "%s%.*s%s%s", places[i].before, folder,
				     origin->path, places[i].after, link->name) >= sizeof(path))
			continue;
		file = open_path(origin, path, turn);
		if (file && belongs(origin, link, file))
			return file;
		elf_close(file);
	}
	return NULL;
}

struct elf_file *debug_file_open(const struct debug_origin *origin, const struct elf_file *file)
{
	struct debug_link link;
	bool linked = file && read_debug_link(file, &link);
	struct elf_file *debug = NULL;

	for (int turn = 0; turn < 2 && !debug; turn++) {
		debug = open_by_build_id(origin, turn);
		if (!debug && linked)
			debug = open_by_link(origin, &link, turn);
	}
	return debug;
}
