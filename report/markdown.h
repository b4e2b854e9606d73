#ifndef LAGPROF_REPORT_MARKDOWN_H
#define LAGPROF_REPORT_MARKDOWN_H

#include "core/strings.h"

/* Appends safe text in which nothing is markup: every mark that could be one is escaped. */
void strbuf_puts_markdown(struct strbuf *b, const char *s);

#endif
