#ifndef LAGPROF_REPORT_HTML_H
#define LAGPROF_REPORT_HTML_H

#include "report/renderer.h"

/*
 * The HTML report: one file without requests.  report/web makes the template
 * (page, style and script in one) with a slot for each part that is put in here.
 * What can be read without scripts is markup; all else is data for the script.
 */

/* Hostile text, made visible and escaped: the only way text gets into the markup. */
void html_text(FILE *out, const char *s);
/* The same of what is in b, which is emptied. */
void html_take(FILE *out, struct strbuf *b);
/* A bar of n parts beside each other, as shares of the whole; classes part0, part1... */
void html_bar(FILE *out, const double *shares, int n);

/* What goes into a slot. */
typedef void html_part(FILE *out, const struct report *r);
html_part html_title, html_target, html_verdict, html_budget, html_figures;
html_part html_findings, html_strict, html_processes;
html_part html_lag, html_host, html_threadpool, html_doubts, html_session;
/* Columns of numbers, gzip, base64. */
html_part html_data;

/* The template, from the assembler. */
extern const char html_template[], html_template_end[];

#endif
