#ifndef LAGPROF_CORE_VERDICT_H
#define LAGPROF_CORE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What budgets say of a recording.  Data only. */

enum verdict { VERDICT_NONE, VERDICT_PASS, VERDICT_FAIL, VERDICT_INCONCLUSIVE };

struct budget_result {
	const char *expr, *level, *value; /* as written; "error"/"warn"; what was measured */
	bool ok;                          /* the limit is met, by what was seen */
	const uint32_t *findings;         /* ids, ascending: whose stalls break it */
	size_t n_findings;
	bool unsure; /* that the limit is met, or is not, proves nothing */
};

struct budget_report {
	enum verdict verdict;
	const char *reason; /* why inconclusive */
	struct budget_result *rules;
	size_t n_rules;
};

#endif
