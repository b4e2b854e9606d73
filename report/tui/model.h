#ifndef LAGPROF_REPORT_TUI_MODEL_H
#define LAGPROF_REPORT_TUI_MODEL_H

#include "core/finding.h"
#include "report/tui/history.h"

/*
 * What the views show: the last diagnosis, brought up to date with the stalls
 * since.  Holds ids and strings of its own, no pointers into the recording's
 * arrays: those move while it grows.
 */

enum { NO_FRAME = UINT32_MAX, NO_STACK = UINT32_MAX };

/* A line of the culprits' table. */
struct culprit {
	enum cause cause;
	enum severity severity;
	const char *title;
	uint32_t frame, stack;         /* ids, or NO_FRAME, NO_STACK */
	const struct finding *finding; /* but for its culprit and stack; NULL: not diagnosed yet */
	uint32_t stalls;
	nsec total, serving, max; /* serving: part of total */
};

/* What is known of a stall beside the recording; same order. */
struct verdict_line {
	enum cause cause;
	const char *title; /* NULL: not diagnosed */
	uint32_t frame;
};

/* The stall that goes on right now. */
struct open_stall {
	bool is;
	uint32_t id;
	nsec start, duration;
	struct verdict_line what;
};

/* The head of the screen. */
struct figures {
	nsec duration, p50, p99, max;
	double busy, blocked, own; /* 0..1 of the time, of one CPU */
	uint64_t lost_samples, lost_turns, turns;
	uint32_t stalls, shorter; /* of them, than the threshold is now */
	nsec stalled, threshold;
};

enum sort { SORT_BLOCKED, SORT_MAX, SORT_COUNT, SORT_CAUSE, SORT_PLACE, SORTS };

struct model {
	struct arena arena; /* titles */
	struct strings titles;
	struct culprit *culprits;
	size_t n_culprits, cap_culprits;
	struct verdict_line *stalls;
	size_t n_stalls, cap_stalls;
	nsec serving;                      /* of all culprits */
	const struct diagnosis *diagnosis; /* the last; its frames and stacks may have moved */
	struct open_stall open;
	struct figures figures;
	struct history history;
};

/* The head's figures, from what the recording counts now. */
void model_tick(struct model *m, const struct recording *rec);
/* A stall ended or goes on; title is copied. */
void model_stall(struct model *m, const struct recording *rec, const struct stall *stall,
		 const struct stall_diagnosis *d, const char *title);
/* All stalls, diagnosed together.  d lives until the next call. */
void model_diagnosis(struct model *m, const struct recording *rec, const struct diagnosis *d);
/* Index of the culprit with that cause at that place (a frame's id), UINT32_MAX: none. */
uint32_t model_find(const struct model *m, const struct recording *rec, enum cause cause,
		    uint32_t frame);
/* The time line of a recording that was loaded. */
void model_past(struct model *m, const struct recording *rec);
void model_destroy(struct model *m);

/*
 * Does a line that shows these contain the filter?  Letters' case does not
 * matter; "" fits all.
 */
bool model_matches(const struct recording *rec, const struct verdict_line *what,
		   const char *filter);
/* The culprits that match, sorted; ids must hold n_culprits.  Returns how many. */
size_t model_sort_culprits(const struct model *m, const struct recording *rec, enum sort sort,
			   const char *filter, uint32_t *ids);

#endif
