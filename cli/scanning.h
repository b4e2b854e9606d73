#ifndef LAGPROF_CLI_SCANNING_H
#define LAGPROF_CLI_SCANNING_H

#include "cli/parallel.h"
#include "cli/sources.h"

/* A pattern that is written down in one or more places, judged once. */
struct judged {
	struct regex_pattern pattern;
	struct regex_verdict verdict;
};

struct scan_result {
	const char *path;
	uint32_t line, column;
	const struct judged *judged;
};

struct scanning {
	struct sources sources;
	struct scan_result *results; /* of all files, in the order of path and place */
	struct judged *judged;
	size_t n, n_judged;
	size_t n_read;                     /* files */
	size_t counts[REGEX_CLASSES];      /* of results */
	struct arena arenas[PARALLEL_MAX]; /* own texts and verdicts */
};

/* Scans what is at and below the operands.  -errno: one does not exist.  Always to be freed. */
int scanning_run(struct scanning *s, char **operands, struct error *err);
void scanning_free(struct scanning *s);

#endif
