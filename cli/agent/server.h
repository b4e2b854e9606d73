#ifndef LAGPROF_CLI_AGENT_SERVER_H
#define LAGPROF_CLI_AGENT_SERVER_H

#include <stdbool.h>

#include "core/error.h"
#include "core/strings.h"

/*
 * HTTP/1.1, by libmicrohttpd and without a thread of its own: all happens in server_work().
 * Only GET and HEAD; headers, connections and their idle time are bounded.
 */
struct server;

struct page {
	unsigned status;  /* 200 */
	const char *type; /* of the body, "text/plain; charset=utf-8" */
	const char *file; /* the name to save it as; NULL: it is to be shown */
	struct strbuf body;
};

/* A question as it came: hostile. */
struct query {
	const char *path; /* "/metrics" */
	const char *app;  /* parameters, NULL: not given */
	const char *seconds;
	bool more; /* there was another parameter */
};

/* Fills in the page; false: server_answer() will, the only one at a time. */
typedef bool server_handler(void *arg, const struct query *query, struct page *page);

/* Listens on fd, which stays the caller's. */
int server_start(struct server **s, int fd, server_handler *handler, void *arg, struct error *err);
/* Readable when there is something to do; and what poll(2) may wait at most, in ms, -1: ever. */
int server_fd(const struct server *s);
int server_timeout(const struct server *s);
void server_work(struct server *s);
/* The page that was to come later; takes its body. */
void server_answer(struct server *s, struct page *page);
void server_stop(struct server *s);

#endif
