#ifndef LAGPROF_CLI_BUDGETS_H
#define LAGPROF_CLI_BUDGETS_H

#include "analyzers/budget.h"
#include "cli/exit.h"
#include "cli/options.h"

/* The budgets of the command line. */
struct budgets {
	struct budget *list;
	size_t n;
	struct arena arena; /* owns list, its strings and the report of budgets_check() */
};

/* Reads every --budget; -EINVAL with the place of the mistake. */
int budgets_parse(struct budgets *b, const struct options *o, struct error *err);
/* NULL where there are no budgets. */
const struct budget_report *budgets_check(struct budgets *b, const struct recording *rec,
					  const struct diagnosis *d);
/* What a verdict makes of an otherwise good end. */
enum exit_status budgets_status(enum verdict verdict);
void budgets_free(struct budgets *b);

#endif
