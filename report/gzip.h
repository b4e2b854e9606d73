#ifndef LAGPROF_REPORT_GZIP_H
#define LAGPROF_REPORT_GZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <zlib.h>

/* A stream that compresses what is put into it, for pprof and the HTML page. */
struct gzip {
	FILE *out;
	bool base64; /* write it as text */
	z_stream z;
	unsigned char buffer[3 * 8192]; /* compressed, not yet written */
};

void gzip_open(struct gzip *g, FILE *out, bool base64);
void gzip_put(struct gzip *g, const void *data, size_t n);
/* Writes what is left; failures of writing are left in out's error flag. */
void gzip_close(struct gzip *g);

#endif
