#ifndef LAGPROF_REPORT_METRICS_H
#define LAGPROF_REPORT_METRICS_H

#include "core/strings.h"
#include "core/vitals.h"

/* What `lagprof agent` serves to Prometheus: the text format 0.0.4. */
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* All processes of one name. */
struct metrics_app {
	const char *name;              /* hostile */
	const struct vitals *vitals;   /* of all of them, and of those that are gone */
	const struct hist *recent_lag; /* for prom_client: of the last moments */
	uint32_t processes[OBSERVED_STATES];
};

/* What was asked to be watched, and how many processes there are of it. */
struct metrics_wanted {
	const char *pattern;
	uint32_t processes;
};

struct metrics {
	const struct metrics_app *apps;
	const struct metrics_wanted *wanted;
	size_t n_apps, n_wanted;
	nsec own_cpu;     /* of the agent and all that observe for it */
	uint64_t memory;  /* bytes they have in memory */
	bool prom_client; /* also what prom-client calls nodejs_eventloop_lag_… */
};

void metrics_write(struct strbuf *out, const struct metrics *m);

#endif
