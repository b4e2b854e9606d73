#ifndef LAGPROF_REPORT_PLACE_H
#define LAGPROF_REPORT_PLACE_H

#include "core/recording.h"

/* Where a frame is, made safe to show on one line (strbuf_puts_visible). */

/* "login", "(anonymous)"; of C++ and Rust without parameters and template arguments. */
void strbuf_function(struct strbuf *b, const struct frame *f);
/* "server.js:33 login"; native without a source file: "keysCommand in redis-server". */
void strbuf_place(struct strbuf *b, const struct frame *f);
/* The same with the whole path: "login /app/server.js:33". */
void strbuf_frame(struct strbuf *b, const struct frame *f);
/* " · " or its ASCII form, and "…". */
const char *separator(bool ascii);
const char *ellipsis(bool ascii);

#endif
