#include "report/gzip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LEVEL = 6, MEMORY = 9, GZIP = 15 + 16 };

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

static void empty(struct gzip *g)
{
	size_t n = sizeof(g->buffer) - g->z.avail_out;

	if (g->base64)
		put_base64(g->out, g->buffer, n);
	else
		fwrite(g->buffer, 1, n, g->out);
	g->z.next_out = g->buffer;
	g->z.avail_out = sizeof(g->buffer);
}

void gzip_open(struct gzip *g, FILE *out, bool base64)
{
	g->out = out;
	g->base64 = base64;
	memset(&g->z, 0, sizeof(g->z));
	if (deflateInit2(&g->z, LEVEL, Z_DEFLATED, GZIP, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	g->z.next_out = g->buffer;
	g->z.avail_out = sizeof(g->buffer);
}

void gzip_put(struct gzip *g, const void *data, size_t n)
{
	const unsigned char *p = data;

	while (n) {
		size_t now = n < UINT32_MAX ? n : UINT32_MAX;

		g->z.next_in = (unsigned char *)p;
		g->z.avail_in = (unsigned)now;
		while (g->z.avail_in) {
			deflate(&g->z, Z_NO_FLUSH);
			if (g->z.avail_out == 0)
				empty(g);
		}
		p += now;
		n -= now;
	}
}

void gzip_close(struct gzip *g)
{
	while (deflate(&g->z, Z_FINISH) == Z_OK)
		empty(g);
	empty(g);
	deflateEnd(&g->z);
}
