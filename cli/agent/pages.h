#ifndef LAGPROF_CLI_AGENT_PAGES_H
#define LAGPROF_CLI_AGENT_PAGES_H

#include "cli/agent/fleet.h"
#include "cli/agent/server.h"

/* What an agent answers: /, /healthz, /metrics and /debug/pprof/stalls. */
struct pages {
	struct fleet *fleet;
	struct server *server;
	nsec until; /* a profile is waited for until then; 0: none is */
};

/* A server_handler; arg: a struct pages. */
bool pages_answer(void *arg, const struct query *query, struct page *page);
/* After the fleet has heard what there is: completes the profile that is waited for. */
void pages_complete(struct pages *p, nsec now);

#endif
