#include "cli/agent/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS = 32, IDLE_SECONDS = 10, CONNECTION_BYTES = 16384 };

struct server {
	struct MHD_Daemon *daemon;
	server_handler *handler;
	void *arg;
	struct request *waiting; /* for server_answer() */
};

/* From its first line until it has been answered. */
struct request {
	struct MHD_Connection *connection;
	struct page page;
	bool answered; /* page is what it gets */
};

static enum MHD_Result take_parameter(void *arg, enum MHD_ValueKind kind, const char *key,
				      const char *value)
{
	struct query *q = arg;

	if (strcmp(key, "app") == 0 && value && !q->app)
		q->app = value;
	else if (strcmp(key, "seconds") == 0 && value && !q->seconds)
		q->seconds = value;
	else
		q->more = true;
	return MHD_YES;
}

static void add_headers(struct MHD_Response *response, const struct page *page)
{
	char disposition[120];

	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, page->type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (page->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (page->status == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "5");
	if (!page->file)
		return;
	snprintf(disposition, sizeof(disposition), "attachment; filename=\"%s\"", page->file);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, disposition);
}

static enum MHD_Result send_page(struct MHD_Connection *connection, struct page *page)
{
	struct MHD_Response *response;
	enum MHD_Result ret;

	response = MHD_create_response_from_buffer(page->body.len, page->body.s,
						   MHD_RESPMEM_MUST_COPY);
	if (!response)
		return MHD_NO;
	add_headers(response, page);
	ret = MHD_queue_response(connection, page->status, response);
	MHD_destroy_response(response);
	return ret;
}

/* Without its body having been read. */
static enum MHD_Result refuse_method(struct request *r)
{
	r->page.status = MHD_HTTP_METHOD_NOT_ALLOWED;
	strbuf_puts(&r->page.body, "only GET and HEAD\n");
	return send_page(r->connection, &r->page);
}

static bool is_read_only(const char *method)
{
	return strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
	       strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

/* False: it is answered later. */
static bool handle(struct server *s, struct request *r, const char *path)
{
	struct query query = { .path = path };

	MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, take_parameter, &query);
	return s->handler(s->arg, &query, &r->page);
}

static enum MHD_Result access_handler(void *arg, struct MHD_Connection *connection, const char *url,
				      const char *method, const char *version, const char *upload,
				      size_t *upload_size, void **state)
{
	struct server *s = arg;
	struct request *r = *state;

	/* First only the headers are there. */
	if (!r) {
		r = xcalloc(1, sizeof(*r));
		*r = (struct request){ .connection = connection,
				       .page = { .status = MHD_HTTP_OK,
						 .type = "text/plain; charset=utf-8" } };
		*state = r;
		return is_read_only(method) ? MHD_YES : refuse_method(r);
	}
	/* A body is read away, a piece at a time. */
	if (*upload_size) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (!r->answered && !handle(s, r, url)) {
		s->waiting = r;
		MHD_suspend_connection(connection);
		return MHD_YES;
	}
	return send_page(connection, &r->page);
}

static void completed(void *arg, struct MHD_Connection *connection, void **state,
		      enum MHD_RequestTerminationCode code)
{
	struct server *s = arg;
	struct request *r = *state;

	if (!r)
		return;
	if (s->waiting == r)
		s->waiting = NULL;
	strbuf_destroy(&r->page.body);
	free(r);
	*state = NULL;
}

int server_start(struct server **out, int fd, server_handler *handler, void *arg, struct error *err)
{
	struct server *s = xcalloc(1, sizeof(*s));

	s->handler = handler;
	s->arg = arg;
	s->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
				     access_handler, s, MHD_OPTION_LISTEN_SOCKET, fd,
				     MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
				     MHD_OPTION_NOTIFY_COMPLETED, completed, s, MHD_OPTION_END);
	if (!s->daemon) {
		free(s);
		return error_set(err, -EIO, "cannot start the HTTP server: %s", strerror(errno));
	}
	*out = s;
	return 0;
}

int server_fd(const struct server *s)
{
	return MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int server_timeout(const struct server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;

	return MHD_get_timeout(s->daemon, &ms) == MHD_YES ? (int)ms : -1;
}

void server_work(struct server *s)
{
	MHD_run(s->daemon);
}

void server_answer(struct server *s, struct page *page)
{
	struct request *r = s->waiting;

	if (!r) {
		strbuf_destroy(&page->body);
		return;
	}
	s->waiting = NULL;
	strbuf_destroy(&r->page.body);
	r->page = *page;
	r->answered = true;
	MHD_resume_connection(r->connection);
}

void server_stop(struct server *s)
{
	struct page late = { .status = MHD_HTTP_SERVICE_UNAVAILABLE, .type = "text/plain" };

	/* Who is suspended would be waited for. */
	server_answer(s, &late);
	MHD_quiesce_daemon(s->daemon); /* or it closes the socket */
	MHD_stop_daemon(s->daemon);
	free(s);
}
