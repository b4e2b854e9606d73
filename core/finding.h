#ifndef LAGPROF_CORE_FINDING_H
#define LAGPROF_CORE_FINDING_H

#include "core/cause.h"
#include "core/recording.h"

/* What the analyzers say about a recording.  Data only. */

/* A regex verdict, as `lagprof regex` gives it; NULL strings and -1 where unknown. */
struct redos {
	const char *verdict, *kind, *attack;
	int degree;
	uint32_t guilty_start, guilty_end; /* bytes of the pattern; equal: unknown */
};

struct evidence {
	struct argument args[ARG_KEYS]; /* valid where has[key] */
	bool has[ARG_KEYS];
	const struct redos *redos; /* NULL: none */
};

/* A process's part of a finding. */
struct finding_part {
	int32_t pid, tid; /* tid: the thread that had them all, 0 if there are several */
	uint32_t stalls;
	nsec total, max;
};

/* One cause at one culprit, over all its stalls. */
struct finding {
	uint32_t id;          /* index in diagnosis.findings; most serving time first */
	char fingerprint[17]; /* hex; no line numbers in it, the same on every run */
	enum cause cause;
	enum severity severity; /* of its worst serving stall */
	const char *title; /* the headline's first part: "pbkdf2Sync 60000 iterations sha512" */
	const char *call;  /* the blocking callee, "JSON.parse"; NULL unknown */
	const struct frame *culprit; /* nearest user frame; NULL unknown */
	const struct stack *stack;   /* the heaviest stack; NULL none */
	const char *advice;
	uint32_t stalls, serving_stalls;
	nsec total, max, mean;
	nsec serving_total; /* part of total */
	nsec period;        /* mean time from one to the next; 0 with fewer than 3 */
	double share;       /* of all stalled time, 0..1 */
	double on_cpu;      /* running part of its time, 0..1 */
	double starved;     /* runnable part: it waited for a CPU */
	double throttled;   /* part of starved that a cgroup's quota took */
	double held_up;     /* part in which who it waited for had no CPU */
	struct evidence evidence;
	const struct finding_part *parts; /* by process, most time first */
	size_t n_parts;
};

/* Calls that block, made at one place while serving (--strict). */
struct strict_finding {
	enum cause cause;
	char fingerprint[17];
	const char *title; /* "readFileSync /app/page.html" */
	const char *call;
	const struct frame *culprit; /* NULL unknown */
	const struct stack *stack;
	const char *advice;
	uint64_t calls;
	struct evidence evidence;
};

/* Per stall, same order as recording.stalls. */
struct stall_diagnosis {
	enum cause cause;
	enum severity severity;
	uint32_t finding;            /* id */
	const struct frame *culprit; /* NULL unknown */
	enum cause beside;           /* of a starved stall: what most of the rest was; else cause */
	nsec clocked;  /* it went on until a time had come: surely for so long; 0: it did not */
	nsec callback; /* of code: the longest callback, as far as samples tell; 0 unknown */
};

/* Is libuv's thread pool the bottleneck? */
struct pool_verdict {
	bool saturated;     /* work waited because all threads it may have were busy */
	bool lookups;       /* and most of that work looks up names */
	const char *advice; /* what to do about it, one or two sentences; NULL: nothing */
};

struct diagnosis {
	struct arena arena;
	struct finding *findings;
	struct stall_diagnosis *stalls;
	struct strict_finding *strict; /* most calls first */
	size_t n_findings, n_stalls, n_strict;
	uint64_t strict_calls; /* of all of them */
	nsec stalled;          /* total length of all stalls, any phase */
	nsec serving_stalled;
	uint32_t serving_stalls;
	double unattributed_ratio; /* share of stalled time whose culprit is unknown */
	double complete_ratio;     /* share of samples with STACK_COMPLETE; 1 without samples */
	uint64_t incomplete[STACK_ENDS];
	struct pool_verdict pool;
};

#endif
