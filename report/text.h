#ifndef LAGPROF_REPORT_TEXT_H
#define LAGPROF_REPORT_TEXT_H

#include "report/page.h"

/* The parts of the text report. */

/* What is known of the call's arguments and is not in the title: "key of 64 bytes, ...". */
void text_evidence(struct strbuf *b, const struct finding *f);
/* The heaviest stack, leaf first, shortened to the call and the culprit unless verbose. */
void text_stack(const struct report *r, const struct page *page, const struct finding *f);

/* A line for each loop: turns, utilization, lag. */
void text_loops(const struct report *r, const struct page *page);
void text_threadpool(const struct report *r, const struct page *page);
/* What was lost, incomplete or could not be seen; nothing if all was. */
void text_doubts(const struct report *r, const struct page *page);
/* The probe, its error bound and cost, and the machine's own noise. */
void text_probe(const struct report *r, const struct page *page);

#endif
