#ifndef LAGPROF_REPORT_TUI_HISTORY_H
#define LAGPROF_REPORT_TUI_HISTORY_H

#include "core/recording.h"

/* The longest lag of each of the last seconds. */
enum { HISTORY_SECONDS = 60 };

struct history {
	nsec worst[HISTORY_SECONDS]; /* of second s at s % HISTORY_SECONDS; 0: nothing known */
	uint64_t now;                /* the newest second that is kept */
	uint64_t **before;           /* per loop: its lag counts at the last history_turns() */
	size_t n_before;
};

/* Seconds pass until `at`, ns since the session began. */
void history_advance(struct history *h, nsec at);
/* A stall, ended or still open: in each second the length it had at that second's end. */
void history_stall(struct history *h, nsec start, nsec duration);
/* The turns below the threshold that ended since the last call, `at` being now. */
void history_turns(struct history *h, const struct recording *rec, nsec at);
/* The longest lag `ago` seconds before the newest. */
nsec history_get(const struct history *h, uint64_t ago);
void history_destroy(struct history *h);

#endif
