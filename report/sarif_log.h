#ifndef LAGPROF_REPORT_SARIF_LOG_H
#define LAGPROF_REPORT_SARIF_LOG_H

#include <stdint.h>
#include <stdio.h>

#include "core/error.h"

/* A document of SARIF 2.1.0 with one run, as code scanning services read it. */

enum { SARIF_RESULTS_MAX = 5000 }; /* GitHub shows no more of a run */

/* A kind of result. */
struct sarif_rule {
	const char *id, *label;
	const char *help; /* NULL: nothing to add */
};

struct sarif_result {
	uint32_t rule;           /* index in the rules */
	const char *level;       /* "error", "warning", "note" */
	const char *message;     /* any bytes */
	const char *path;        /* bytes, relative to the repository's root or absolute */
	uint32_t line, column;   /* from 1; column 0: not known */
	const char *fingerprint; /* the same in every run, whatever the line is */
};

struct sarif_log;

struct sarif_log *sarif_log_new(const struct sarif_rule *rules, size_t n);
/* From SARIF_RESULTS_MAX on nothing is added. */
void sarif_log_add(struct sarif_log *log, const struct sarif_result *result);
/* Writes it and frees it. */
int sarif_log_write(struct sarif_log *log, FILE *out, struct error *err);

#endif
