#ifndef LAGPROF_REPORT_HTML_PACK_H
#define LAGPROF_REPORT_HTML_PACK_H

#include <stdint.h>

#include "report/gzip.h"

/*
 * The data of the HTML page: named columns, gzip, base64.  A column is
 *
 *	length of its name (1 byte), name, rows (4 bytes), width (1), deltas (1),
 *
 * little-endian, then `width` planes of a byte a row, the lowest first: equal
 * bytes side by side compress best.  With deltas, each row is the zigzag-coded
 * difference to the one before it.  report/web/src/data.js reads it.
 */

/* n rows of numbers; name has at most 255 bytes. */
void pack_column(struct gzip *g, const char *name, const uint64_t *rows, size_t n);
/* The same where a row is near the one before it; overwrites rows. */
void pack_deltas(struct gzip *g, const char *name, uint64_t *rows, size_t n);
void pack_bytes(struct gzip *g, const char *name, const void *data, size_t n);

#endif
