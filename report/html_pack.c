#include "report/html_pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { GZIP = 15 + 16, LEVEL = 6, CHUNK = 16384 };

static void put_base64(FILE *out, const unsigned char *in, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned b1 = i + 1 < n ? in[i + 1] : 0, b2 = i + 2 < n ? in[i + 2] : 0;
		char four[4] = {
			digits[in[i] >> 2],
			digits[(in[i] & 3) << 4 | b1 >> 4],
			i + 1 < n ? digits[(b1 & 15) << 2 | b2 >> 6] : '=',
			i + 2 < n ? digits[b2 & 63] : '=',
		};

		fwrite(four, 1, sizeof(four), out);
	}
}

static void empty(struct pack *p)
{
	put_base64(p->out, p->buffer, sizeof(p->buffer) - p->z.avail_out);
	p->z.next_out = p->buffer;
	p->z.avail_out = sizeof(p->buffer);
}

static void put(struct pack *p, const void *data, size_t n)
{
	p->z.next_in = (unsigned char *)data;
	p->z.avail_in = (unsigned)n;
	while (p->z.avail_in) {
		deflate(&p->z, Z_NO_FLUSH);
		if (p->z.avail_out == 0)
			empty(p);
	}
}

void pack_open(struct pack *p, FILE *out)
{
	memset(&p->z, 0, sizeof(p->z));
	p->out = out;
	if (deflateInit2(&p->z, LEVEL, Z_DEFLATED, GZIP, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	p->z.next_out = p->buffer;
	p->z.avail_out = sizeof(p->buffer);
}

static void put_header(struct pack *p, const char *name, size_t rows, int width, bool deltas)
{
	unsigned char head[6] = { (unsigned char)rows,         (unsigned char)(rows >> 8),
				  (unsigned char)(rows >> 16), (unsigned char)(rows >> 24),
				  (unsigned char)width,        deltas };
	unsigned char len = (unsigned char)strlen(name);

	assert(strlen(name) < 256 && rows <= UINT32_MAX);
	put(p, &len, 1);
	put(p, name, len);
	put(p, head, sizeof(head));
}

static void put_plane(struct pack *p, const uint64_t *rows, size_t n, int byte)
{
	unsigned char chunk[CHUNK];

	for (size_t done = 0; done < n; done += CHUNK) {
		size_t here = n - done < CHUNK ? n - done : CHUNK;

		for (size_t i = 0; i < here; i++)
			chunk[i] = (unsigned char)(rows[done + i] >> 8 * byte);
		put(p, chunk, here);
	}
}

static void put_rows(struct pack *p, const char *name, const uint64_t *rows, size_t n, bool deltas)
{
	uint64_t all = 0;
	int width = 1;

	for (size_t i = 0; i < n; i++)
		all |= rows[i];
	while (width < 8 && all >> 8 * width)
		width++;
	put_header(p, name, n, width, deltas);
	for (int byte = 0; byte < width; byte++)
		put_plane(p, rows, n, byte);
}

void pack_column(struct pack *p, const char *name, const uint64_t *rows, size_t n)
{
	put_rows(p, name, rows, n, false);
}

void pack_deltas(struct pack *p, const char *name, uint64_t *rows, size_t n)
{
	uint64_t before = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t delta = rows[i] - before;

		before = rows[i];
		rows[i] = delta << 1 ^ -(delta >> 63);
	}
	put_rows(p, name, rows, n, true);
}

void pack_bytes(struct pack *p, const char *name, const void *data, size_t n)
{
	put_header(p, name, n, 1, false);
	put(p, data, n);
}

void pack_close(struct pack *p)
{
	while (deflate(&p->z, Z_FINISH) == Z_OK)
		empty(p);
	empty(p);
	deflateEnd(&p->z);
}
