#ifndef LAGPROF_REPORT_HTML_PACK_H
#define LAGPROF_REPORT_HTML_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <zlib.h>

/*
 * The data of the HTML page: named columns, gzip, base64.  A column is
 *
 *	length of its name (1 byte), name, rows (4 bytes), width (1), deltas (1),
 *
 * little-endian, then `width` planes of a byte a row, the lowest first: equal
 * bytes side by side compress best.  With deltas, each row is the zigzag-coded
 * difference to the one before it.  report/web/src/data.js reads it.
 */
struct pack {
	FILE *out;
	z_stream z;
	unsigned char buffer[3 * 8192]; /* deflated, not yet written */
};

void pack_open(struct pack *p, FILE *out);
/* n rows of numbers; name has at most 255 bytes. */
void pack_column(struct pack *p, const char *name, const uint64_t *rows, size_t n);
/* The same where a row is near the one before it; overwrites rows. */
void pack_deltas(struct pack *p, const char *name, uint64_t *rows, size_t n);
void pack_bytes(struct pack *p, const char *name, const void *data, size_t n);
void pack_close(struct pack *p);

#endif
