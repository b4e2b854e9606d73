#ifndef LAGPROF_CORE_UNITS_H
#define LAGPROF_CORE_UNITS_H

#include "core/strings.h"

/* Figures as people read them, with a space before the unit and no needless digits. */

/* "950 us", "2.4 ms", "151 ms", "1.7 s", "12 s", "3 min 20 s". */
void strbuf_duration(struct strbuf *b, uint64_t ns);
/* Decimal units: "512 bytes", "10.8 MB", "8 MB". */
void strbuf_bytes(struct strbuf *b, uint64_t bytes);
/* With thousands separators: "12,345". */
void strbuf_count(struct strbuf *b, uint64_t n);

#endif
