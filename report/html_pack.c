#include "report/html_pack.h"

#include <assert.h>
#include <string.h>

enum { CHUNK = 16384 };

static void put_header(struct gzip *g, const char *name, size_t rows, int width, bool deltas)
{
	unsigned char head[6] = { (unsigned char)rows,         (unsigned char)(rows >> 8),
				  (unsigned char)(rows >> 16), (unsigned char)(rows >> 24),
				  (unsigned char)width,        deltas };
	unsigned char len = (unsigned char)strlen(name);

	assert(strlen(name) < 256 && rows <= UINT32_MAX);
	gzip_put(g, &len, 1);
	gzip_put(g, name, len);
	gzip_put(g, head, sizeof(head));
}

static void put_plane(struct gzip *g, const uint64_t *rows, size_t n, int byte)
{
	unsigned char chunk[CHUNK];

	for (size_t done = 0; done < n; done += CHUNK) {
		size_t here = n - done < CHUNK ? n - done : CHUNK;

		for (size_t i = 0; i < here; i++)
			chunk[i] = (unsigned char)(rows[done + i] >> 8 * byte);
		gzip_put(g, chunk, here);
	}
}

static void put_rows(struct gzip *g, const char *name, const uint64_t *rows, size_t n, bool deltas)
{
	uint64_t all = 0;
	int width = 1;

	for (size_t i = 0; i < n; i++)
		all |= rows[i];
	while (width < 8 && all >> 8 * width)
		width++;
	put_header(g, name, n, width, deltas);
	for (int byte = 0; byte < width; byte++)
		put_plane(g, rows, n, byte);
}

void pack_column(struct gzip *g, const char *name, const uint64_t *rows, size_t n)
{
	put_rows(g, name, rows, n, false);
}

void pack_deltas(struct gzip *g, const char *name, uint64_t *rows, size_t n)
{
	uint64_t before = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t delta = rows[i] - before;

		before = rows[i];
		rows[i] = delta << 1 ^ -(delta >> 63);
	}
	put_rows(g, name, rows, n, true);
}

void pack_bytes(struct gzip *g, const char *name, const void *data, size_t n)
{
	put_header(g, name, n, 1, false);
	gzip_put(g, data, n);
}
