#ifndef LAGPROF_CLI_AGENT_LISTEN_H
#define LAGPROF_CLI_AGENT_LISTEN_H

#include <stdbool.h>

#include "core/error.h"

/* Where an agent is asked. */
struct listening {
	int fd;
	bool local;     /* only this machine reaches it */
	char url[300];  /* how it is asked, for people */
	char path[108]; /* of a unix socket, to be removed at the end; "": none */
};

/*
 * "127.0.0.1:9095", "[::1]:9095", "localhost:9095" or "unix:PATH".  An address that other
 * machines reach is refused (-EPERM) unless that was allowed.
 */
int listen_on(struct listening *l, const char *address, bool allowed, struct error *err);
void listen_end(struct listening *l);

#endif
