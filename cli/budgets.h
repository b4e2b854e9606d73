#ifndef LAGPROF_CLI_BUDGETS_H
#define LAGPROF_CLI_BUDGETS_H

#include <stdio.h>

#include "analyzers/budget.h"
#include "cli/exit.h"
#include "cli/loaded.h"
#include "cli/options.h"

/* The budgets of the command line and of lagprof.json. */
struct budgets {
	struct budget_terms terms;
	struct loaded baseline;               /* nothing, if none is wanted */
	const struct budget_report **reports; /* of each budgets_check() */
	size_t n_reports, cap_reports;
	struct arena arena; /* owns the terms, their strings and the report of budgets_check() */
};

/*
 * Reads lagprof.json of the current directory, or the file of --config, every
 * --budget and the --baseline; -EINVAL with the place of the mistake.  *b is to be freed
 * whatever is returned.
 */
int budgets_parse(struct budgets *b, const struct options *o, struct error *err);
/* NULL where nothing is asked. */
const struct budget_report *budgets_check(struct budgets *b, const struct recording *rec,
					  const struct diagnosis *d);
/*
 * The verdict on all that was checked, by the aggregate of lagprof.json; printed
 * to out unless that is NULL.  VERDICT_NONE: nothing was.
 */
enum verdict budgets_total(struct budgets *b, const struct options *o, FILE *out);
/* What a verdict makes of an otherwise good end. */
enum exit_status budgets_status(enum verdict verdict);
void budgets_free(struct budgets *b);

#endif
