#ifndef LAGPROF_ANALYZERS_BUDGET_H
#define LAGPROF_ANALYZERS_BUDGET_H

#include "core/error.h"
#include "core/finding.h"
#include "core/verdict.h"

/*
 * Limits on what a recording may show, and the verdict against them.  An
 * expression is
 *
 *	METRIC [{SELECTOR=VALUE, …}] OP NUMBER[UNIT] [warn]
 *	lag.p99<50ms    stall.count{cause=sync_crypto}==0    blocked.ratio<2% warn
 *	lag.p99<=baseline*1.2+5ms
 *
 * Stalls are those while serving unless phase= says otherwise; those of a
 * starved or stopped thread count only where cause= names them.
 */
enum budget_metric {
	METRIC_LAG_QUANTILE,
	METRIC_LAG_MAX,
	METRIC_LAG_MEAN,
	METRIC_STALL_COUNT,
	METRIC_STALL_MAX,
	METRIC_STALL_TOTAL,
	METRIC_STALL_RATE,
	METRIC_BLOCKED_RATIO,
	METRIC_BUSY_RATIO,
	METRIC_GC_TOTAL,
	METRIC_POOL_WAIT,
	METRIC_STRICT_COUNT
};

enum budget_unit { UNIT_NS, UNIT_COUNT, UNIT_RATIO, UNIT_PER_MINUTE };

enum budget_op { OP_LESS, OP_LESS_EQUAL, OP_GREATER, OP_GREATER_EQUAL, OP_EQUAL };

struct budget {
	const char *expr; /* as written */
	enum budget_metric metric;
	enum budget_unit unit;
	double quantile; /* of METRIC_LAG_QUANTILE and METRIC_POOL_WAIT */
	enum budget_op op;
	double limit;  /* in unit: ns, stalls, 0..1, stalls a minute */
	double factor; /* times what the baseline shows is added to limit; 0: no baseline */
	bool warn;     /* exceeding it is said, but fails nothing */
	/* Selectors. */
	int cause;          /* enum cause, -1: any but starvation */
	int phase;          /* enum phase, -1: both */
	const char *file;   /* glob on the culprit's path, NULL: any */
	const char *module; /* glob on the culprit's module, NULL: any */
};

/*
 * Reads an expression; its strings live in arena.  -EINVAL: err says at which
 * column, and the nearest right word where there is one.
 */
int budget_parse(struct budget *b, const char *expr, struct arena *arena, struct error *err);

/* A finding that is known: until its day has passed its stalls count for no budget. */
struct allowance {
	const char *fingerprint, *reason;
	const char *expires; /* the last day, "2030-12-31" */
};

/* Which of several recordings of the same thing a budget goes by. */
enum budget_aggregate { AGGREGATE_WORST, AGGREGATE_MEDIAN };

/* What a recording is held to. */
struct budget_terms {
	struct budget *budgets;
	size_t n;
	uint64_t min_turns; /* 0: BUDGET_MIN_TURNS */
	struct allowance *allow;
	size_t n_allow;
	const char *today;               /* "2026-01-31"; NULL: nothing expires */
	nsec warmup;                     /* the first part of serving that counts as startup */
	bool any_machine;                /* a baseline of another machine will do */
	uint32_t repeat;                 /* how often `run` runs the command; 0: once */
	enum budget_aggregate aggregate; /* of several recordings */
	/* What budgets with a factor are compared with; NULL only if there is none. */
	const struct recording *baseline;
	const struct diagnosis *baseline_diagnosis;
};

enum { BUDGET_MIN_TURNS = 20, BUDGET_REPEAT_MAX = 100 };

/*
 * Judges a recording.  Too few turns (fewer than min_turns), lost boundaries or
 * a target that was not observed are inconclusive unless a limit is exceeded
 * all the same; so is a limit that only waits for a CPU exceeded, and a baseline
 * of which the same is true or that ran on another major version of the runtime
 * or with another threshold, or on a machine with other CPUs or another quota.  An allowance
 * that has expired fails, whatever was observed; it is a rule of its own behind
 * the budgets.
 */
struct budget_report *budget_check(const struct budget_terms *terms, const struct recording *rec,
				   const struct diagnosis *d, struct arena *arena);

/*
 * The verdict on several recordings that were held to the same terms, n >= 1:
 * for each budget by the worst of what was measured or by the median (of an even
 * number, the worse of the two in the middle).
 */
struct budget_report *budget_combine(const struct budget_report *const *reports, size_t n,
				     enum budget_aggregate aggregate, struct arena *arena);

#endif
