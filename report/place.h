#ifndef LAGPROF_REPORT_PLACE_H
#define LAGPROF_REPORT_PLACE_H

#include "core/recording.h"

/* Where a frame is, made safe to show on one line (strbuf_puts_visible). */

/* "login", "(anonymous)"; of C++ and Rust without parameters and template arguments. */
void strbuf_function(struct strbuf *b, const struct frame *f);
/*
 * "server.js:33 login"; in a package: "lodash/lodash.js:11187 cloneDeep"; native
 * without a source file: "keysCommand in redis-server".  rec: whose program the
 * frame may be of, NULL unknown.
 */
void strbuf_place(struct strbuf *b, const struct recording *rec, const struct frame *f);
/*
 * The same after a title and what is put between the two, without the function
 * where that is the title: "parse · a.js:3", "keysCommand in redis-server".
 */
void strbuf_titled_place(struct strbuf *b, const struct recording *rec, const struct frame *f,
			 const char *title, const char *between);
/* The same with the whole path: "login /app/server.js:33". */
void strbuf_frame(struct strbuf *b, const struct recording *rec, const struct frame *f);
/* " · " or its ASCII form, and "…". */
const char *separator(bool ascii);
const char *ellipsis(bool ascii);

#endif
